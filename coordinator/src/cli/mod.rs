//! The command line: `hydron serve | migrate | admin | analyze | doctor | openapi`.
//!
//! Rule: commands translate; what they do is in `serve`, `services` and the store. Standard output is for results, the
//! log goes to standard error.

pub mod admin;
pub mod analyze;
pub mod doctor;
pub mod migrate;
pub mod serve;

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use crate::config::{Config, ConfigError, Settings};

/// Hydron deploys repositories to servers, by approved plans.
#[derive(Debug, Parser)]
#[command(name = "hydron", version)]
pub struct Cli {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the coordinator: web interface, API, agents' port, jobs
    Serve(Common),
    /// Bring the database schema up to date
    Migrate(Common),
    /// Administer the installation on its own machine
    Admin(admin::Admin),
    /// Read a directory or a git URL and say what would be deployed, without a coordinator
    Analyze(analyze::Analyze),
    /// Check the installation and say what is wrong
    Doctor(Common),
    /// Print the OpenAPI document
    Openapi,
}

/// Where the settings come from.
#[derive(Debug, clap::Args)]
pub struct Common {
    /// Configuration file (TOML); flags and HYDRON_* win over it
    #[arg(long, env = "HYDRON_CONFIG")]
    pub config: Option<PathBuf>,
    /// The settings themselves
    #[command(flatten)]
    pub settings: Settings,
}

impl Common {
    /// Reads the file, if one is named, and checks everything.
    pub fn load(self) -> Result<Config, ConfigError> {
        let file = self.config.as_deref().map(Settings::from_file).transpose()?.unwrap_or_default();
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        self.settings.or(file).check(credentials)
    }
}

/// Runs a command to its end, on a runtime of its own. (Here and not in the binary: what the binary waited for itself would be
/// compiled into it a second time.)
pub fn execute(cli: Cli) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.context("the runtime could not start")?.block_on(run(cli))
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Command::Serve(common) => serve::run(common.load()?).await,
        Command::Migrate(common) => migrate::run(common.load()?).await,
        Command::Admin(admin) => admin::run(admin).await,
        Command::Analyze(what) => analyze::run(what).await,
        Command::Doctor(common) => doctor::run(common.load()?).await,
        Command::Openapi => say(crate::http::openapi::text()?.trim_end()),
    }
}

/// One line of the result.
pub(crate) fn say(line: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
