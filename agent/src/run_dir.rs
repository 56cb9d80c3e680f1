//! The directory of one run: what lies where. Shared by the executor, which owns it, and the run's step host.
//!
//! Rule: everything of a run is in here, so that forgetting it is removing one directory.

use std::io;
use std::path::{Path, PathBuf};

use hydron_proto::ids::RunId;
use hydron_proto::wire::{self, StepExited};
use prost::Message as _;

use crate::attempts;
use crate::root::Root;

/// One run's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDir {
    /// The run.
    pub run: RunId,
    path: PathBuf,
}

impl RunDir {
    /// The directory of a run, there or not.
    pub fn new(root: &Root, run: RunId) -> Self {
        Self { run, path: root.run(run) }
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The signed envelope, exactly as it came.
    pub fn envelope(&self) -> PathBuf {
        self.path.join("envelope")
    }

    /// The journal.
    pub fn journal(&self) -> PathBuf {
        self.path.join("journal.log")
    }

    /// Held by the step host as long as it lives.
    pub fn host_lock(&self) -> PathBuf {
        self.path.join("host.lock")
    }

    /// Where the step host listens.
    pub fn host_socket(&self) -> PathBuf {
        self.path.join("host.sock")
    }

    /// What the step host says when nobody is attached.
    pub fn host_log(&self) -> PathBuf {
        self.path.join("host.log")
    }

    /// The cgroup directory below which all processes of the run's steps are.
    pub fn host_cgroup(&self) -> PathBuf {
        self.path.join("host.cgroup")
    }

    /// What the step host began and how it ended.
    pub fn attempts_log(&self) -> PathBuf {
        self.path.join("attempts.log")
    }

    /// The redacted output of an attempt; no file as long as there is none.
    pub fn spool(&self, step: u32, attempt: u32) -> PathBuf {
        self.path.join(format!("steps/{step}.{attempt}/spool"))
    }

    /// Whether an attempt began.
    pub fn has_begun(&self, step: u32, attempt: u32) -> io::Result<bool> {
        let records = attempts::read(&self.attempts_log())?;
        Ok(records.iter().any(|record| (record.step, record.attempt) == (step, attempt)))
    }

    /// How an attempt ended, if that was written down.
    pub fn exit_of(&self, step: u32, attempt: u32) -> io::Result<Option<StepExited>> {
        let records = attempts::read(&self.attempts_log())?;
        let of_it = |record: &StepExited| (record.step, record.attempt) == (step, attempt);
        Ok(records.into_iter().find(|record| of_it(record) && attempts::is_end(record)))
    }

    /// Bytes of an attempt's output so far.
    pub fn spool_length(&self, step: u32, attempt: u32) -> u64 {
        std::fs::metadata(self.spool(step, attempt)).map_or(0, |meta| meta.len())
    }

    /// The signed plan's bytes, out of the envelope. Whoever runs them has checked their digest first.
    pub fn plan_bytes(&self) -> io::Result<Vec<u8>> {
        let signed = wire::SignedEnvelope::decode(std::fs::read(self.envelope())?.as_slice());
        let envelope = signed.and_then(|signed| wire::Envelope::decode(signed.envelope.as_slice()));
        envelope.map(|envelope| envelope.plan).map_err(io::Error::other)
    }
}
