//! The benchmarks: ours and its peers in one run, on one machine, round by round, so that a busy minute hits both.
//!
//! Rule: a ratio to a peer of the same run comes first; absolute figures are printed, never compared with stored ones.
//! What runs is what people run: release builds, own processes, real TLS. Neighbours: `tests/bench` (the server and the
//! peers in it; its README explains every scenario), `stack` (coordinator and agent as processes), `sim_agent` (a thousand).

#![expect(clippy::cast_precision_loss, reason = "figures of a benchmark, far below 2^52")]

mod agents_port;
mod delay;
mod deposit;
mod durable_log;
mod event_stream;
mod fleet;
pub mod footprint;
mod growth;
mod hydron;
mod idle;
mod ingest;
mod peers;
mod plan;
mod postgres;
mod product;
mod real_coordinator;
mod relay;
mod release;
mod report;
mod samples;
mod start;
mod steps;
mod stream;

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
    /// Where the curves of growth go, as SVG.
    pub curves: PathBuf,
    /// Rounds; each scenario has a number of its own.
    pub rounds: Option<usize>,
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
    /// A plan of a hundred trivial steps.
    Plan,
    /// 39 MB of output, durable and on to a reader.
    Stream,
    /// Step and plan over a way of 30 ms.
    Relay,
    /// Journals of 64 agents at once.
    Ingest,
    /// Releasing an image that is there.
    Release,
    /// A coordinator that starts with a thousand unfinished runs.
    Start,
    /// An agent that has nothing to do.
    Idle,
    /// A coordinator with many agents.
    Fleet,
    /// What more agents, events and sites cost, as curves.
    Growth,
}

impl Which {
    /// All of them, in the order in which they are run.
    pub const ALL: [Self; 10] = [
        Self::Steps,
        Self::Plan,
        Self::Stream,
        Self::Relay,
        Self::Ingest,
        Self::Release,
        Self::Start,
        Self::Idle,
        Self::Fleet,
        Self::Growth,
    ];
}

/// Runs what was asked for; says whether every bar was met.
pub async fn run(options: &Options) -> anyhow::Result<bool> {
    let mut report = Report::default();
    std::fs::create_dir_all(&options.place)?;
    for which in &options.only {
        let findings = match which {
            Which::Steps => Box::pin(steps::measure(options)).await.context("the step benchmark")?,
            Which::Plan => Box::pin(plan::measure(options)).await.context("the plan benchmark")?,
            Which::Stream => Box::pin(stream::measure(options)).await.context("the stream benchmark")?,
            Which::Relay => Box::pin(relay::measure(options)).await.context("the relay benchmark")?,
            Which::Ingest => Box::pin(ingest::measure(options)).await.context("the ingest benchmark")?,
            Which::Release => Box::pin(release::measure(options)).await.context("the release benchmark")?,
            Which::Start => Box::pin(start::measure(options)).await.context("the start benchmark")?,
            Which::Growth => Box::pin(growth::measure(options)).await.context("the growth benchmark")?,
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
