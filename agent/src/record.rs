//! JSON records on this server: what the edge serves, which releases live here, which addresses were given.
//!
//! Rule: a record that does not decode is an error that names the file; it is never taken for "none".
//! Neighbours: `durable` below; `edge` and `steps` above.

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::durable;

/// A record that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The file system said no.
    #[error("{}: {reason}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What it said.
        reason: io::Error,
    },
    /// The content is not what this version writes.
    #[error("{} is damaged: {reason}; move it away and retry", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Where it does not fit.
        reason: serde_json::Error,
    },
}

/// Puts `content` in place of whatever was at `path`.
pub fn replace(path: &Path, content: &[u8], mode: u32) -> Result<(), RecordError> {
    durable::write(path, content, mode).map_err(|reason| RecordError::Io { path: path.to_path_buf(), reason })
}

/// The same for a record.
pub fn replace_json<T: Serialize>(path: &Path, record: &T) -> Result<(), RecordError> {
    let damaged = |reason| RecordError::Damaged { path: path.to_path_buf(), reason };
    replace(path, &serde_json::to_vec_pretty(record).map_err(damaged)?, 0o600)
}

/// Reads a record; `None` when there is no such file.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, RecordError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(reason) => return Err(RecordError::Io { path: path.to_path_buf(), reason }),
    };
    let damaged = |reason| RecordError::Damaged { path: path.to_path_buf(), reason };
    serde_json::from_slice(&bytes).map(Some).map_err(damaged)
}

/// Makes a directory and its parents.
pub fn directory(path: &Path, mode: u32) -> Result<(), RecordError> {
    durable::create_directory(path, mode)
        .map_err(|reason| RecordError::Io { path: path.to_path_buf(), reason })
}

/// Makes `link` point to `target`.
pub fn point(link: &Path, target: &Path) -> Result<(), RecordError> {
    durable::point(link, target).map_err(|reason| RecordError::Io { path: link.to_path_buf(), reason })
}
