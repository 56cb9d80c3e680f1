//! A coordinator and agents that only report: each has a run of its own whose permit it holds.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures_util::future::try_join_all;
use hydron_proto::ids::{RunId, ServerId};

use super::producer::Producer;
use crate::approved::shell_step;
use crate::bench::Options;
use crate::bench::real_coordinator::RealCoordinator;
use crate::sim_agent::{Play, SimAgent};

/// Where the rounds take place.
pub(in crate::bench) struct Ground {
    /// The coordinator.
    pub coordinator: RealCoordinator,
    agents: Vec<(ServerId, SimAgent)>,
    steps: usize,
    projects: usize,
    newest: Option<(RunId, ServerId)>,
}

impl Ground {
    /// A coordinator with so many agents; their runs will have so many steps.
    pub(in crate::bench) async fn start(
        options: &Options,
        data_dir: PathBuf,
        database_url: Option<String>,
        (agents, steps): (usize, usize),
    ) -> anyhow::Result<Self> {
        let coordinator = RealCoordinator::start_on(&options.coordinator, data_dir, database_url).await?;
        let mut joined = Vec::new();
        for number in 0..agents {
            let (server, token) = coordinator.adopt(&format!("server {number}")).await?;
            let script = std::sync::Arc::new(|_: &_, _| Play::done(""));
            joined.push((server.parse()?, SimAgent::join(coordinator.agents(), &token, script).await?));
        }
        Ok(Self { coordinator, agents: joined, steps, projects: 0, newest: None })
    }

    /// Every agent is connected and holds the permit of a new run.
    pub(in crate::bench) async fn ready(&mut self) -> anyhow::Result<Vec<Producer>> {
        let mut projects = Vec::new();
        for _ in &self.agents {
            self.projects += 1;
            projects.push(self.coordinator.project(&format!("reported {}", self.projects)).await?);
        }
        self.coordinator.stop()?;
        let deposit = self.coordinator.deposit().await?;
        for (project, (server, _)) in projects.into_iter().zip(&self.agents) {
            let run = deposit.run(project, *server, vec![shell_step("true"); self.steps]).await?;
            self.newest = Some((run, *server));
        }
        deposit.close().await;
        self.coordinator.restart().await?;
        let connecting = self.agents.iter().map(|(_, agent)| Producer::connect(agent));
        try_join_all(connecting).await
    }

    /// The run that was made last, and its server.
    pub(in crate::bench) fn newest(&self) -> anyhow::Result<(RunId, ServerId)> {
        self.newest.context("no run was made yet")
    }

    /// Lets all of them report; how many entries that were, and how long until the last was acknowledged.
    pub(in crate::bench) async fn report(producers: Vec<Producer>) -> anyhow::Result<(usize, Duration)> {
        let began = Instant::now();
        let reporting: Vec<_> =
            producers.into_iter().map(|producer| tokio::spawn(producer.report())).collect();
        let mut entries = 0;
        for reported in try_join_all(reporting).await? {
            entries += reported?;
        }
        Ok((entries, began.elapsed()))
    }
}
