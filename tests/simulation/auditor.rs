//! What is stored, seen by somebody who has nothing to do with either coordinator.

use std::sync::Arc;

use hydron_domain::identity::Actor;
use hydron_domain::run::{RunState, StepState};
use hydron_proto::ids::RunId;
use hydron_store::Store;
use hydron_store::logs::LogKey;
use hydron_store::runs::{RunDetail, StepDetail};

use crate::journal::Known;
use crate::needle;
use crate::persons::Stop;
use crate::template::STEPS;
use crate::world::{Node, World};

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

    /// What was acknowledged is stored, what was stored stays, nothing is stored that no journal says; I6.
    pub(crate) fn look(&self) {
        let team = self.store.team(self.world.template.team);
        for run in &self.world.template.runs {
            let position = self.runtime.block_on(team.journal_position(*run, self.world.template.server));
            let stored = position.unwrap().unwrap_or(0);
            let state = self.runtime.block_on(team.run(*run)).unwrap().unwrap().head.state;
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
            }
            witness.is_over(*run, &state);
        }
    }

    /// I5: no file of the agent can be read for the secret.
    pub(crate) fn search(&self) {
        assert!(!needle::is_below(self.world.root.path()), "I5: the secret is in a file of the agent");
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

    /// At the end: every run completed or was stopped, and what was said is what is stored: I3, I4.
    pub(crate) fn judge(&self) {
        let team = self.store.team(self.world.template.team);
        for run in &self.world.template.runs {
            let detail = self.runtime.block_on(team.run_detail(*run)).unwrap().unwrap();
            self.judge_state(*run, &detail);
            assert_eq!(detail.parts[0].steps.len(), STEPS as usize);
            for step in &detail.parts[0].steps {
                self.judge_step(*run, step, &detail.run.head.state);
            }
            self.judge_output(*run);
        }
        self.search();
    }

    /// Stopped are exactly the runs that somebody stopped.
    fn judge_state(&self, run: RunId, detail: &RunDetail) {
        let witness = self.world.witness();
        let stop = witness.persons.stopped(run);
        let honest = match detail.run.head.state {
            RunState::Completed => stop != Some(Stop::Surely),
            RunState::Stopped => stop.is_some(),
            RunState::Started | RunState::InProgress | RunState::Paused | RunState::Failed(_) => false,
        };
        assert!(honest, "{run}, to be stopped: {stop:?}, {:?} {detail:#?}", witness.failures);
    }

    fn judge_step(&self, run: RunId, step: &StepDetail, end: &RunState) {
        let mut witness = self.world.witness();
        let worked = witness.has_worked(run, step.index);
        let journal = witness.journal(&self.world, run);
        let succeeded = journal.is_some_and(|journal| journal.last(step.index) == Some(Known::Succeeded));
        let stopped = *end == RunState::Stopped;
        let honest = match step.state {
            StepState::Completed => worked,
            StepState::Skipped => stopped && !succeeded,
            StepState::Unknown => stopped,
            StepState::Pending | StepState::Running | StepState::Failed => false,
        };
        assert!(honest, "{run}: it worked: {worked}, {step:?}");
    }

    fn judge_output(&self, run: RunId) {
        let team = self.store.team(self.world.template.team);
        let server = self.world.template.server;
        let witness = self.world.witness();
        for ((_, step, attempt), output) in witness.outputs.range((run, 0, 0)..(run, STEPS, 0)) {
            let key = LogKey { run, server, step: *step, attempt: *attempt };
            let stored = self.runtime.block_on(team.read_log(key, 0, usize::MAX >> 1)).unwrap().bytes;
            let known = self.runtime.block_on(team.log_position(key)).unwrap();
            let state = known.map(|known| known.state).unwrap_or_default();
            let of = format!("I4: {run} {step}.{attempt}, which is {state}");
            assert!(output.starts_with(&stored), "{of}: stored otherwise than it was said");
            assert!(state != "damaged", "{of}");
            assert!(!needle::is_in(&stored), "I5: {run} {step}.{attempt}: the secret is stored");
            // The output of an attempt that was given up may end before what it last said.
            assert!(state != "verified" || stored.len() == output.len(), "{of}: {} bytes", stored.len());
        }
    }

    /// The server is taken out.
    pub(crate) fn revoke(&self) {
        let actor = Actor::System { name: "test" };
        let now = self.world.clock(Node::A);
        let revoked = async {
            let mut tx = self.store.team(self.world.template.team).begin(&actor, now).await?;
            tx.revoke_server(self.world.template.server).await?;
            tx.commit().await
        };
        self.runtime.block_on(revoked).unwrap();
    }
}
