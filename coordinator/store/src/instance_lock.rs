//! Exactly one coordinator on a data directory with SQLite.
//!
//! Rule: the lock is the operating system's, on an open file: it ends with the process, however that ends.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::{Result, StoreError};

/// Held as long as the store is open.
#[derive(Debug)]
pub(crate) struct InstanceLock {
    _file: File,
}

impl InstanceLock {
    pub(crate) fn take(dir: &Path) -> Result<Self> {
        let path = dir.join("hydron.lock");
        let failed = |source| StoreError::Directory { path: dir.to_owned(), source };
        let file = File::options().create(true).write(true).truncate(false).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse(dir.to_owned())),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}
