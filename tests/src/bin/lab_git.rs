//! The lab's git host as a program: `lab-git publish` puts a folder into a repository, `lab-git serve` serves them.
//!
//! Rule: prints one JSON line when it is ready, then serves until it is told to stop. Neighbour: `hydron_tests::git_host`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::{Parser, Subcommand};
use hydron_tests::git_host::{self, Access, GitHost, Options};
use secrecy::SecretString;
use serde_json::json;

#[derive(Parser)]
#[command(about = "A git host for tests: smart HTTP over TLS, below one folder")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the repositories below a folder.
    Serve {
        #[arg(long)]
        root: PathBuf,
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        /// The name of the environment variable with the token that readers must send; without it, everybody may read.
        #[arg(long)]
        token_from: Option<String>,
    },
    /// Make a branch hold exactly a folder's files.
    Publish {
        #[arg(long)]
        repository: PathBuf,
        #[arg(long)]
        folder: PathBuf,
        #[arg(long, default_value = "main")]
        branch: String,
        #[arg(long, default_value = "Publish")]
        message: String,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Serve { root, listen, token_from } => serve(root, listen, token_from).await,
        Command::Publish { repository, folder, branch, message } => {
            let published = git_host::publish_folder(&repository, &branch, &folder, &message)?;
            say(&json!({ "commit": published.commit, "changed": published.changed }));
            Ok(())
        }
    }
}

async fn serve(root: PathBuf, listen: SocketAddr, token_from: Option<String>) -> anyhow::Result<()> {
    let access = match token_from {
        None => Access::Public,
        Some(name) => {
            let token = std::env::var(&name).with_context(|| format!("the environment has no {name}"))?;
            Access::Token(Arc::new(SecretString::from(token)))
        }
    };
    let host = GitHost::start(Options { root, listen, access }).await?;
    say(&json!({ "url": host.url(""), "ca": host.ca() }));
    tokio::signal::ctrl_c().await.context("waiting for the signal to stop")
}

#[expect(clippy::print_stdout, reason = "the line is what the program is for")]
fn say(line: &serde_json::Value) {
    println!("{line}");
}
