//! The directory of one run: what lies where. Shared by the executor, which owns it, and the run's step host.
//!
//! Rule: everything of a run is in here, so that forgetting it is removing one directory.

use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use hydron_proto::ids::RunId;
use hydron_proto::wire::{self, StepExited};
use prost::Message as _;

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

    /// The redacted output of an attempt; no file as long as there is none.
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
                let exited = whole(&bytes).ok_or_else(|| io::Error::other("it is not whole"))?;
                let exited = StepExited::decode(exited).map_err(io::Error::other)?;
                Ok(Some(exited).filter(|exited| (exited.step, exited.attempt) == (step, attempt)))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes an exit record with its checksum: whole when this returns, and told from a torn one by whoever reads it.
    /// Nothing is synced. The record is for an executor that was not there to hear of the exit; a power cut may take it,
    /// and then the outcome is unknown, which is true. What was heard is durable in the journal.
    pub fn write_exit(&self, exited: &StepExited) -> io::Result<()> {
        let record = exited.encode_to_vec();
        let sum = crc32c::crc32c(&record).to_be_bytes();
        let mut options = std::fs::OpenOptions::new();
        let mut file =
            options.write(true).create_new(true).mode(0o600).open(self.exit(exited.step, exited.attempt))?;
        file.write_all(&[sum.as_slice(), &record].concat())
    }
}

/// The content of a record whose checksum is right.
fn whole(bytes: &[u8]) -> Option<&[u8]> {
    let (sum, record) = bytes.split_first_chunk()?;
    (crc32c::crc32c(record) == u32::from_be_bytes(*sum)).then_some(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exit_record_that_a_crash_tore_or_changed_is_no_outcome() {
        let directory = tempfile::tempdir().unwrap();
        let run = RunDir::new(&Root::new(directory.path()), RunId::new(1, [1; 10]));
        std::fs::create_dir_all(run.attempt(3, 1)).unwrap();
        assert_eq!(run.read_exit(3, 1).unwrap(), None);
        let exited = StepExited { step: 3, attempt: 1, exit_code: Some(7), ..StepExited::default() };
        run.write_exit(&exited).unwrap();
        assert_eq!(run.read_exit(3, 1).unwrap(), Some(exited));
        let written = std::fs::read(run.exit(3, 1)).unwrap();
        for length in 0..written.len() {
            std::fs::write(run.exit(3, 1), &written[..length]).unwrap();
            assert!(run.read_exit(3, 1).is_err(), "{length} bytes");
        }
        std::fs::write(run.exit(3, 1), vec![0; written.len()]).unwrap();
        assert!(run.read_exit(3, 1).is_err());
    }
}
