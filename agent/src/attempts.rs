//! Which attempts a run's step host began, and how they ended: one file a run, written by the host, read by the executor.
//!
//! Rule: an attempt is in here before anything of it happens, and its end before anybody hears of it. Nothing is synced.
//! The file is for an executor that was not there: a crash of any process leaves it whole. A power cut may take its tail;
//! it takes the host too, and then an outcome that is not in here is unknown, which is true.
//! Neighbours: `host`, which appends; `run_dir`, which says where; `exec/journal`, where what was heard is durable.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use hydron_proto::wire::{StepExited, StepOutcome};
use prost::Message as _;

use crate::frames;

/// The host's end of the file.
#[derive(Debug)]
pub struct Attempts {
    file: File,
    begun: BTreeSet<(u32, u32)>,
}

impl Attempts {
    /// Opens the file, or makes it; what a power cut tore is cut off.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let (records, whole) = records(&bytes);
        if whole < bytes.len() {
            file.set_len(whole as u64)?;
        }
        Ok(Self { file, begun: records.iter().map(|record| (record.step, record.attempt)).collect() })
    }

    /// Notes that an attempt begins; false, and nothing noted, if it began before.
    pub fn begin(&mut self, step: u32, attempt: u32) -> io::Result<bool> {
        if !self.begun.insert((step, attempt)) {
            return Ok(false);
        }
        self.append(&StepExited { step, attempt, ..StepExited::default() })?;
        Ok(true)
    }

    /// Notes how an attempt ended.
    pub fn end(&mut self, exited: &StepExited) -> io::Result<()> {
        self.append(exited)
    }

    fn append(&mut self, record: &StepExited) -> io::Result<()> {
        let mut bytes = Vec::new();
        frames::put(&mut bytes, &record.encode_to_vec())?;
        self.file.write_all(&bytes)
    }
}

/// Every whole record in order. One without an outcome says that its attempt began, the others how theirs ended.
pub(crate) fn read(path: &Path) -> io::Result<Vec<StepExited>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(records(&bytes).0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Whether the record says how an attempt ended.
pub(crate) fn is_end(record: &StepExited) -> bool {
    record.outcome() != StepOutcome::Unspecified
}

/// The records up to the first that is not whole, and how many bytes they fill.
fn records(bytes: &[u8]) -> (Vec<StepExited>, usize) {
    let mut records = Vec::new();
    let mut at = 0;
    while let Some((payload, length)) = bytes.get(at..).and_then(frames::first) {
        // Attempts count from one: a stretch of zeros, as a power cut may leave, is no record.
        let Some(record) = StepExited::decode(payload).ok().filter(|record| record.attempt > 0) else {
            break;
        };
        records.push(record);
        at += length;
    }
    (records, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(step: u32) -> StepExited {
        StepExited { step, attempt: 1, outcome: StepOutcome::Succeeded.into(), ..StepExited::default() }
    }

    #[test]
    fn an_attempt_begins_once_over_any_number_of_hosts() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("attempts");
        for host in 0..3 {
            let mut attempts = Attempts::open(&path).unwrap();
            assert_eq!(attempts.begin(0, 1).unwrap(), host == 0);
            assert!(attempts.begin(1, host + 1).unwrap());
            assert!(!attempts.begin(1, host + 1).unwrap());
        }
        let begun: Vec<_> = read(&path).unwrap().iter().map(|record| (record.step, record.attempt)).collect();
        assert_eq!(begun, [(0, 1), (1, 1), (1, 2), (1, 3)]);
    }

    #[test]
    fn what_a_power_cut_tore_or_zeroed_is_no_outcome_and_the_next_host_writes_behind_what_is_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("attempts");
        let mut attempts = Attempts::open(&path).unwrap();
        attempts.begin(0, 1).unwrap();
        attempts.end(&ended(0)).unwrap();
        let whole = std::fs::read(&path).unwrap();
        let first = frames::first(&whole).unwrap().1;
        for cut in first..whole.len() {
            for zeros in [0, 1, 64] {
                let mut bytes = whole[..cut].to_vec();
                bytes.extend(vec![0; zeros]);
                std::fs::write(&path, &bytes).unwrap();
                assert_eq!(read(&path).unwrap().len(), 1, "cut at {cut}, {zeros} zeros");
                Attempts::open(&path).unwrap().end(&ended(0)).unwrap();
                assert_eq!(read(&path).unwrap().last(), Some(&ended(0)));
            }
        }
    }
}
