//! The binary `hydron-agent`: parses, runs, exits.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use hydron_agent::cli::Cli;
use hydron_agent::commands;
use hydron_proto::source::confine::{self, ConfineError};

fn main() -> ExitCode {
    // Before anything else: the child must have no thread and no file of ours.
    let args: Vec<_> = std::env::args_os().collect();
    if let Err(error) = confine::become_git_if_asked(&args) {
        let _ = writeln!(std::io::stderr(), "{error}");
        return ExitCode::from(if matches!(error, ConfineError::Exec(_)) { 127 } else { 126 });
    }
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
