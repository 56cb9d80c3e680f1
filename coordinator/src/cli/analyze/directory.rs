//! A directory on this machine as a tree.
//!
//! Rule: no link out of it is followed, and only regular files are opened; what git would ignore by name (`.git`,
//! dependency and build directories) is not even listed.

use std::fs;
use std::path::{Path, PathBuf};
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

impl FileTree for DirectoryTree {
    fn entries(&self) -> Result<Vec<Entry>, TreeError> {
        let mut entries = Vec::new();
        let mut queue = vec![self.root.clone()];
        while let Some(dir) = queue.pop() {
            let listing =
                fs::read_dir(&dir).map_err(|e| TreeError::List(format!("{}: {e}", dir.display())))?;
            for item in listing.flatten() {
                if entries.len() >= MOST_ENTRIES {
                    return Ok(entries);
                }
                let Ok(kind) = item.file_type() else { continue };
                if kind.is_dir() {
                    if !is_left_out(&item.file_name().to_string_lossy()) {
                        queue.push(item.path());
                    }
                } else if kind.is_file() || kind.is_symlink() {
                    entries.extend(entry(&self.root, &item.path(), kind.is_symlink()));
                }
            }
        }
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
        if fs::symlink_metadata(&full).map_err(failed)?.is_symlink() {
            return Ok(fs::read_link(&full).map_err(failed)?.into_os_string().into_vec());
        }
        let mut content = Vec::new();
        let most = u64::try_from(cap).unwrap_or(u64::MAX);
        let flags = nix::fcntl::OFlag::O_NOFOLLOW | nix::fcntl::OFlag::O_NONBLOCK;
        let file =
            fs::OpenOptions::new().read(true).custom_flags(flags.bits()).open(&full).map_err(failed)?;
        file.take(most).read_to_end(&mut content).map_err(failed)?;
        Ok(content)
    }
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

fn entry(root: &Path, full: &Path, link: bool) -> Option<Entry> {
    use std::os::unix::fs::PermissionsExt as _;
    let meta = fs::symlink_metadata(full).ok()?;
    let relative = full.strip_prefix(root).ok()?;
    let kind = if link {
        EntryKind::Link
    } else if meta.permissions().mode() & 0o111 != 0 {
        EntryKind::Executable
    } else {
        EntryKind::File
    };
    Some(Entry { path: relative.to_string_lossy().into_owned(), kind, size: meta.len() })
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
