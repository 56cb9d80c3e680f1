//! What a report changes: the part of the run, the attempt, the release.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Duration;

use hydron_domain::release::ReleaseState;
use hydron_domain::run::{EnvelopeState, Outcome, Report, StepFailure};
use hydron_proto::ids::{RunId, ServerId};
use hydron_proto::plan::StepResult;
use hydron_proto::reject::RejectCode;
use hydron_proto::wire;
use hydron_store::events::EventDraft;
use hydron_store::logs::LogKey;
use hydron_store::releases::Release;
use hydron_store::runs::{AttemptEnd, AttemptEnded, LoadedRun};
use hydron_store::{StoreError, TeamTx};
use serde_json::json;
use tokio::time::Instant;

use super::pending::Pending;
use crate::agents::registry::AgentHandle;
use crate::agents::report::Entry as Reported;

/// A view that was old is given this long to catch up, for every refusal in a row.
const REFUSED_PAUSE: Duration = Duration::from_millis(300);
const REFUSED_PAUSES: u32 = 30;
/// How far behind a restored backup is, nobody says: each refusal in a row doubles the guess, so many times.
const MOST_DOUBLED: u32 = 16;

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Applied {
    /// Stored, now or before; the journal is here up to this number.
    Stored(u64),
    /// One before it is missing.
    Gap,
    /// The server has no part in that run.
    Stranger,
}

/// A run that a batch changes.
pub(super) struct RunChange {
    before: LoadedRun,
    after: LoadedRun,
    /// What it releases, by server, once somebody asked.
    releases: BTreeMap<ServerId, Vec<Release>>,
}

