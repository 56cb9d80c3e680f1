//! The spool of one attempt: its redacted output, as the file that is shown, sent and kept.
//!
//! Rule: a byte's offset in this file is its sequence in the protocol. Writing never fails and never blocks a step:
//! beyond the caps (of a step, and of all spools of this server together) the middle is left out, and the file says where
//! and how much. A step that says nothing has no file.

use std::collections::VecDeque;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use crate::redact::Redactor;
use crate::step_context::LogSink;

/// Output that is kept from the start of a step.
const HEAD: u64 = 63 * 1024 * 1024;
/// Output that is kept from its end, when the head is full.
const TAIL: usize = 1024 * 1024;

/// What a step may always keep from its start, however full the server's spools are.
const ALWAYS: u64 = 1024 * 1024;
/// What all spools of a server may hold together (DESIGN, logs); steps that run at the same moment may pass it by a head each.
const ALL: u64 = 1024 * 1024 * 1024;

/// An open spool.
#[derive(Debug)]
pub(super) struct Spool {
    inner: Mutex<Inner>,
    grown: watch::Sender<u64>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    file: Option<File>,
    redactor: Redactor,
    hash: Sha256,
    length: u64,
    tail: VecDeque<u8>,
    left_out: u64,
    caps: Caps,
    /// What may be kept from the start; asked for once the output passes what it may always keep.
    head: Option<u64>,
}

/// How much is kept.
#[derive(Debug, Clone)]
struct Caps {
    always: u64,
    head: u64,
    all: u64,
    /// The directory of every run of this server.
    runs: PathBuf,
}

/// What a finished spool is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Finished {
    /// Bytes.
    pub length: u64,
    /// SHA-256 of all of them.
    pub sha256: [u8; 32],
}

impl Spool {
    /// An empty spool, to be kept at `path`, one of those below `runs`; everything written goes through `redactor`.
    pub(super) fn new(path: PathBuf, redactor: Redactor, runs: &Path) -> Self {
        let caps = Caps { always: ALWAYS, head: HEAD, all: ALL, runs: runs.to_owned() };
        Self::with_caps(path, redactor, caps)
    }

    fn with_caps(path: PathBuf, redactor: Redactor, caps: Caps) -> Self {
        let inner = Inner {
            path,
            file: None,
            redactor,
            hash: Sha256::new(),
            length: 0,
            tail: VecDeque::new(),
            left_out: 0,
            caps,
            head: None,
        };
        Self { inner: Mutex::new(inner), grown: watch::Sender::new(0) }
    }

    /// Says how long the file is.
    pub(super) fn grown(&self) -> watch::Receiver<u64> {
        self.grown.subscribe()
    }

    /// Writes what was held back, and makes the file durable.
    pub(super) fn finish(&self) -> Finished {
        let mut inner = self.lock();
        let rest = inner.redactor.finish();
        inner.take(&rest);
        inner.close_gap();
        if let Some(file) = &inner.file
            && let Err(error) = file.sync_data()
        {
            tracing::warn!(%error, "a spool could not be made durable");
        }
        self.grown.send_replace(inner.length);
        Finished { length: inner.length, sha256: inner.hash.clone().finalize().into() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LogSink for Spool {
    fn write(&self, bytes: &[u8]) {
        let mut inner = self.lock();
        let clean = inner.redactor.push(bytes);
        inner.take(&clean);
        let length = inner.length;
        drop(inner);
        self.grown.send_if_modified(|known| std::mem::replace(known, length) != length);
    }
}

impl Inner {
    fn take(&mut self, bytes: &[u8]) {
        let head = self.head(bytes.len() as u64);
        let room = usize::try_from(head.saturating_sub(self.length)).unwrap_or(usize::MAX);
        let full = self.left_out > 0 || !self.tail.is_empty();
        let (now, later) = bytes.split_at(if full { 0 } else { room.min(bytes.len()) });
        self.append(now);
        self.tail.extend(later);
        let surplus = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..surplus);
        self.left_out += surplus as u64;
    }

    /// Few steps say so much that the other spools have to be counted.
    fn head(&mut self, more: u64) -> u64 {
        if self.length + more <= self.caps.always {
            return self.caps.always;
        }
        let caps = &self.caps;
        let length = self.length;
        *self.head.get_or_insert_with(|| {
            let others = kept(&caps.runs).saturating_sub(length);
            caps.all.saturating_sub(others).clamp(caps.always, caps.head)
        })
    }

    fn close_gap(&mut self) {
        let tail: Vec<u8> = std::mem::take(&mut self.tail).into();
        if self.left_out > 0 {
            let gap = format!("\n[hydron: {} bytes of output left out here]\n", self.left_out);
            self.append(gap.as_bytes());
        }
        self.append(&tail);
    }

    /// The file is made with its first byte: a new file takes longer than many a step.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let file = match self.file.take() {
            Some(file) => file,
            None => create(&self.path)?,
        };
        self.file.insert(file).write(bytes)
    }

