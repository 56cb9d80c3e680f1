//! The whole product on one machine: the released coordinator, a released agent joined to it, and approved runs that wait.
//!
//! Rule: what is timed begins with a person's request to go on and ends with what the interface streams to that person.
//! Neighbours: `deposit` (how runs get in), `delay` (when the agent is far away), `event_stream` (what the person sees).

use std::time::{Duration, Instant};

use anyhow::Context as _;
use hydron_proto::ids::{ProjectId, RunId, ServerId};
use hydron_proto::plan::Step;
use serde_json::{Value, json};

use super::Options;
use super::delay::Delay;
use super::event_stream::EventStream;
use super::hydron::agent_options;
use super::real_coordinator::RealCoordinator;
use crate::stack::agent::Agent;
use crate::stack::client::Client;

/// For a run of a benchmark.
const PATIENCE: Duration = Duration::from_mins(2);

/// A coordinator and its one agent.
pub(super) struct Product {
    coordinator: RealCoordinator,
    agent: Agent,
    server: ServerId,
    projects: usize,
    _way: Option<Delay>,
}

impl Product {
    /// Starts both in directories of their own; between them lie `rtt` there and back.
    pub(super) async fn start(options: &Options, name: &str, rtt: Duration) -> anyhow::Result<Self> {
        let place = options.place.join(name);
        let coordinator = RealCoordinator::start(&options.coordinator, place.join("c")).await?;
        let way = if rtt.is_zero() { None } else { Some(Delay::to(coordinator.agents(), rtt).await?) };
        let dialled = way.as_ref().map_or(coordinator.agents(), Delay::address);
        let (server, token) = coordinator.adopt(name).await?;
        let agent = agent_options(&options.agent, &place.join("a"), &dialled.to_string())?;
        Agent::configure(&agent)?;
        let joining = {
            let agent = agent.clone();
            tokio::task::spawn_blocking(move || Agent::join(&agent, &token))
        };
        joining.await??;
        let agent = Agent::start(agent)?;
        let product = Self { coordinator, agent, server: server.parse()?, projects: 0, _way: way };
        product.online().await?;
        Ok(product)
    }

    /// The person who watches.
    pub(super) fn client(&self) -> &Client {
        self.coordinator.client()
    }

    /// So many approved runs of these steps, each paused before its first.
    pub(super) async fn waiting(&mut self, count: usize, steps: &[Step]) -> anyhow::Result<Vec<RunId>> {
        let mut projects: Vec<ProjectId> = Vec::new();
        for _ in 0..count {
            self.projects += 1;
            projects.push(self.coordinator.project(&format!("measured {}", self.projects)).await?);
        }
        self.agent.stop()?;
        self.coordinator.stop()?;
        let deposit = self.coordinator.deposit().await?;
        let mut runs = Vec::new();
        for project in projects {
            runs.push(deposit.run(project, self.server, steps.to_vec()).await?);
        }
        deposit.close().await;
        self.coordinator.restart().await?;
        for run in &runs {
            self.client().post(&format!("/runs/{run}/pause"), json!({})).await?;
        }
        for run in &runs {
            let paused = |body: &Value| Ok(body.get("state") == Some(&json!("paused")));
            self.client().until(&format!("/runs/{run}"), PATIENCE, paused).await?;
        }
        self.agent.restart()?;
        self.online().await?;
        Ok(runs)
    }

    /// Lets a waiting run go on.
    pub(super) async fn resume(&self, run: RunId) -> anyhow::Result<()> {
        self.client().post(&format!("/runs/{run}/resume"), json!({})).await.map(drop)
    }

    /// From the request to go on to the moment at which the person reads that the run is completed.
    pub(super) async fn carry_out(&self, run: RunId) -> anyhow::Result<Duration> {
        let mut events = EventStream::open(self.client(), &format!("/runs/{run}/events")).await?;
        // What it says at once is that the run is paused.
        events.next().await?.context("an open stream says where the run stands")?;
        let began = Instant::now();
        self.resume(run).await?;
        let carried_out = async {
            while let Some(body) = events.next().await? {
                match body.get("state").and_then(Value::as_str) {
                    Some("completed") => return Ok(()),
                    Some("failed" | "stopped") => anyhow::bail!("the run ended otherwise: {body}"),
                    _going_on => {}
                }
            }
            anyhow::bail!("the stream ended before the run")
        };
        tokio::time::timeout(PATIENCE, carried_out).await.context("the run takes too long")??;
        Ok(began.elapsed())
    }

    /// Ends both.
    pub(super) fn stop(mut self) -> anyhow::Result<()> {
        self.agent.stop()?;
        self.coordinator.stop()
    }

    async fn online(&self) -> anyhow::Result<()> {
        let online = |body: &Value| Ok(body.get("online") == Some(&Value::Bool(true)));
        self.client().until(&format!("/servers/{}", self.server), PATIENCE, online).await.map(drop)
    }
}
