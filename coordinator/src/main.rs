//! The `hydron` binary: parse, run, exit. Everything else is in the library.

use std::process::ExitCode;

use clap::Parser as _;
use hydron_coordinator::cli::{self, Cli};

fn main() -> ExitCode {
    // A fetch's child gives up its rights here, before there is any thread, and becomes git.
    let args: Vec<_> = std::env::args_os().collect();
    if let Err(error) = hydron_proto::source::confine::become_git_if_asked(&args) {
        return fetch_child_failed(&error);
    }
    tracing_subscriber::fmt()
        // What cannot be logged is lost. Saying so on stderr, which may be on the same full disk, would be a panic.
        .log_internal_errors(false)
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("HYDRON_LOG")
                .unwrap_or_else(|_| "info,sqlx=warn".into()),
        )
        .with_writer(std::io::stderr)
        .init();
    match cli::execute(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn fetch_child_failed(error: &dyn std::error::Error) -> ExitCode {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "{}", hydron_coordinator::http::problem::chain(error));
    ExitCode::FAILURE
}
