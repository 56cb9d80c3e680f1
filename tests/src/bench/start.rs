//! The start of a coordinator that crashed with a thousand unfinished runs: until it answers, and until every run goes on;
//! beside one that crashed with none.
//!
//! Rule: while it is down, every agent's step ends; a run goes on when its next step, which needs a new permit of the new
//! process, has started on its server. Agents are simulated, their links are not; they dial again every 50 ms.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use hydron_proto::ids::ServerId;
use hydron_proto::plan::{InterruptPolicy, Step};
use tokio::task::JoinHandle;

use super::Options;
use super::real_coordinator::RealCoordinator;
use super::report::{Bar, Finding, Measured, Ratio};
use super::samples::Samples;
use crate::approved::shell_step;
use crate::sim_agent::{Play, SimAgent, SimLink};
use crate::stack::client::install_provider;

const RUNS: usize = 1000;
const SERVERS: usize = 20;
/// Rounds, unless asked otherwise.
const ROUNDS: usize = 3;
/// The bar for agents after a short outage, seconds.
const MOST_OWNED_S: f64 = 15.0;
/// A person at the interface should not notice how much there is to take up again, seconds.
const MOST_ANSWER_S: f64 = 1.0;
/// Between two dials of an agent.
const DIAL_AGAIN: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_mins(3);

/// A coordinator, its agents, and their connections.
struct Side {
    coordinator: RealCoordinator,
    agents: Vec<(ServerId, SimAgent)>,
    links: Vec<SimLink>,
    runs: usize,
    started: usize,
}

#[derive(Default)]
struct Times {
    answers: Samples,
    owned: Samples,
}

/// Runs the rounds.
pub(super) async fn measure(options: &Options) -> anyhow::Result<Vec<Finding>> {
    install_provider();
    let rounds = options.rounds.unwrap_or(ROUNDS);
    let mut full = Side::start(options, "start-full", RUNS, rounds).await?;
    let mut empty = Side::start(options, "start-empty", 0, rounds).await?;
    let (mut with, mut without) = (Times::default(), Times::default());
    for round in 0..rounds {
        for turn in 0..2 {
            if (round + turn).is_multiple_of(2) {
                full.crash_and_start(&mut with).await?;
            } else {
                empty.crash_and_start(&mut without).await?;
            }
        }
    }
    full.coordinator.stop()?;
    empty.coordinator.stop()?;
    Ok(findings(with, without))
}

impl Side {
    async fn start(options: &Options, name: &str, runs: usize, rounds: usize) -> anyhow::Result<Self> {
        let mut coordinator = RealCoordinator::start(&options.coordinator, options.place.join(name)).await?;
        let mut agents: Vec<(ServerId, SimAgent)> = Vec::new();
        for number in 0..SERVERS {
            let (server, token) = coordinator.adopt(&format!("server {number}")).await?;
            let script = Arc::new(|_: &_, _| Play::Hang);
            let agent = SimAgent::join(coordinator.agents(), &token, script).await?;
            agents.push((server.parse()?, agent));
        }
        let mut projects = Vec::new();
        for number in 0..runs {
            projects.push(coordinator.project(&format!("unfinished {number}")).await?);
        }
        coordinator.stop()?;
        let deposit = coordinator.deposit().await?;
        for (project, (server, _)) in projects.into_iter().zip(agents.iter().cycle()) {
            deposit.run(project, *server, vec![apart(); rounds + 2]).await?;
        }
        deposit.close().await;
        coordinator.restart().await?;
        let mut side = Self { coordinator, agents, links: Vec::new(), runs, started: 0 };
        side.connected(side.dial()).await?;
        side.all_go_on().await?;
        Ok(side)
    }

    async fn crash_and_start(&mut self, times: &mut Times) -> anyhow::Result<()> {
        self.coordinator.kill()?;
        self.links.clear();
        for (_, agent) in &self.agents {
            agent.executor.release();
        }
        let began = Instant::now();
        let dialling = self.dial();
        self.coordinator.restart().await?;
        times.answers.push(began.elapsed().as_secs_f64());
        self.connected(dialling).await?;
        self.all_go_on().await?;
        times.owned.push(began.elapsed().as_secs_f64());
        Ok(())
    }

    /// Every agent dials until it is welcomed.
    fn dial(&self) -> Vec<JoinHandle<SimLink>> {
        let dialling = |agent: SimAgent| async move {
            loop {
                if let Ok(link) = agent.connect_welcomed().await {
                    return link;
                }
                tokio::time::sleep(DIAL_AGAIN).await;
            }
        };
        self.agents.iter().map(|(_, agent)| tokio::spawn(dialling(agent.clone()))).collect()
    }

    async fn connected(&mut self, dialling: Vec<JoinHandle<SimLink>>) -> anyhow::Result<()> {
        for link in dialling {
            self.links.push(tokio::time::timeout(PATIENCE, link).await.context("an agent is not welcomed")??);
        }
        Ok(())
    }

    /// Waits until one more step of every run has started.
    async fn all_go_on(&mut self) -> anyhow::Result<()> {
        self.started += self.runs;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let started: usize = self.agents.iter().map(|(_, agent)| agent.executor.starts().len()).sum();
            if started >= self.started {
                return Ok(());
            }
            anyhow::ensure!(Instant::now() < deadline, "{started} of {} steps have started", self.started);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// A step that needs a permit of its own.
fn apart() -> Step {
    Step { on_interrupt: InterruptPolicy::Ask, ..shell_step("true") }
}

fn findings(with: Times, without: Times) -> Vec<Finding> {
    let measured = |who, samples| Measured { who, unit: "s", samples };
    let answers = Ratio::of("the same without runs, until it answers", &with.answers, &without.answers);
    let owned = Ratio::of("the same without runs, until its agents are back", &with.owned, &without.owned);
    vec![Finding {
        title: "The start of a coordinator with 1,000 unfinished runs on 20 servers, after a crash",
        bars: vec![
            Bar { what: "seconds until it answers", is: with.answers.median(), most: MOST_ANSWER_S },
            Bar { what: "seconds until every run goes on", is: with.owned.median(), most: MOST_OWNED_S },
        ],
        curves: vec![],
        ratios: vec![answers, owned],
        measured: vec![
            measured("with 1,000 runs, until it answers", with.answers),
            measured("with none, until it answers", without.answers),
            measured("with 1,000 runs, until every run goes on", with.owned),
            measured("with none, until its agents are back", without.owned),
        ],
    }]
}
