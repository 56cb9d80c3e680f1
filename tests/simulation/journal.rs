//! An agent's journal as it lies on disk, read as somebody else would read it.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use hydron_proto::wire::{JournalRecord, StepOutcome, event, journal_record};
use prost::Message as _;

use crate::agent::Disk;
use crate::template::STEPS;

/// What a journal says of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    Starting,
    Succeeded,
    Failed,
    Interrupted,
}

#[derive(Debug, Default)]
pub(crate) struct Journal {
    pub(crate) events: Vec<hydron_proto::wire::Event>,
    pub(crate) attempts: BTreeMap<(u32, u32), Known>,
    /// The epoch of the permit by which each attempt began, and the highest that was known then.
    pub(crate) epochs: BTreeMap<(u32, u32), (u64, u64)>,
    /// The epoch of every permit and hold that had an effect, and the highest that was known before.
    pub(crate) obeyed: Vec<(u64, u64)>,
    pub(crate) highest: u64,
    /// Ends that were written for an attempt that had one.
    pub(crate) second_ends: usize,
}

impl Journal {
    /// What of it would outlive a power cut. None when the run is not there (any more).
    pub(crate) fn read(path: &Path, disk: Option<&Disk>) -> Option<Self> {
        let mut bytes = std::fs::read(path).ok()?;
        let inode = std::fs::metadata(path).ok()?.ino();
        if let Some(synced) = disk.and_then(|disk| disk.synced(inode)) {
            bytes.truncate(synced as usize);
        }
        let mut journal = Self::default();
        let (mut rest, mut epoch) = (bytes.as_slice(), 0);
        while let Some((head, after)) = rest.split_first_chunk::<8>() {
            let length = u32::from_be_bytes(*head.first_chunk().unwrap()) as usize;
            let Some(payload) = after.get(..length) else { break };
            let Ok(record) = JournalRecord::decode(payload) else { break };
            rest = &after[length..];
            match record.body {
                Some(journal_record::Body::Event(event)) => journal.event(event, epoch),
                Some(journal_record::Body::Permit(permit)) => {
                    epoch = permit.epoch;
                    journal.obeyed(epoch);
                }
                // The same permit once more, from somebody who came later: the range goes on by it.
                Some(journal_record::Body::Epoch(seen)) => {
                    epoch = seen.max(epoch);
                    journal.obeyed(seen);
                }
                Some(journal_record::Body::Hold(hold)) => journal.obeyed(hold.epoch),
                None => break,
            }
        }
        Some(journal)
    }

    fn obeyed(&mut self, epoch: u64) {
        self.obeyed.push((epoch, self.highest));
        self.highest = self.highest.max(epoch);
    }

    fn event(&mut self, event: hydron_proto::wire::Event, epoch: u64) {
        match &event.body {
            Some(event::Body::StepStarting(starting)) => {
                let attempt = (starting.step, starting.attempt);
                self.attempts.insert(attempt, Known::Starting);
                self.epochs.insert(attempt, (epoch, self.highest));
            }
            Some(event::Body::StepExited(exited)) => {
                let known =
                    if exited.outcome() == StepOutcome::Succeeded { Known::Succeeded } else { Known::Failed };
                self.ended((exited.step, exited.attempt), known);
            }
            Some(event::Body::StepInterrupted(lost)) => {
                self.ended((lost.step, lost.attempt), Known::Interrupted);
            }
            _other_events => {}
        }
        self.events.push(event);
    }

    fn ended(&mut self, attempt: (u32, u32), known: Known) {
        if self.attempts.insert(attempt, known) != Some(Known::Starting) {
            self.second_ends += 1;
        }
    }

    /// The step and attempt that would be permitted next, if any.
    pub(crate) fn next(&self) -> Option<(u32, u32)> {
        match self.attempts.last_key_value() {
            None => Some((0, 1)),
            Some(((step, _), Known::Succeeded)) => Some((step + 1, 1)).filter(|(next, _)| *next < STEPS),
            Some(((step, attempt), _)) => Some((*step, attempt + 1)),
        }
    }

    /// The attempt that has begun and not ended.
    pub(crate) fn running(&self) -> Option<(u32, u32)> {
        let last = self.attempts.last_key_value().filter(|(_, known)| **known == Known::Starting);
        last.map(|(attempt, _)| *attempt)
    }

    /// How the last attempt of a step stands.
    pub(crate) fn last(&self, step: u32) -> Option<Known> {
        self.attempts.range((step, 0)..(step + 1, 0)).next_back().map(|(_, known)| *known)
    }
}
