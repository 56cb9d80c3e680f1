//! A directory on this machine as a tree.
//!
//! Rule: no link out of it is followed, and only regular files are opened; what git would ignore by name (`.git`,
//! dependency and build directories) is not even listed.

use std::collections::VecDeque;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use hydron_analysis::{Entry, EntryKind, FileTree, TreeError};

/// A directory as a tree, for as long as a reading may take.
#[derive(Debug)]
pub(super) struct DirectoryTree {
    root: PathBuf,
    until: Instant,
}

impl DirectoryTree {
    /// The tree below a canonical path.
    pub(super) fn new(root: PathBuf, until: Instant) -> Self {
        Self { root, until }
    }
}

/// More entries than the analysis itself considers are not listed either.
const MOST_ENTRIES: usize = 300_000;

/// Room that is made before anything is read: sources are smaller.
const MOST_AT_ONCE: usize = 64 * 1024;

/// With so many directories at hand, two threads go through what is below them.
const ENOUGH_TO_SHARE: usize = 24;

/// A directory: where it is, and its path as the analysis sees it.
struct Dir {
    full: PathBuf,
    shown: String,
}

impl FileTree for DirectoryTree {
    fn entries(&self) -> Result<Vec<Entry>, TreeError> {
        let mut entries = Vec::new();
        let mut dirs = VecDeque::from([Dir { full: self.root.clone(), shown: String::new() }]);
        while dirs.len() < ENOUGH_TO_SHARE
            && let Some(dir) = dirs.pop_front()
        {
            dirs.extend(list(&dir, &mut entries)?);
        }
        let dirs = Vec::from(dirs);
        let next = AtomicUsize::new(0);
        let walk = || {
            let mut found = Vec::new();
            while let Some(dir) = dirs.get(next.fetch_add(1, Ordering::Relaxed)) {
                below(dir, &mut found)?;
            }
            Ok(found)
        };
        thread::scope(|scope| {
            let other = scope.spawn(walk);
            entries.extend(walk()?);
            entries.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
            Ok::<_, TreeError>(())
        })?;
        entries.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        entries.truncate(MOST_ENTRIES);
        Ok(entries)
    }

    fn in_time(&self) -> bool {
        Instant::now() < self.until
    }

    fn read(&self, path: &str, cap: usize) -> Result<Vec<u8>, TreeError> {
        use std::io::Read as _;
        use std::os::unix::ffi::OsStringExt as _;
        use std::os::unix::fs::OpenOptionsExt as _;
        let failed = |e: std::io::Error| TreeError::Read { path: path.to_owned(), reason: e.to_string() };
        let full = self.root.join(path);
        let flags = nix::fcntl::OFlag::O_NOFOLLOW | nix::fcntl::OFlag::O_NONBLOCK;
        let file = match fs::OpenOptions::new().read(true).custom_flags(flags.bits()).open(&full) {
            Err(error) if error.raw_os_error() == Some(nix::libc::ELOOP) => {
                return Ok(fs::read_link(&full).map_err(failed)?.into_os_string().into_vec());
            }
            opened => opened.map_err(failed)?,
        };
        let most = u64::try_from(cap).unwrap_or(u64::MAX);
        let mut content = Vec::with_capacity(cap.min(MOST_AT_ONCE));
        file.take(most).read_to_end(&mut content).map_err(failed)?;
        Ok(content)
    }
}

/// Everything below a directory, up to the most there may be.
fn below(dir: &Dir, entries: &mut Vec<Entry>) -> Result<(), TreeError> {
    let mut queue = list(dir, entries)?;
    while entries.len() < MOST_ENTRIES
        && let Some(dir) = queue.pop()
    {
        queue.extend(list(&dir, entries)?);
    }
    Ok(())
}

/// The files of one directory; answers its directories.
fn list(dir: &Dir, entries: &mut Vec<Entry>) -> Result<Vec<Dir>, TreeError> {
    let failed = |e: std::io::Error| TreeError::List(format!("{}: {e}", dir.full.display()));
    let mut inside = Vec::new();
    for item in fs::read_dir(&dir.full).map_err(failed)?.flatten() {
        let Ok(kind) = item.file_type() else { continue };
        let name = item.file_name();
        let name = name.to_string_lossy();
        let path = if dir.shown.is_empty() { name.to_string() } else { format!("{}/{name}", dir.shown) };
        if kind.is_dir() {
            if !is_left_out(&name) {
                inside.push(Dir { full: item.path(), shown: path });
            }
        } else if kind.is_file() || kind.is_symlink() {
            entries.extend(entry(&item, path, kind.is_symlink()));
        }
    }
    Ok(inside)
}

fn is_left_out(name: &str) -> bool {
    matches!(
        name,
        ".git"
            | "node_modules"
            | ".venv"
            | "venv"
            | "__pycache__"
            | "target"
            | ".next"
            | ".nuxt"
            | ".svelte-kit"
            | ".gradle"
            | ".terraform"
    )
}

/// What a directory's own listing says of a file, without walking its path again.
fn entry(item: &fs::DirEntry, path: String, link: bool) -> Option<Entry> {
    use std::os::unix::fs::PermissionsExt as _;
    let meta = item.metadata().ok()?;
    let kind = if link {
        EntryKind::Link
    } else if meta.permissions().mode() & 0o111 != 0 {
        EntryKind::Executable
    } else {
        EntryKind::File
    };
    Some(Entry { path, kind, size: meta.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_out_of_the_directory_is_listed_as_a_link_and_not_followed() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("index.html"), "<p>").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", root.path().join("package.json")).unwrap();
        fs::create_dir(root.path().join("node_modules")).unwrap();
        fs::write(root.path().join("node_modules/x.js"), "").unwrap();
        let tree = DirectoryTree::new(root.path().to_owned(), Instant::now());
        assert!(!tree.in_time());
        let mut entries = tree.entries().unwrap();
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        let listed: Vec<_> = entries.iter().map(|e| (e.path.as_str(), e.kind)).collect();
        assert_eq!(listed, [("index.html", EntryKind::File), ("package.json", EntryKind::Link)]);
        assert_eq!(tree.read("package.json", 100).unwrap(), b"/etc/passwd");
    }
}
