//! Who sees everything and says what must not be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hydron_agent::run_dir::RunDir;
use hydron_domain::run::{RunState, StepState};
use hydron_proto::ids::RunId;
use hydron_store::Store;
use hydron_store::logs::LogKey;
use tokio_tungstenite::tungstenite::Message;

use crate::agent::Disk;
use crate::journal::{Journal, Known};
use crate::story::Told;
use crate::template::STEPS;
use crate::world::World;

#[derive(Debug, Default)]
pub(crate) struct Witness {
    pub(crate) told: Told,
    /// Permits and holds that were once sent.
    pub(crate) old_frames: Vec<Message>,
    pub(crate) disk: Option<Arc<Disk>>,
    /// Attempts that began, and the output of those that ended well.
    begun: BTreeSet<(RunId, u32, u32)>,
    outputs: BTreeMap<(RunId, u32, u32), Vec<u8>>,
    acknowledged: BTreeMap<RunId, u64>,
    stored: BTreeMap<RunId, u64>,
    failures: BTreeMap<String, u32>,
    adopted: BTreeSet<(RunId, u32)>,
}

impl Witness {
    /// A step host is told to begin: I1, I2, I7.
    pub(crate) fn begins(&mut self, world: &World, run: RunId, (step, attempt): (u32, u32), first: bool) {
        let at = format!("{run} {step}.{attempt}");
        assert!(self.begun.insert((run, step, attempt)) && first, "I1: {at} begins twice, or beside another");
        let journal = self.journal(world, run).unwrap_or_else(|| panic!("I2: {at} begins without a journal"));
        assert_eq!(
            journal.attempts.get(&(step, attempt)),
            Some(&Known::Starting),
            "I2: {at} has no durable intent"
        );
        for before in 0..step {
            let known = journal.last(before);
            let passed = known == Some(Known::Succeeded)
                || known == Some(Known::Interrupted) && self.adopted.contains(&(run, before));
            assert!(passed, "I2: {at} begins after step {before}, which is {known:?}");
        }
        let (epoch, highest) = journal.epochs[&(step, attempt)];
        assert_eq!(epoch, highest, "I7: {at} begins by epoch {epoch} when {highest} was known");
        self.told.steps += 1;
    }

    /// A step did all it had to do.
    pub(crate) fn worked(&mut self, run: RunId, (step, attempt): (u32, u32), output: Vec<u8>) {
        self.outputs.insert((run, step, attempt), output);
    }

    pub(crate) fn has_worked(&self, run: RunId, step: u32) -> bool {
        self.outputs.range((run, step, 0)..(run, step + 1, 0)).next().is_some()
    }

    /// A person said what becomes of a step whose outcome nobody knows.
    pub(crate) fn resolved(&mut self, run: RunId, step: u32, adopted: bool) {
        self.told.unknown += 1;
        if adopted {
            self.adopted.insert((run, step));
        }
    }

    pub(crate) fn note_failure(&mut self, code: &str) {
        *self.failures.entry(code.to_owned()).or_default() += 1;
    }

    /// The link tells an event: nothing is told before it is durable.
    pub(crate) fn told_event(&mut self, world: &World, run: &str, seq: u64) {
        let Ok(run) = run.parse() else { return };
        let Some(journal) = self.journal(world, run) else { return };
        let known = journal.events.len() as u64;
        assert!(seq <= known, "event {seq} of {run} is told, and durable are {known}");
    }

    pub(crate) fn acknowledged(&mut self, run: &str, seq: u64) {
        if let Ok(run) = run.parse() {
            let known = self.acknowledged.entry(run).or_default();
            *known = seq.max(*known);
        }
    }

    fn journal(&self, world: &World, run: RunId) -> Option<Journal> {
        Journal::read(&RunDir::new(&world.root, run).journal(), self.disk.as_deref())
    }
}

/// What is stored, seen by somebody who has nothing to do with either coordinator.
pub(crate) struct Auditor {
    runtime: tokio::runtime::Runtime,
    store: Store,
    world: Arc<World>,
}

