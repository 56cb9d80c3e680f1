//! The benchmarks: ours and its peers in one run, on one machine, round by round, so that a busy minute hits both.
//!
//! Rule: a ratio to a peer of the same run comes first; absolute figures are printed, never compared with stored ones.
//! What runs is what people run: release builds, own processes, real TLS. Neighbours: `tests/bench` (the server and the
//! peers in it), `stack` (coordinator and agent as processes), `sim_agent` (a thousand of them).

#![expect(clippy::cast_precision_loss, reason = "figures of a benchmark, far below 2^52")]

mod agents_port;
mod durable_log;
mod fleet;
pub mod footprint;
mod hydron;
mod idle;
mod peers;
mod real_coordinator;
mod report;
mod samples;
mod steps;

use std::path::PathBuf;

use anyhow::Context as _;

pub use self::report::say;

use self::report::Report;

/// What a run of the benchmarks is given.
#[derive(Debug, Clone)]
pub struct Options {
    /// The agent, as it is released.
    pub agent: PathBuf,
    /// The coordinator, as it is released.
    pub coordinator: PathBuf,
    /// An empty directory on a real disk.
    pub place: PathBuf,
    /// Where the figures go, as JSON.
    pub result: PathBuf,
    /// Rounds of the step benchmark.
    pub rounds: usize,
    /// How long an idle agent is watched, seconds.
    pub idle_s: u64,
    /// Simulated agents.
    pub fleet: usize,
    /// Which benchmarks.
    pub only: Vec<Which>,
}

/// A benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Which {
    /// A trivial step, from permit to durable result.
    Steps,
    /// An agent that has nothing to do.
    Idle,
    /// A coordinator with many agents.
    Fleet,
}

/// Runs what was asked for; says whether every bar was met.
pub async fn run(options: &Options) -> anyhow::Result<bool> {
    let mut report = Report::default();
    std::fs::create_dir_all(&options.place)?;
    for which in &options.only {
        let findings = match which {
            Which::Steps => Box::pin(steps::measure(options)).await.context("the step benchmark")?,
            Which::Idle => idle::measure(options).await.context("the idle benchmark")?,
            Which::Fleet => fleet::measure(options).await.context("the fleet benchmark")?,
        };
        for finding in findings {
            report.add(finding);
        }
    }
    std::fs::write(&options.result, report.json())
        .with_context(|| format!("write {}", options.result.display()))?;
    Ok(report.holds())
}