    /// A full disk costs output, not the step: what cannot be written is counted as left out.
    fn append(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        match self.write(bytes) {
            Ok(written) => {
                let (done, rest) = bytes.split_at(written.min(bytes.len()));
                self.hash.update(done);
                self.length += done.len() as u64;
                if written > 0 { self.append(rest) } else { self.left_out += rest.len() as u64 }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.append(bytes),
            Err(_) => self.left_out += bytes.len() as u64,
        }
    }
}

/// Bytes of every spool below the runs' directory: `RUN/steps/ATTEMPT/spool`. What cannot be read counts as nothing.
fn kept(runs: &Path) -> u64 {
    let inside =
        |path: PathBuf| std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    let attempts = inside(runs.to_owned()).flat_map(|run| inside(run.join("steps")));
    attempts.filter_map(|attempt| std::fs::metadata(attempt.join("spool")).ok()).map(|file| file.len()).sum()
}

fn create(path: &Path) -> io::Result<File> {
    match path.parent().map(|directory| DirBuilder::new().mode(0o700).create(directory)) {
        Some(Err(error)) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _made => {}
    }
    OpenOptions::new().append(true).create_new(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::Needles;

    #[test]
    fn beyond_the_cap_the_middle_is_left_out_and_the_file_says_so() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("spool");
        let caps = Caps { always: 10, head: 10, all: 100, runs: directory.path().to_owned() };
        let spool = Spool::with_caps(path.clone(), Redactor::new(Needles::default()), caps);
        spool.write(b"0123456789");
        spool.write(&vec![b'x'; TAIL]);
        spool.write(b"the end");
        let finished = spool.finish();
        let bytes = std::fs::read(&path).unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(
            text.starts_with("0123456789\n[hydron: 7 bytes of output left out here]\nxxx"),
            "{}",
            &text[..80]
        );
        assert!(text.ends_with("xthe end"));
        assert_eq!(finished.length, bytes.len() as u64);
        assert_eq!(finished.sha256, <[u8; 32]>::from(Sha256::digest(&bytes)));
    }

    #[test]
    fn a_short_log_is_the_file_byte_by_byte() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("spool");
        let spool = Spool::new(path.clone(), Redactor::new(Needles::default()), directory.path());
        spool.write(b"a\r\nb\0");
        spool.write(b"c");
        assert_eq!(spool.finish().length, 6);
        assert_eq!(std::fs::read(&path).unwrap(), b"a\r\nb\0c");
    }

    #[test]
    fn spools_that_are_full_together_leave_a_step_what_it_may_always_keep() {
        let runs = tempfile::tempdir().unwrap();
        let spool_of = |run: &str, step: &str| {
            let attempt = runs.path().join(run).join("steps").join(step);
            std::fs::create_dir_all(&attempt).unwrap();
            let caps = Caps { always: 4, head: 50, all: 60, runs: runs.path().to_owned() };
            let path = attempt.join("spool");
            (Spool::with_caps(path.clone(), Redactor::new(Needles::default()), caps), path)
        };
        let keeps = |run: &str, step: &str| {
            let (spool, path) = spool_of(run, step);
            spool.write(&[b'x'; 3]);
            spool.write(&vec![b'x'; 60 + TAIL]);
            spool.finish();
            let text = String::from_utf8(std::fs::read(path).unwrap()).unwrap();
            text.split_once('\n').map(|(head, _)| head.len())
        };
        let (other, _) = spool_of("run_a", "1.1");
        other.write(&[b'x'; 30]);
        assert_eq!(keeps("run_b", "1.1"), Some(30), "what the other run left");
        assert_eq!(keeps("run_b", "2.1"), Some(4), "there is no room left");
    }

    #[test]
    fn a_step_that_says_nothing_has_no_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("spool");
        let spool = Spool::new(path.clone(), Redactor::new(Needles::default()), directory.path());
        spool.write(b"");
        let finished = spool.finish();
        assert_eq!(finished, Finished { length: 0, sha256: Sha256::digest(b"").into() });
        assert!(!path.exists());
    }
}
