//! Putting files where a plan says, without being led elsewhere by a link that somebody planted on the way.
//!
//! Rule: every directory is opened relative to the one before it, never following a link (trust evidence B3, B13).

use std::fs::File;
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::path::{Component, Path};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::{FileStat, Mode, fchmod, fstatat, mkdirat};
use nix::unistd::{UnlinkatFlags, unlinkat};

use crate::step_context::StepFailure;

/// An open directory, reached without following links.
#[derive(Debug)]
pub(super) struct Place {
    directory: OwnedFd,
}

impl Place {
    /// Opens `root`, which is trusted, and walks down `path` inside it. Missing directories are made with `make_mode`.
    pub(super) fn walk(root: &Path, path: &Path, make_mode: Option<u32>) -> Result<Self, Errno> {
        let root = nix::fcntl::open(root, directory_flags() & !OFlag::O_NOFOLLOW, Mode::empty())?;
        let mut place = Self { directory: root };
        for part in path.components() {
            match part {
                Component::Normal(name) => place = place.enter(Path::new(name), make_mode)?,
                Component::RootDir | Component::CurDir => {}
                Component::ParentDir | Component::Prefix(_) => return Err(Errno::EINVAL),
            }
        }
        Ok(place)
    }

    fn enter(&self, name: &Path, make_mode: Option<u32>) -> Result<Self, Errno> {
        if let Some(mode) = make_mode {
            match mkdirat(&self.directory, name, Mode::from_bits_truncate(mode)) {
                Ok(()) | Err(Errno::EEXIST) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Self { directory: openat(&self.directory, name, directory_flags(), Mode::empty())? })
    }

    /// What stands at `name`, links not followed.
    pub(super) fn stat(&self, name: &Path) -> Result<Option<FileStat>, Errno> {
        match fstatat(&self.directory, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::ENOENT) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens a regular file for reading; a link is an error.
    pub(super) fn read(&self, name: &Path) -> Result<File, Errno> {
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK;
        openat(&self.directory, name, flags, Mode::empty()).map(File::from)
    }

    /// Makes a new file; anything that stands there is an error.
    pub(super) fn create(&self, name: &Path, mode: u32) -> Result<File, Errno> {
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let file = openat(&self.directory, name, flags, Mode::from_bits_truncate(mode))?;
        // The umask has taken bits away.
        fchmod(&file, Mode::from_bits_truncate(mode))?;
        Ok(File::from(file))
    }

    /// Puts `content` at `name`, atomically and durably; a link that stands there is replaced, not followed.
    pub(super) fn replace(&self, name: &Path, content: &[u8], mode: u32) -> std::io::Result<()> {
        let mut temporary = std::ffi::OsString::from(".hydron-new-");
        temporary.push(name);
        let temporary = Path::new(&temporary);
        match unlinkat(&self.directory, temporary, UnlinkatFlags::NoRemoveDir) {
            Ok(()) | Err(Errno::ENOENT) => {}
            Err(error) => return Err(error.into()),
        }
        let mut file = self.create(temporary, mode)?;
        file.write_all(content)?;
        file.sync_all()?;
        nix::fcntl::renameat(&self.directory, temporary, &self.directory, name)?;
        nix::unistd::fsync(&self.directory)?;
        Ok(())
    }

    /// Makes a link; what it points to was checked by the caller.
    pub(super) fn link(&self, name: &Path, target: &Path) -> Result<(), Errno> {
        nix::unistd::symlinkat(target, &self.directory, name)
    }

    /// Sets the mode of this directory.
    pub(super) fn set_mode(&self, mode: u32) -> Result<(), Errno> {
        fchmod(&self.directory, Mode::from_bits_truncate(mode))
    }
}

fn directory_flags() -> OFlag {
    OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC
}

/// An error at a path, as a step's failure.
pub(super) fn refused(path: &Path, error: impl Into<std::io::Error>) -> StepFailure {
    let error = error.into();
    let shown = path.display();
    if matches!(error.raw_os_error(), Some(code) if code == Errno::ELOOP as i32 || code == Errno::ENOTDIR as i32)
    {
        return StepFailure::new(
            "PATH_UNSAFE",
            format!("{shown} goes through a link or a file; remove it or choose another path"),
        );
    }
    StepFailure::new("PATH_FAILED", format!("{shown}: {error}"))
}
