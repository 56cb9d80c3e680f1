//! `make bench`, inside the server that `tests/bench/run` starts: see `hydron_tests::bench`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use hydron_tests::bench::{self, Options, Which};

#[derive(Parser)]
#[command(about = "Ours against its peers, round by round")]
struct Arguments {
    /// The released agent
    #[arg(long)]
    agent: PathBuf,
    /// The released coordinator
    #[arg(long)]
    coordinator: PathBuf,
    /// An empty directory on a real disk
    #[arg(long)]
    place: PathBuf,
    /// Where the figures go, as JSON
    #[arg(long)]
    result: PathBuf,
    /// Where the curves of growth go, as SVG
    #[arg(long)]
    curves: PathBuf,
    /// Rounds, instead of the number that a scenario has by itself
    #[arg(long)]
    rounds: Option<usize>,
    /// How long an idle agent is watched, seconds
    #[arg(long, default_value_t = 60)]
    idle: u64,
    /// Simulated agents
    #[arg(long, default_value_t = 1000)]
    agents: usize,
    /// Which benchmarks; all of them, when none is named
    #[arg(value_enum)]
    only: Vec<Which>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let only = if arguments.only.is_empty() { Which::ALL.to_vec() } else { arguments.only };
    let options = Options {
        agent: arguments.agent,
        coordinator: arguments.coordinator,
        place: arguments.place,
        result: arguments.result,
        curves: arguments.curves,
        rounds: arguments.rounds,
        idle_s: arguments.idle,
        fleet: arguments.agents,
        only,
    };
    let holds = Box::pin(bench::run(&options)).await?;
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
