//! The binary `hydron-agent`: parses, runs, exits.

use std::process::ExitCode;

use clap::Parser as _;
use hydron_agent::cli::Cli;
use hydron_agent::commands;

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        // What cannot be logged is lost. Saying so on stderr, which may be on the same full disk, would be a panic.
        .log_internal_errors(false)
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env()
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info")),
        )
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    match commands::run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
