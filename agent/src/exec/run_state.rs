//! What a run's journal says: a fold over its records, and nothing else.
//!
//! Rule: pure. The executor decides only from this state, so that a restarted one decides the same.
//! Neighbours: `journal` (where records come from), `permit` (what may start), `run_task` (which acts).

use std::collections::BTreeMap;

use hydron_proto::wire::{self, event, journal_record};

/// One run, as far as its journal tells.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct RunState {
    /// Highest epoch seen.
    pub epoch: u64,
    /// Sequence of the last event.
    pub last_seq: u64,
    /// Every step that was ever attempted.
    pub steps: BTreeMap<u32, StepState>,
    /// The range that is being walked.
    pub range: Option<Range>,
    /// The range ends at the next boundary.
    pub held: bool,
    /// The last permit that was accepted, without its secrets.
    pub last_permit: Option<PermitKey>,
    permit: Option<wire::Permit>,
}

/// A step that was attempted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StepState {
    /// The last attempt.
    pub attempt: u32,
    /// How it stands.
    pub phase: StepPhase,
}

/// How an attempt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StepPhase {
    /// Intent is durable, no result is.
    Started,
    /// Done.
    Succeeded,
    /// Failed, timed out or cancelled.
    Failed,
    /// Nobody knows.
    Interrupted,
}

/// A permit that is being walked.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Range {
    /// The permit, its secrets sealed.
    pub permit: wire::Permit,
    /// The step that is running or comes next.
    pub next: u32,
}

/// What makes a permit the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PermitKey {
    /// First step of the range.
    pub first: u32,
    /// Last step of the range.
    pub last: u32,
    /// Attempt of the first step.
    pub attempt: u32,
}

/// A journal whose records contradict each other.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the journal contradicts itself after event {0}")]
pub struct Contradiction(pub u64);

impl PermitKey {
    /// The key of a permit.
    pub(super) fn of(permit: &wire::Permit) -> Self {
        Self { first: permit.first_step, last: permit.last_step, attempt: permit.attempt }
    }
}

impl RunState {
    /// Folds all records.
    pub(super) fn fold(records: &[wire::JournalRecord]) -> Result<Self, Contradiction> {
        let mut state = Self::default();
        for record in records {
            state.apply(record)?;
        }
        Ok(state)
    }

    /// The step whose intent is durable and whose result is not.
    pub(super) fn started(&self) -> Option<(u32, u32)> {
        self.steps
            .iter()
            .find(|(_, step)| step.phase == StepPhase::Started)
            .map(|(index, step)| (*index, step.attempt))
    }

    /// Attempt with which the range's step `index` runs.
    pub(super) fn attempt_in_range(range: &Range, index: u32) -> u32 {
        if index == range.permit.first_step { range.permit.attempt } else { 1 }
    }

    /// Takes one more record.
    pub(super) fn apply(&mut self, record: &wire::JournalRecord) -> Result<(), Contradiction> {
        match &record.body {
            Some(journal_record::Body::Event(event)) => self.event(event),
            Some(journal_record::Body::Permit(permit)) => {
                self.epoch = self.epoch.max(permit.epoch);
                self.permit = Some(permit.clone());
                Ok(())
            }
            Some(journal_record::Body::Epoch(epoch)) => {
                self.epoch = self.epoch.max(*epoch);
                Ok(())
            }
            Some(journal_record::Body::Hold(hold)) => {
                self.epoch = self.epoch.max(hold.epoch);
                self.held = self.range.is_some();
                Ok(())
            }
            None => Err(Contradiction(self.last_seq)),
        }
    }

    fn event(&mut self, event: &wire::Event) -> Result<(), Contradiction> {
        let contradiction = Contradiction(self.last_seq);
        if event.seq != self.last_seq + 1 {
            return Err(contradiction);
        }
        self.last_seq = event.seq;
        match event.body.as_ref().ok_or(contradiction)? {
            event::Body::EnvelopeAccepted(_) => {}
            event::Body::PermitAccepted(accepted) => {
                let contradiction = Contradiction(self.last_seq);
                let permit = self.permit.take().ok_or(contradiction)?;
                self.last_permit = Some(PermitKey::of(&permit));
                self.range = Some(Range { permit, next: accepted.first_step });
                self.held = false;
            }
            event::Body::StepStarting(starting) => {
                let started = StepState { attempt: starting.attempt, phase: StepPhase::Started };
                self.steps.insert(starting.step, started);
            }
            event::Body::StepExited(exited) => {
                let success = exited.outcome() == wire::StepOutcome::Succeeded;
                let phase = if success { StepPhase::Succeeded } else { StepPhase::Failed };
                self.steps.insert(exited.step, StepState { attempt: exited.attempt, phase });
                if let Some(range) = &mut self.range
                    && success
                {
                    range.next = exited.step.saturating_add(1);
                }
            }
            event::Body::StepInterrupted(lost) => {
                let state = StepState { attempt: lost.attempt, phase: StepPhase::Interrupted };
                self.steps.insert(lost.step, state);
            }
            event::Body::RangeEnded(_) => {
                self.range = None;
                self.held = false;
            }
            event::Body::StepDoing(_) => return Err(Contradiction(self.last_seq)),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hydron_proto::wire::event::Body;

    pub(crate) fn event(seq: u64, body: Body) -> wire::JournalRecord {
        let event = wire::Event { run_id: "r".into(), seq, at_unix_ms: 0, body: Some(body) };
        wire::JournalRecord { body: Some(journal_record::Body::Event(event)) }
    }

    #[test]
    fn a_gap_in_the_sequence_is_a_contradiction() {
        let first = event(1, Body::EnvelopeAccepted(wire::EnvelopeAccepted::default()));
        let third = event(3, Body::RangeEnded(wire::RangeEnded::default()));
        assert_eq!(RunState::fold(&[first, third]), Err(Contradiction(1)));
    }

    #[test]
    fn a_permit_without_its_record_is_a_contradiction() {
        let accepted = event(1, Body::PermitAccepted(wire::PermitAccepted::default()));
        assert!(RunState::fold(&[accepted]).is_err());
    }

    #[test]
    fn a_range_goes_on_after_the_steps_that_succeeded() {
        let permit = wire::Permit { last_step: 2, attempt: 1, epoch: 4, ..Default::default() };
        let permit = wire::JournalRecord { body: Some(journal_record::Body::Permit(permit)) };
        let accepted = event(1, Body::PermitAccepted(wire::PermitAccepted::default()));
        let starting = event(2, Body::StepStarting(wire::StepStarting { step: 0, attempt: 1 }));
        let exited = wire::StepExited {
            attempt: 1,
            outcome: wire::StepOutcome::Succeeded.into(),
            ..Default::default()
        };
        let mut state = RunState::fold(&[permit, accepted, starting]).unwrap();
        assert_eq!((state.epoch, state.started()), (4, Some((0, 1))));
        state.apply(&event(3, Body::StepExited(exited))).unwrap();
        assert_eq!(state.started(), None);
        assert_eq!(state.range.unwrap().next, 1);
    }
}
