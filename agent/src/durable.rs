//! Files that a crash leaves either as they were or as they shall be.
//!
//! Rule: temporary file, fsync, rename, fsync of the directory; nothing reads a half-written file.
//! Neighbours: `exec`, `identity` and `run_dir` keep bytes with it, `record` keeps JSON records with it.

use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::fault;

/// Puts `content` in place of whatever was at `path`, durably.
pub fn write(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let temporary = beside(path);
    remove_if_there(&temporary)?;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&temporary)?;
    file.set_permissions(std::fs::Permissions::from_mode(mode))?;
    file.write_all(content)?;
    fault::written(&file, 0);
    file.sync_all()?;
    fault::synced(&file);
    fault::point();
    std::fs::rename(&temporary, path)?;
    sync_directory(parent(path))?;
    fault::point();
    Ok(())
}

/// Makes a directory, its parents and their names durable; an existing one only gets its mode.
pub fn create_directory(path: &Path, mode: u32) -> io::Result<()> {
    if !path.is_dir() {
        std::fs::create_dir_all(parent(path))?;
        match std::fs::DirBuilder::new().mode(mode).create(path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        sync_directory(parent(path))?;
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}

/// Makes the names inside a directory durable.
pub fn sync_directory(path: &Path) -> io::Result<()> {
    std::fs::File::open(path)?.sync_all()
}

/// Makes `link` point to `target`, atomically and durably.
pub fn point(link: &Path, target: &Path) -> io::Result<()> {
    let temporary = beside(link);
    remove_if_there(&temporary)?;
    std::os::unix::fs::symlink(target, &temporary)?;
    std::fs::rename(&temporary, link)?;
    sync_directory(parent(link))
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    path.with_file_name(name)
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_remains_of_a_crash_do_not_matter() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("record");
        std::fs::write(directory.path().join(".record.new"), "half").unwrap();
        write(&path, b"first", 0o600).unwrap();
        write(&path, b"second", 0o640).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"second");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_moves_in_one_step() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("current");
        point(&link, Path::new("one")).unwrap();
        point(&link, Path::new("two")).unwrap();
        assert_eq!(std::fs::read_link(&link).unwrap(), Path::new("two"));
    }
}
