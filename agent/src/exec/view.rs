//! What attached links are told of a run that begins here or is found again: its events, and its spools.
//!
//! Rule: from the journal alone. Neighbours: `runs` (which finds it), `outbox` (which keeps it).

use std::collections::BTreeMap;

use hydron_proto::envelope::VerifiedEnvelope;
use hydron_proto::wire::{self, event, journal_record};

use super::outbox::{RunView, SpoolKey, SpoolView};
use super::run_state::RunState;
use crate::run_dir::RunDir;

/// The view of a run.
pub(super) fn view(
    directory: &RunDir,
    envelope: &VerifiedEnvelope,
    state: &RunState,
    records: &[wire::JournalRecord],
) -> RunView {
    let events = records.iter().filter_map(|record| match &record.body {
        Some(journal_record::Body::Event(event)) => Some(event.clone()),
        _other_records => None,
    });
    RunView {
        digest: envelope.digest,
        epoch: state.epoch,
        events: events.collect(),
        logs: spools(directory, state, records),
        doing: (0, None),
        version: 0,
    }
}

/// Every attempt of which the journal knows has its spool: what the step host noted of it may be gone with the power.
fn spools(
    directory: &RunDir,
    state: &RunState,
    records: &[wire::JournalRecord],
) -> BTreeMap<SpoolKey, SpoolView> {
    let starting = |record: &wire::JournalRecord| match &record.body {
        Some(journal_record::Body::Event(wire::Event {
            body: Some(event::Body::StepStarting(starting)),
            ..
        })) => Some((starting.step, starting.attempt)),
        _other_records => None,
    };
    let spool = |key: SpoolKey| {
        let length = directory.spool_length(key.0, key.1);
        (key, SpoolView { length, finished: state.started() != Some(key) })
    };
    records.iter().filter_map(starting).map(spool).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::root::Root;

    /// The power failed before what the step host noted was on the disk; the spool and the journal were.
    #[test]
    fn output_is_offered_although_the_notes_of_the_step_host_are_gone() {
        let files = tempfile::tempdir().unwrap();
        let directory =
            RunDir::new(&Root::new(files.path()), "run_01a3185c50007c46be563ac291b1138c".parse().unwrap());
        std::fs::create_dir_all(directory.spool(0, 1).parent().unwrap()).unwrap();
        std::fs::write(directory.spool(0, 1), "output").unwrap();
        let event = |seq, body| {
            let event = wire::Event { seq, body: Some(body), ..wire::Event::default() };
            wire::JournalRecord { body: Some(journal_record::Body::Event(event)) }
        };
        let starting = wire::StepStarting { step: 0, attempt: 1 };
        let outcome = wire::StepOutcome::Succeeded.into();
        let exited = wire::StepExited { step: 0, attempt: 1, outcome, ..wire::StepExited::default() };
        let records =
            [event(1, event::Body::StepStarting(starting)), event(2, event::Body::StepExited(exited))];
        let state = RunState::fold(&records).unwrap();
        let spools = spools(&directory, &state, &records);
        assert_eq!(spools, BTreeMap::from([((0, 1), SpoolView { length: 6, finished: true })]));
    }
}