impl Auditor {
    pub(crate) fn new(world: Arc<World>) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let config = crate::template::config(world.data.clone());
        let store = runtime.block_on(Store::open_beside(&config.database)).unwrap();
        Self { runtime, store, world }
    }

    /// What was acknowledged is stored, what was stored stays, and nothing is stored that no journal says; I3.
    pub(crate) fn look(&self) {
        let team = self.store.team(self.world.template.team);
        for run in &self.world.template.runs {
            let position = self.runtime.block_on(team.journal_position(*run, self.world.template.server));
            let stored = position.unwrap().unwrap_or(0);
            let mut witness = self.world.witness();
            let acknowledged = witness.acknowledged.get(run).copied().unwrap_or(0);
            assert!(
                stored >= acknowledged,
                "{run}: acknowledged up to {acknowledged}, stored up to {stored}"
            );
            let before = witness.stored.insert(*run, stored).unwrap_or(0);
            assert!(stored >= before, "{run}: stored up to {before} once, and up to {stored} now");
            if let Some(journal) = witness.journal(&self.world, *run) {
                let known = journal.events.len() as u64;
                assert!(stored <= known, "{run}: stored up to {stored}, and its journal ends at {known}");
                assert_eq!(journal.second_ends, 0, "I3: an attempt of {run} ended twice");
            }
        }
    }

    /// Whether every run is over.
    pub(crate) fn all_over(&self) -> bool {
        let team = self.store.team(self.world.template.team);
        let over = |run: &RunId| {
            let run = self.runtime.block_on(team.run(*run)).unwrap().unwrap();
            matches!(run.head.state, RunState::Completed | RunState::Stopped)
        };
        self.world.template.runs.iter().all(over)
    }

    /// Whether every word of every journal has come.
    pub(crate) fn is_complete(&self) -> bool {
        let team = self.store.team(self.world.template.team);
        self.world.template.runs.iter().all(|run| {
            let stored = self.runtime.block_on(team.journal_position(*run, self.world.template.server));
            let journal = self.world.witness().journal(&self.world, *run);
            // A run that was forgotten was complete.
            let Some(journal) = journal else { return true };
            let logs = self.runtime.block_on(team.log_positions(*run, self.world.template.server)).unwrap();
            let whole = |(step, attempt, _, finished): &(u32, u32, u64, bool)| {
                *finished || journal.attempts.get(&(*step, *attempt)) != Some(&Known::Succeeded)
            };
            stored.unwrap() == Some(journal.events.len() as u64) && logs.iter().all(whole)
        })
    }

    /// At the end: every run completed, each step as often as was known, and what it said is what is stored: I3, I4.
    pub(crate) fn judge(&self) {
        let team = self.store.team(self.world.template.team);
        let server = self.world.template.server;
        for run in &self.world.template.runs {
            let detail = self.runtime.block_on(team.run_detail(*run)).unwrap().unwrap();
            let witness = self.world.witness();
            let failures = &witness.failures;
            assert_eq!(detail.run.head.state, RunState::Completed, "{run} {failures:?} {detail:#?}");
            let steps = &detail.parts[0].steps;
            assert_eq!(steps.len(), STEPS as usize);
            for step in steps {
                assert_eq!(step.state, StepState::Completed);
                assert!(witness.has_worked(*run, step.index), "{run}: step {} never worked", step.index);
            }
            for ((_, step, attempt), output) in witness.outputs.range((*run, 0, 0)..(*run, STEPS, 0)) {
                let key = LogKey { run: *run, server, step: *step, attempt: *attempt };
                let stored = self.runtime.block_on(team.read_log(key, 0, usize::MAX >> 1)).unwrap().bytes;
                let known = self.runtime.block_on(team.log_position(key)).unwrap();
                let state = known.map(|known| known.state).unwrap_or_default();
                let of = format!("I4: {run} {step}.{attempt}, which is {state}");
                assert!(output.starts_with(&stored), "{of}: stored otherwise than it was said");
                assert!(state != "damaged", "{of}");
                // The output of an attempt that was given up may end before what it last said.
                assert!(state != "verified" || stored.len() == output.len(), "{of}: {} bytes", stored.len());
            }
        }
    }

    /// The server is taken out.
    pub(crate) fn revoke(&self) {
        let actor = hydron_domain::identity::Actor::System { name: "test" };
        let now = self.world.clock(crate::world::Node::A);
        let revoked = async {
            let mut tx = self.store.team(self.world.template.team).begin(&actor, now).await?;
            tx.revoke_server(self.world.template.server).await?;
            tx.commit().await
        };
        self.runtime.block_on(revoked).unwrap();
    }
}
