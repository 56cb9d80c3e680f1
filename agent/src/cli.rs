//! The command line. Rule: no secret ever stands in it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use hydron_proto::ids::RunId;

/// The agent of one server.
#[derive(Debug, Parser)]
#[command(name = "hydron-agent", version, about = "Hydron's agent: runs approved work on this server")]
pub struct Cli {
    /// Everything the agent owns lies below this directory.
    #[arg(long, global = true, default_value = "/")]
    pub root: PathBuf,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Join a coordinator with a token from the server's page.
    Join(Join),
    /// Install units and user for systemd; started at once on a server that has joined.
    Install,
    /// Run link and executor on a machine without systemd.
    Run,
    /// Run the link (what its unit starts).
    Link(Link),
    /// Run the executor (what its unit starts).
    Exec(Supervised),
    /// Run the steps of one run.
    #[command(hide = true)]
    StepHost(StepHost),
    /// Look after the public side once (what its timer starts).
    #[command(hide = true)]
    Edge,
    /// Say what this server is and does; needs no coordinator.
    Status,
    /// Look for what is wrong here; needs no coordinator.
    Doctor,
    /// Stop the agent and remove this server's identity. Applications, data and sites stay.
    Leave,
    /// Remove what `install` made, the proxy's unit included. Applications and data stay.
    Uninstall,
}

/// `join`.
#[derive(Debug, Args)]
pub struct Join {
    /// `host:port` of the coordinator's agent port.
    #[arg(long)]
    pub coordinator: String,
    /// File with the token; without it the token is read from standard input.
    #[arg(long)]
    pub token_file: Option<PathBuf>,
}

/// `link`.
#[derive(Debug, Args)]
pub struct Link {
    /// The working directory is the root: parents of the root need not be open to the link's user.
    #[arg(long, hide = true)]
    pub here: bool,
    /// How it was started.
    #[command(flatten)]
    pub supervised: Supervised,
}

/// How a process was started.
#[derive(Debug, Args)]
pub struct Supervised {
    /// End with the supervisor.
    #[arg(long, hide = true)]
    pub supervised: bool,
}

/// `step-host`.
#[derive(Debug, Args)]
pub struct StepHost {
    /// Whose steps.
    #[arg(long)]
    pub run: RunId,
}
