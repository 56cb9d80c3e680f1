//! Our side of the step benchmark: the released agent as its real processes, permits over its real link.
//!
//! Rule: what is timed begins with the permit's frame and ends when the caller has read the step's event, which leaves the
//! server only after the executor's journal is synced: that is the durable result. Neighbour: `agents_port`.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use hydron_proto::envelope::{EnvelopeDraft, EnvelopeKind, PlanDigest, sign};
use hydron_proto::ids::{ProjectId, RunId};
use hydron_proto::plan::{PlanDocument, PlanKind, RepairBounds, Step};
use hydron_proto::wire::{self, event, frame::Body};
use prost::Message as _;

use super::agents_port::{AgentsPort, Link};
use super::delay::Delay;
use super::footprint;
use crate::approved::shell_step;
use crate::stack::agent::{Agent, AgentOptions, Ports};
use crate::stack::process::free_port;

/// Steps of one plan; a step's own cost grows with the plan, and real plans have between ten and fifty.
const PLAN: u32 = 50;

/// A connected agent with a run under way.
pub(super) struct Hydron {
    agent: Agent,
    port: AgentsPort,
    link: Link,
    sequence: u64,
    run: Run,
    _way: Option<Delay>,
}

struct Run {
    id: RunId,
    digest: Vec<u8>,
    next: u32,
}

impl Hydron {
    /// Joins and starts an agent; between it and this process lie `rtt` there and back.
    pub(super) async fn start(program: &Path, root: &Path, rtt: Duration) -> anyhow::Result<Self> {
        let port = AgentsPort::bind().await?;
        let way = if rtt.is_zero() { None } else { Some(Delay::to(port.address()?, rtt).await?) };
        let dialled = way.as_ref().map_or(port.address()?, Delay::address);
        let options = agent_options(program, root, &dialled.to_string())?;
        Agent::configure(&options)?;
        let token = port.token()?;
        let joining = {
            let options = options.clone();
            tokio::task::spawn_blocking(move || Agent::join(&options, &token))
        };
        port.enroll().await?;
        joining.await??;
        let agent = Agent::start(options)?;
        let link = port.link().await?;
        Ok(Self { agent, port, link, sequence: 0, run: Run::none(), _way: way })
    }

    /// One step by one permit.
    pub(super) async fn step(&mut self) -> anyhow::Result<Duration> {
        if self.run.next == PLAN {
            self.warm_run().await?;
        }
        self.walk(self.run.next).await
    }

    /// A run of its own, all but its first step by one permit; the time of one of them.
    pub(super) async fn range(&mut self) -> anyhow::Result<Duration> {
        let kept = std::mem::replace(&mut self.run, Run::none());
        self.warm_run().await?;
        let took = self.walk(PLAN - 1).await? / (PLAN - 1);
        self.run = kept;
        Ok(took)
    }

    /// A run of these steps, from its signed plan to the end of its last step and of all output.
    pub(super) async fn whole(&mut self, steps: Vec<Step>) -> anyhow::Result<Duration> {
        let last = u32::try_from(steps.len())?.checked_sub(1).context("a plan without steps")?;
        let kept = std::mem::replace(&mut self.run, Run::none());
        let began = Instant::now();
        self.next_run(steps).await?;
        self.walk(last).await?;
        self.run = kept;
        Ok(began.elapsed())
    }

    /// Pids of all processes of the agent.
    pub(super) fn pids(&self) -> Vec<u32> {
        all_pids(&self.agent)
    }

    /// Ends the agent.
    pub(super) fn stop(mut self) -> anyhow::Result<()> {
        self.agent.stop()
    }

    /// Permits the steps from the run's next to `last`; ends with their range, and with nothing left on the way.
    async fn walk(&mut self, last: u32) -> anyhow::Result<Duration> {
        let permit = wire::Permit {
            run_id: self.run.id.to_string(),
            envelope_digest: self.run.digest.clone(),
            first_step: self.run.next,
            last_step: last,
            attempt: 1,
            epoch: 1,
            secrets: vec![],
        };
        let steps = last - self.run.next + 1;
        let mut open = Open { steps, logs: steps, range: true, outputs: BTreeMap::new() };
        let began = Instant::now();
        self.link.send(0, Body::Permit(permit)).await?;
        while open.steps > 0 {
            self.hear(&mut open).await?;
        }
        let took = began.elapsed();
        while open.logs > 0 || open.range {
            self.hear(&mut open).await?;
        }
        self.run.next = last + 1;
        Ok(took)
    }

    async fn hear(&mut self, open: &mut Open) -> anyhow::Result<()> {
        let (stream, body) = self.link.next().await?;
        if let Some(ack) = open.hear(stream, body)? {
            self.link.send(0, Body::LogAck(ack)).await?;
        }
        Ok(())
    }

