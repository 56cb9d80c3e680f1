//! The journal of one run: an append-only file of records, each durable before anything follows from it.
//!
//! Rule: a torn tail is cut off (it was never acted on); damage anywhere else makes the whole run unreadable, and the
//! run is set aside rather than guessed at. A journal whose sync failed is not written to again: whoever opens it next
//! writes anew what it read. Neighbour: `run_state`, which folds the records.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use hydron_proto::wire::JournalRecord;
use prost::Message as _;

use crate::durable;
use crate::fault;
use crate::frames;

/// A journal that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum JournalError {
    /// The file system says no.
    #[error("the journal cannot be read or written")]
    Io(#[from] io::Error),
    /// Bytes that were durable have changed.
    #[error("the journal is damaged at byte {0}")]
    Damaged(usize),
}

/// An open journal.
#[derive(Debug)]
pub(super) struct Journal(File);

impl Journal {
    /// Opens a journal, or makes an empty one; returns what it holds, and all of that is durable.
    ///
    /// What can be read need not be on the disk: its writer may have died before the sync, or the sync has failed, and
    /// then the kernel calls the pages clean, and syncing them again says nothing. In a new file they are written or an error.
    pub(super) fn open(path: &Path) -> Result<(Self, Vec<JournalRecord>), JournalError> {
        let records = match std::fs::read(path) {
            Ok(bytes) => {
                let (records, whole) = read(&bytes)?;
                durable::write(path, bytes.get(..whole).unwrap_or_default(), 0o600)?;
                records
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
                durable::sync_directory(path.parent().unwrap_or(path))?;
                Vec::new()
            }
            Err(error) => return Err(error.into()),
        };
        Ok((Self(OpenOptions::new().append(true).open(path)?), records))
    }

    /// Makes records durable: one write, one sync.
    pub(super) fn append(&mut self, records: &[JournalRecord]) -> io::Result<()> {
        let mut bytes = Vec::new();
        for record in records {
            frames::put(&mut bytes, &record.encode_to_vec())?;
        }
        fault::point();
        let before = fault::length(&self.0);
        self.0.write_all(&bytes)?;
        fault::written(&self.0, before);
        self.0.sync_data()?;
        fault::synced(&self.0);
        fault::point();
        Ok(())
    }
}

/// The records, and how many bytes they fill.
pub(super) fn read(bytes: &[u8]) -> Result<(Vec<JournalRecord>, usize), JournalError> {
    let mut records = Vec::new();
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        match record(rest) {
            Some((record, length)) => {
                records.push(record);
                at += length;
            }
            None if is_torn_tail(rest) => break,
            None => return Err(JournalError::Damaged(at)),
        }
    }
    Ok((records, at))
}

fn record(bytes: &[u8]) -> Option<(JournalRecord, usize)> {
    let (payload, length) = frames::first(bytes)?;
    // A stretch of zeros, as some file systems leave after a power cut, would pass as records without a body.
    let record = JournalRecord::decode(payload).ok().filter(|record| record.body.is_some())?;
    Some((record, length))
}

/// A write that a crash cut short is the last thing in the file: no whole record can begin anywhere behind it.
fn is_torn_tail(bytes: &[u8]) -> bool {
    (1..bytes.len()).all(|at| bytes.get(at..).is_none_or(|rest| record(rest).is_none()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hydron_proto::wire::journal_record::Body;
    use proptest::prelude::*;

    fn epochs(range: std::ops::Range<u64>) -> Vec<JournalRecord> {
        range.map(|epoch| JournalRecord { body: Some(Body::Epoch(epoch + 1)) }).collect()
    }

    #[test]
    fn a_tail_torn_anywhere_leaves_the_records_before_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal.log");
        Journal::open(&path).unwrap().0.append(&epochs(0..3)).unwrap();
        let whole = std::fs::read(&path).unwrap();
        let each = whole.len() / 3;
        for cut in 0..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let (mut journal, records) = Journal::open(&path).unwrap();
            assert_eq!(records, epochs(0..(cut / each) as u64), "cut at {cut}");
            journal.append(&epochs(7..8)).unwrap();
            let (_, records) = Journal::open(&path).unwrap();
            assert_eq!(records.len(), cut / each + 1);
        }
    }

    #[test]
    fn damage_before_the_tail_is_never_taken_for_a_torn_tail() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal.log");
        Journal::open(&path).unwrap().0.append(&epochs(0..3)).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() / 3 * 2 {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x10;
            std::fs::write(&path, damaged).unwrap();
            assert!(matches!(Journal::open(&path), Err(JournalError::Damaged(_))), "byte {at}");
        }
    }

    /// The pages of a file whose sync failed are clean and not on the disk; only a file that is written anew has them.
    #[test]
    fn what_was_read_is_written_anew() {
        use std::os::unix::fs::MetadataExt as _;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal.log");
        Journal::open(&path).unwrap().0.append(&epochs(0..3)).unwrap();
        let before = std::fs::metadata(&path).unwrap();
        let (mut journal, records) = Journal::open(&path).unwrap();
        let after = std::fs::metadata(&path).unwrap();
        assert_ne!(before.ino(), after.ino());
        assert_eq!((before.len(), before.mode()), (after.len(), after.mode()));
        assert_eq!(records, epochs(0..3));
        journal.append(&epochs(3..4)).unwrap();
        assert_eq!(Journal::open(&path).unwrap().1, epochs(0..4));
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
            let _ = read(&bytes);
        }
    }
}
