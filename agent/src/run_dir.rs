//! The directory of one run: what lies where. Shared by the executor, which owns it, and the run's step host.
//!
//! Rule: everything of a run is in here, so that forgetting it is removing one directory.

use std::io;
use std::path::{Path, PathBuf};

use hydron_proto::ids::RunId;
use hydron_proto::wire::{self, StepExited};
use prost::Message as _;

use crate::durable;
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

    /// One directory an attempt; it is there as soon as, and only if, the attempt was started.
    pub fn attempt(&self, step: u32, attempt: u32) -> PathBuf {
        self.path.join(format!("steps/{step}.{attempt}"))
    }

    /// The redacted output of an attempt.
    pub fn spool(&self, step: u32, attempt: u32) -> PathBuf {
        self.attempt(step, attempt).join("spool")
    }

    /// How an attempt ended.
    pub fn exit(&self, step: u32, attempt: u32) -> PathBuf {
        self.attempt(step, attempt).join("exit")
    }

    /// Every attempt that was started, with the length of its spool.
    pub fn attempts(&self) -> io::Result<Vec<((u32, u32), u64)>> {
        let entries = match std::fs::read_dir(self.path.join("steps")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut attempts = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            let parsed = name.to_str().and_then(|name| name.split_once('.'));
            if let Some((Ok(step), Ok(attempt))) = parsed.map(|(s, a)| (s.parse(), a.parse())) {
                let length = std::fs::metadata(self.spool(step, attempt)).map_or(0, |meta| meta.len());
                attempts.push(((step, attempt), length));
            }
        }
        Ok(attempts)
    }

    /// The signed plan's bytes, out of the envelope. Whoever runs them has checked their digest first.
    pub fn plan_bytes(&self) -> io::Result<Vec<u8>> {
        let signed = wire::SignedEnvelope::decode(std::fs::read(self.envelope())?.as_slice());
        let envelope = signed.and_then(|signed| wire::Envelope::decode(signed.envelope.as_slice()));
        envelope.map(|envelope| envelope.plan).map_err(io::Error::other)
    }

    /// Reads an exit record.
    pub fn read_exit(&self, step: u32, attempt: u32) -> io::Result<Option<StepExited>> {
        match std::fs::read(self.exit(step, attempt)) {
            Ok(bytes) => {
                let exited = StepExited::decode(bytes.as_slice()).map_err(io::Error::other)?;
                Ok(Some(exited).filter(|exited| (exited.step, exited.attempt) == (step, attempt)))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes an exit record: whole when this returns. A power cut may still take all of it, and then the outcome is
    /// unknown, which is true: so the directory is not synced, and a step costs one sync less.
    pub fn write_exit(&self, exited: &StepExited) -> io::Result<()> {
        durable::place(&self.exit(exited.step, exited.attempt), &exited.encode_to_vec(), 0o600)
    }
}