    /// A new run whose step host is up: the peers' connections are warm, too.
    async fn warm_run(&mut self) -> anyhow::Result<()> {
        self.next_run(vec![trivial(); usize::try_from(PLAN)?]).await?;
        self.walk(0).await?;
        footprint::same_priority(&self.agent.pids("step-host"))
    }

    async fn next_run(&mut self, steps: Vec<Step>) -> anyhow::Result<()> {
        self.sequence += 1;
        let now = i64::try_from(std::time::UNIX_EPOCH.elapsed()?.as_millis())?;
        let plan = self.plan(steps).to_bytes()?;
        let digest = PlanDigest::of(&plan);
        let draft = EnvelopeDraft {
            kind: EnvelopeKind::Run,
            team: self.port.team,
            server: self.port.server,
            run: RunId::new(u64::try_from(now)?, rand::random()),
            not_before_unix_ms: now - 1000,
            expires_unix_ms: now + 3_600_000,
            nonce: rand::random(),
            sequence: self.sequence,
            plan,
        };
        self.run = Run { id: draft.run, digest: digest.0.to_vec(), next: 0 };
        let signed = sign(draft, "bench", &self.port.signer).encode_to_vec();
        self.link.offer(&self.run.id.to_string(), &signed).await?;
        loop {
            match self.link.next().await? {
                (_, Body::Decision(decision)) if !decision.code.is_empty() => {
                    anyhow::bail!("the executor refused the envelope: {}", decision.code)
                }
                (_, Body::Event(event)) if matches!(event.body, Some(event::Body::EnvelopeAccepted(_))) => {
                    return Ok(());
                }
                _other_frames => {}
            }
        }
    }

    fn plan(&self, steps: Vec<Step>) -> PlanDocument {
        PlanDocument {
            version: 1,
            kind: PlanKind::Provisioning,
            team: self.port.team,
            project: ProjectId::new(1, [1; 10]),
            server: self.port.server,
            steps,
            mandates: vec![],
            repair: RepairBounds { per_step: 0, per_run: 0 },
        }
    }
}

impl Run {
    /// No step is left in it.
    fn none() -> Self {
        Self { id: RunId::new(0, [0; 10]), digest: Vec::new(), next: PLAN }
    }
}

/// What a permit has started and nobody has told the end of.
struct Open {
    steps: u32,
    logs: u32,
    range: bool,
    /// Streams of output, and how far each has come.
    outputs: BTreeMap<u32, wire::LogAck>,
}

impl Open {
    #[expect(clippy::wildcard_enum_match_arm, reason = "a measurement hears what it waits for")]
    /// What is to be acknowledged: an agent sends the output of few steps at a time.
    fn hear(&mut self, stream: u32, body: Body) -> anyhow::Result<Option<wire::LogAck>> {
        match body {
            Body::Decision(decision) => anyhow::bail!("the executor refused: {}", decision.code),
            Body::StreamOpen(open) => {
                if let Some(wire::stream_open::Kind::Log(log)) = open.kind {
                    self.outputs.insert(stream, wire::LogAck { command: log.command, offset: log.offset });
                }
            }
            Body::StreamData(data) => {
                if let Some(ack) = self.outputs.get_mut(&stream) {
                    ack.offset += data.data.len() as u64;
                }
            }
            Body::StreamClose(_) => {
                self.logs = self.logs.saturating_sub(1);
                return Ok(self.outputs.remove(&stream));
            }
            Body::Event(event) => match event.body.context("an event without a body")? {
                event::Body::StepExited(exited) => {
                    let succeeded = exited.outcome() == wire::StepOutcome::Succeeded;
                    anyhow::ensure!(succeeded, "a trivial step failed: {}", exited.error_message);
                    self.steps -= 1;
                }
                event::Body::RangeEnded(_) => self.range = false,
                _other_events => {}
            },
            _other_frames => {}
        }
        Ok(None)
    }
}

/// How a benchmark's agent is configured.
///
/// Its proxy outlives it, as it must, so each has ports of its own.
pub(super) fn agent_options(program: &Path, root: &Path, coordinator: &str) -> anyhow::Result<AgentOptions> {
    Ok(AgentOptions {
        program: program.to_owned(),
        root: root.to_owned(),
        coordinator: coordinator.to_owned(),
        ports: Ports { http: free_port()?, https: free_port()? },
        source_ca: None,
        address_pool: "10.231".to_owned(),
    })
}

/// Supervisor, executor, link and step hosts.
pub(super) fn all_pids(agent: &Agent) -> Vec<u32> {
    ["run", "exec", "link", "step-host"].iter().flat_map(|role| agent.pids(role)).collect()
}

/// What every contender runs: `sh -c true`.
pub(super) fn trivial() -> Step {
    shell_step("true")
}