impl RunChange {
    /// The change of a run, loaded once a batch; none if there is no such run.
    pub(super) async fn of<'a>(
        runs: &'a mut BTreeMap<RunId, Option<Self>>,
        tx: &mut TeamTx,
        run: RunId,
    ) -> Result<Option<&'a mut Self>, StoreError> {
        let change = match runs.entry(run) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let change = |loaded: LoadedRun| Self {
                    before: loaded.clone(),
                    after: loaded,
                    releases: BTreeMap::new(),
                };
                unknown.insert(tx.run_for_update(run).await?.map(change))
            }
        };
        Ok(change.as_mut())
    }

    /// Stores a journal entry, in order and once.
    pub(super) async fn event<'e>(
        &mut self,
        (tx, pending): (&mut TeamTx, &mut Pending<'e>),
        handle: &AgentHandle,
        entry: &'e Reported,
    ) -> Result<Applied, StoreError> {
        let server = handle.server;
        let Some(part) = self.after.part_mut(server) else { return Ok(Applied::Stranger) };
        if entry.journal.seq <= part.event_seq {
            return Ok(Applied::Stored(part.event_seq));
        }
        if entry.journal.seq != part.event_seq + 1 {
            return Ok(Applied::Gap);
        }
        part.event_seq = entry.journal.seq;
        let applied = part.part.apply(&entry.report, handle.epoch);
        pending.entry(entry.run, server, &entry.journal);
        match applied {
            Ok(()) => self.follow((tx, pending), handle, entry).await?,
            Err(unexpected) => {
                tracing::error!(run = %entry.run, %server, %unexpected, "a report of run {} makes no sense", entry.run);
            }
        }
        Ok(Applied::Stored(entry.journal.seq))
    }

    /// Attempts and releases follow the journal.
    async fn follow(
        &mut self,
        (tx, pending): (&mut TeamTx, &mut Pending<'_>),
        handle: &AgentHandle,
        entry: &Reported,
    ) -> Result<(), StoreError> {
        let (server, at) = (handle.server, entry.journal.at);
        let attempt_of = |step, attempt| LogKey { run: entry.run, server, step, attempt };
        match &entry.report {
            Report::EnvelopeAccepted | Report::PermitAccepted { .. } | Report::RangeEnded { .. } => Ok(()),
            Report::StepStarting { step, attempt } => {
                pending.started(attempt_of(*step, *attempt), at);
                self.release_becomes(tx, server, *step, ReleaseState::Starting).await
            }
            Report::StepInterrupted { step, attempt, why } => {
                let failure = StepFailure { code: "interrupted".to_owned(), message: why.clone() };
                let end = AttemptEnd::Interrupted(failure);
                pending.ended(attempt_of(*step, *attempt), AttemptEnded { at, end, log: None });
                Ok(())
            }
            Report::StepExited { step, attempt, outcome } => {
                let exit = entry.exit.as_ref();
                let result = exit.and_then(|exit| exit.result.clone());
                let end = match outcome {
                    Outcome::Succeeded => AttemptEnd::Succeeded {
                        result: result.clone(),
                        already_done: exit.is_some_and(|exit| exit.already_done),
                    },
                    Outcome::Failed(failure) => AttemptEnd::Failed(failure.clone()),
                };
                let log = exit.map(|exit| exit.log.clone());
                pending.ended(attempt_of(*step, *attempt), AttemptEnded { at, end, log });
                match (outcome, &result) {
                    (Outcome::Succeeded, Some(result)) => self.succeeded(tx, handle, at, result).await,
                    (Outcome::Succeeded, None) => Ok(()),
                    (Outcome::Failed(_), _) => {
                        self.release_becomes(tx, server, *step, ReleaseState::Failed).await
                    }
                }
            }
        }
    }

    /// The release of a step, if it has one that may, enters a state that is not live.
    async fn release_becomes(
        &mut self,
        tx: &mut TeamTx,
        server: ServerId,
        step: u32,
        state: ReleaseState,
    ) -> Result<(), StoreError> {
        let releases = match self.releases.entry(server) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(tx.releases_of_run(self.after.run.id, server).await?),
        };
        for release in releases.iter_mut().filter(|release| release.step == step) {
            if release.state.may_become(state) {
                tx.set_release_state(release.id, state).await?;
                release.state = state;
            }
        }
        Ok(())
    }

    async fn succeeded(
        &mut self,
        tx: &mut TeamTx,
        handle: &AgentHandle,
        at: i64,
        result: &StepResult,
    ) -> Result<(), StoreError> {
        match result {
            StepResult::Released { service, release, image_id, .. } => {
                tx.make_release_live(*service, handle.server, *release, image_id, at).await?;
                self.releases.clear();
                let project = self.after.run.project;
                let data = json!({ "service": service, "server": handle.server, "release": release });
                tx.event(EventDraft::new("release.live", release, data).in_project(project));
            }
            StepResult::Routed { url, .. } => {
                if self.after.run.url.is_none() {
                    self.after.run.url = Some(url.clone());
                }
            }
            StepResult::Done {}
            | StepResult::CheckedOut { .. }
            | StepResult::Image { .. }
            | StepResult::Probed { .. }
            | StepResult::Inventory { .. } => {}
        }
        Ok(())
    }

    /// The executor's answer to an envelope, a permit or a hold. What it answers to somebody who drove the run before, or to
    /// a frame that the network kept, says nothing about the permit that is out: that one may be accepted.
    pub(super) async fn decision(
        &mut self,
        tx: &mut TeamTx,
        handle: &AgentHandle,
        decision: &wire::Decision,
    ) -> Result<(), StoreError> {
        let run = self.after.run.id;
        let is_over = self.after.run.head.state.is_over();
        let Some(loaded) = self.after.part_mut(handle.server) else { return Ok(()) };
        let part = &mut loaded.part;
        let sent = handle.sent(run);
        let about = Some(decision.epoch);
        let is_answered = match decision.subject() {
            wire::DecisionSubject::Permit => about == sent.permit,
            wire::DecisionSubject::Unspecified
            | wire::DecisionSubject::Envelope
            | wire::DecisionSubject::Control => about == sent.hold || about == sent.confirm,
        };
        match (decision.subject(), decision.code.as_str()) {
            (wire::DecisionSubject::Envelope, "") => part.envelope = EnvelopeState::Accepted,
            (wire::DecisionSubject::Envelope, code) => {
                if part.envelope == EnvelopeState::Signed {
                    part.envelope = EnvelopeState::Refused(known_code(code));
                }
            }
            (wire::DecisionSubject::Control, "") if about == sent.hold => part.nothing_runs(),
            (wire::DecisionSubject::Unspecified, _)
            | (wire::DecisionSubject::Control | wire::DecisionSubject::Permit, "") => {}
            (wire::DecisionSubject::Control | wire::DecisionSubject::Permit, code) => {
                let permit_asked = decision.subject() == wire::DecisionSubject::Permit;
                tracing::info!(%run, server = %handle.server, code, "the executor of {} refused", handle.server);
                match RejectCode::from_code(code) {
                    Some(
                        RejectCode::StaleEpoch
                        | RejectCode::UnknownRun
                        | RejectCode::Busy
                        | RejectCode::AlreadyDone
                        | RejectCode::WrongAttempt
                        | RejectCode::OutOfOrder,
                    ) if !is_answered => {}
                    Some(RejectCode::StaleEpoch) => {
                        let further = 1_u64 << sent.refusals.min(MOST_DOUBLED);
                        tx.raise_epoch(run, decision.epoch.saturating_add(further)).await?;
                        try_again(handle, run);
                        part.permit_refused();
                    }
                    Some(RejectCode::UnknownRun) => {
                        try_again(handle, run);
                        handle.note(run, |sent| sent.offered = false);
                        part.permit_refused();
                        part.envelope = EnvelopeState::Signed;
                    }
                    Some(
                        RejectCode::Busy
                        | RejectCode::AlreadyDone
                        | RejectCode::WrongAttempt
                        | RejectCode::OutOfOrder,
                    ) => {
                        try_again(handle, run);
                        part.permit_refused();
                    }
                    // Said at every connection, also of runs that have ended since.
                    Some(RejectCode::JournalLost) if is_over => {}
                    Some(RejectCode::JournalLost) => part.journal_lost(known_code(code)),
                    Some(_) | None if permit_asked => {
                        part.permit_refused();
                        part.envelope = EnvelopeState::Refused(known_code(code));
                    }
                    Some(_) | None => {}
                }
            }
        }
        Ok(())
    }

    /// Writes what has changed, and tells the team.
    pub(super) async fn save(self, tx: &mut TeamTx) -> Result<(), StoreError> {
        if self.before == self.after {
            return Ok(());
        }
        tx.save_run(&self.before, &self.after).await?;
        let run = &self.after.run;
        tx.event(
            EventDraft::new("run.changed", run.id, json!({ "state": run.head.state.word() }))
                .in_project(run.project),
        );
        Ok(())
    }
}

/// Gives the journal time to explain why the view here was old.
fn try_again(handle: &AgentHandle, run: RunId) {
    handle.note(run, |sent| {
        sent.refusals = sent.refusals.saturating_add(1);
        sent.quiet_until = Some(Instant::now() + REFUSED_PAUSE * sent.refusals.min(REFUSED_PAUSES));
    });
}

/// Only codes of the closed list are kept; anything else is no code of ours.
fn known_code(code: &str) -> String {
    RejectCode::from_code(code).map_or("UNKNOWN", RejectCode::code).to_owned()
}
