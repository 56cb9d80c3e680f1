//! What a batch adds to journals and attempts, written together: a statement for all of it instead of two an entry.
//!
//! Rule: written before anything else of the batch that looks at these rows, and at its end.

use std::collections::BTreeMap;

use hydron_proto::ids::{RunId, ServerId};
use hydron_store::logs::LogKey;
use hydron_store::runs::{AttemptChange, AttemptEnded, JournalEntry};
use hydron_store::{StoreError, TeamTx};

/// Rows that are not written yet.
#[derive(Debug, Default)]
pub(super) struct Pending<'a> {
    journal: Vec<(RunId, ServerId, &'a JournalEntry)>,
    attempts: BTreeMap<LogKey, AttemptChange>,
}

impl<'a> Pending<'a> {
    /// An entry that follows on what is stored.
    pub(super) fn entry(&mut self, run: RunId, server: ServerId, entry: &'a JournalEntry) {
        self.journal.push((run, server, entry));
    }

    /// An attempt began.
    pub(super) fn started(&mut self, attempt: LogKey, at: i64) {
        self.attempts.entry(attempt).or_default().started_at = Some(at);
    }

    /// An attempt ended.
    pub(super) fn ended(&mut self, attempt: LogKey, ended: AttemptEnded) {
        self.attempts.entry(attempt).or_default().ended = Some(ended);
    }

    /// Writes them.
    pub(super) async fn write(&mut self, tx: &mut TeamTx) -> Result<(), StoreError> {
        tx.insert_journal(&std::mem::take(&mut self.journal)).await?;
        tx.change_attempts(&std::mem::take(&mut self.attempts)).await
    }
}
