//! Where the result of a peer's step is written down: one line, one sync, the least that makes it durable.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

/// A file of results, each durable before the next step.
#[derive(Debug)]
pub(super) struct DurableLog(File);

impl DurableLog {
    /// A new file.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        Ok(Self(OpenOptions::new().append(true).create_new(true).open(path)?))
    }

    /// Writes a line and waits until the disk has it.
    pub(super) fn write(&mut self, who: &str, round: usize) -> io::Result<()> {
        self.0.write_all(format!("{who} {round} succeeded\n").as_bytes())?;
        self.0.sync_data()
    }
}
