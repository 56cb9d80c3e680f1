//! What a run writes down and tells: the journal first, then the outbox; decisions; the audit file.
//!
//! Rule: nothing is told before it is durable.

use hydron_proto::reject::RejectCode;
use hydron_proto::wire::{self, event, from_executor, journal_record};

use super::RunTask;
use crate::exec::audit::Entry;
use crate::exec::shared::ExecError;

impl RunTask {
    pub(super) fn spool_grew(&self, key: (u32, u32), length: u64, finished: bool) {
        self.shared.outbox.update(self.directory.run, |view| {
            let spool = view.logs.entry(key).or_default();
            spool.length = spool.length.max(length);
            spool.finished |= finished;
        });
    }

    pub(super) fn event(&mut self, body: event::Body) -> Result<(), ExecError> {
        let event = wire::Event {
            run_id: self.directory.run.to_string(),
            seq: self.state.last_seq + 1,
            at_unix_ms: self.shared.clock.unix_ms(),
            body: Some(body),
        };
        self.note(journal_record::Body::Event(event))
    }

    pub(super) fn note(&mut self, body: journal_record::Body) -> Result<(), ExecError> {
        let record = wire::JournalRecord { body: Some(body) };
        self.state.apply(&record)?;
        self.pending.push(record);
        Ok(())
    }

    /// Makes what was noted durable, then tells it.
    pub(super) fn flush(&mut self) -> Result<(), ExecError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.journal.append(&self.pending).map_err(ExecError::Journal)?;
        let durable = std::mem::take(&mut self.pending);
        let epoch = self.state.epoch;
        self.shared.outbox.update(self.directory.run, |view| {
            view.epoch = epoch;
            view.events.extend(durable.into_iter().filter_map(event_of));
        });
        Ok(())
    }

    pub(super) fn decide(&self, subject: wire::DecisionSubject, epoch: u64, code: Option<RejectCode>) {
        let decision = wire::Decision {
            run_id: self.directory.run.to_string(),
            subject: subject.into(),
            code: code.map_or("", RejectCode::code).to_owned(),
            envelope_digest: self.envelope.digest.0.to_vec(),
            epoch,
        };
        self.shared.outbox.say(from_executor::Body::Decision(decision));
    }

    pub(super) fn audit(
        &self,
        subject: &str,
        code: Option<RejectCode>,
        detail: &str,
    ) -> Result<(), ExecError> {
        self.shared.audit(Entry {
            at_unix_ms: self.shared.clock.unix_ms(),
            subject: subject.to_owned(),
            run: self.directory.run.to_string(),
            decision: code.map_or("accepted", RejectCode::code).to_owned(),
            detail: detail.to_owned(),
        })
    }
}

fn event_of(record: wire::JournalRecord) -> Option<wire::Event> {
    match record.body {
        Some(journal_record::Body::Event(event)) => Some(event),
        Some(
            journal_record::Body::Permit(_) | journal_record::Body::Epoch(_) | journal_record::Body::Hold(_),
        )
        | None => None,
    }
}
