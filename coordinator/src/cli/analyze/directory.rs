//! A directory on this machine as a tree.
//!
//! Rule: no link out of it is followed, and only regular files are opened; what git would ignore by name (`.git`,
//! dependency and build directories) is not even listed.

use std::fs;
use std::io::{ErrorKind, Read as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use hydron_analysis::{Entry, EntryKind, FileTree, TreeError, Unlisted};
use nix::errno::Errno;
use nix::fcntl::{OFlag, openat, readlinkat};
use nix::sys::stat::Mode;

/// A directory as a tree, for as long as a reading may take.
#[derive(Debug)]
pub(super) struct DirectoryTree {
    root: PathBuf,
    /// The same directory, open: what lies in it is found without walking the way to it again.
    handle: OwnedFd,
    until: Instant,
    most: usize,
    unlisted: Mutex<Vec<Unlisted>>,
}

/// Room that is made before anything is read: sources are smaller.
const MOST_AT_ONCE: usize = 64 * 1024;

/// With so many directories at hand, two threads go through what is below them.
const ENOUGH_TO_SHARE: usize = 24;

/// Deeper than any program goes; the analysis looks at a fifth of it.
const MOST_DEPTH: usize = 200;

/// A directory: where it is, and its path as the analysis sees it.
struct Dir {
    full: PathBuf,
    shown: String,
    depth: usize,
}

/// Files, and the directories that are still to be listed.
#[derive(Default)]
struct Listed {
    entries: Vec<Entry>,
    dirs: Vec<Dir>,
}

impl DirectoryTree {
    /// The tree below a canonical path, of at most so many files.
    pub(super) fn new(root: PathBuf, until: Instant, most: usize) -> std::io::Result<Self> {
        let handle = fs::File::open(&root)?.into();
        Ok(Self { root, handle, until, most, unlisted: Mutex::default() })
    }

    /// The first files and directories in the order of a walk, until there is enough for two threads.
    fn top(&self) -> Result<Listed, TreeError> {
        let root = Dir { full: self.root.clone(), shown: String::new(), depth: 0 };
        let failed = |e: std::io::Error| TreeError::List(format!("{}: {e}", root.full.display()));
        let mut top = list(&root, self.most).map_err(failed)?;
        let mut next = 0;
        while top.dirs.len() < next + ENOUGH_TO_SHARE
            && top.entries.len() < self.most
            && let Some(dir) = top.dirs.get(next)
        {
            let found = self.inside(dir);
            next += 1;
            top.entries.extend(found.entries);
            top.dirs.extend(found.dirs);
        }
        top.dirs.drain(..next);
        Ok(top)
    }

    /// Everything below a directory in the order of a walk, up to the most there may be.
    fn below(&self, dir: &Dir) -> Vec<Entry> {
        let Listed { mut entries, mut dirs } = self.inside(dir);
        while entries.len() < self.most
            && self.in_time()
            && let Some(dir) = dirs.pop()
        {
            let found = self.inside(&dir);
            entries.extend(found.entries);
            dirs.extend(found.dirs);
        }
        entries.truncate(self.most);
        entries
    }

    /// What is in a directory; one that cannot be listed holds nothing, and that is said.
    fn inside(&self, dir: &Dir) -> Listed {
        if dir.depth > MOST_DEPTH {
            return Listed::default();
        }
        list(dir, self.most).unwrap_or_else(|error| {
            let unlisted = Unlisted { path: dir.shown.clone(), reason: error.kind().to_string() };
            self.unlisted.lock().unwrap_or_else(PoisonError::into_inner).push(unlisted);
            Listed::default()
        })
    }

    fn open(&self, path: &str) -> nix::Result<fs::File> {
        let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        Ok(openat(&self.handle, Path::new(path), flags, Mode::empty())?.into())
    }
}

impl FileTree for DirectoryTree {
    /// Which files are left out of a tree with too many depends on their names alone: each directory's files come in the
    /// order of a walk, whichever thread goes through it, and a directory is passed over only when those before it are enough.
    fn entries(&self) -> Result<Vec<Entry>, TreeError> {
        let Listed { mut entries, dirs } = self.top()?;
        let next = AtomicUsize::new(0);
        let already = entries.len();
        let walked: Mutex<Vec<Option<usize>>> = Mutex::new(vec![None; dirs.len()]);
        let enough = |at: usize| {
            let walked = walked.lock().unwrap_or_else(PoisonError::into_inner);
            already + walked.iter().take(at).flatten().sum::<usize>() >= self.most
        };
        let walk = || {
            let mut found = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(dir) = dirs.get(at).filter(|_| !enough(at)) else { return found };
                let mut below = self.below(dir);
                if let Some(count) = walked.lock().unwrap_or_else(PoisonError::into_inner).get_mut(at) {
                    *count = Some(below.len());
                }
                below.sort_unstable_by(|a, b| a.path.cmp(&b.path));
                found.push((at, below));
            }
        };
        let mut parts = thread::scope(|scope| {
            let other = scope.spawn(walk);
            let mut parts = walk();
            parts.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            parts
        });
        parts.sort_unstable_by_key(|(at, _)| *at);
        for (_, part) in parts {
            let room = self.most.saturating_sub(entries.len());
            entries.extend(part.into_iter().take(room));
        }
        // Runs that are in order already.
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(entries)
    }

    fn unlisted(&self) -> Vec<Unlisted> {
        let mut list = self.unlisted.lock().unwrap_or_else(PoisonError::into_inner).clone();
        list.sort();
        list
    }

    fn in_time(&self) -> bool {
        Instant::now() < self.until
    }

    fn size(&self, path: &str) -> Option<u64> {
        Some(self.root.join(path).symlink_metadata().ok()?.len())
    }

    fn read(&self, path: &str, cap: usize) -> Result<Vec<u8>, TreeError> {
        use std::os::unix::ffi::OsStringExt as _;
        let failed = |reason: String| TreeError::Read { path: path.to_owned(), reason };
        let mut file = match self.open(path) {
            Err(Errno::ELOOP) => {
                let target = readlinkat(&self.handle, Path::new(path)).map_err(|e| failed(e.to_string()))?;
                return Ok(target.into_vec());
            }
            opened => opened.map_err(|e| failed(e.to_string()))?,
        };
        content(&mut file, cap).map_err(|e| failed(e.to_string()))
    }
}

/// The first bytes of a file: one call when it is as long as it says, as nearly all are.
fn content(file: &mut fs::File, cap: usize) -> std::io::Result<Vec<u8>> {
    let said = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX).min(cap);
    let mut content = vec![0; said.min(MOST_AT_ONCE)];
    let mut filled = 0;
    while let Some(room) = content.get_mut(filled..).filter(|room| !room.is_empty()) {
        match file.read(room) {
            Ok(0) => break,
            Ok(more) => filled += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    content.truncate(filled);
    if filled < said || said == 0 {
        let left = u64::try_from(cap.saturating_sub(filled)).unwrap_or(u64::MAX);
        file.take(left).read_to_end(&mut content)?;
    }
    Ok(content)
}

/// The files and directories in a directory, each in the order of their names; of too many, the first.
fn list(dir: &Dir, most: usize) -> std::io::Result<Listed> {
    let mut listed = Listed::default();
    for item in fs::read_dir(&dir.full)?.flatten() {
        let Ok(kind) = item.file_type() else { continue };
        let name = item.file_name();
        let name = name.to_string_lossy();
        if kind.is_dir() && is_left_out(&name) {
            continue;
        }
        let path = if dir.shown.is_empty() { name.into_owned() } else { [&dir.shown, "/", &name].concat() };
        if kind.is_dir() {
            listed.dirs.push(Dir { full: item.path(), shown: path, depth: dir.depth + 1 });
        } else if kind.is_file() || kind.is_symlink() {
            let kind = if kind.is_symlink() { EntryKind::Link } else { EntryKind::File };
            listed.entries.push(Entry { path, kind, size: None });
        }
        shorten(&mut listed.entries, most, |entry| &entry.path);
        shorten(&mut listed.dirs, most, |dir| &dir.shown);
    }
    listed.dirs.sort_unstable_by(|a, b| a.shown.cmp(&b.shown));
    listed.entries.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    listed.entries.truncate(most);
    Ok(listed)
}

/// Leaves the first names of a list that has grown to twice what is wanted.
fn shorten<T>(list: &mut Vec<T>, most: usize, name: impl Fn(&T) -> &String) {
    if list.len() > most.saturating_mul(2).max(1) {
        list.select_nth_unstable_by(most, |a, b| name(a).cmp(name(b)));
        list.truncate(most);
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
        let tree = DirectoryTree::new(root.path().to_owned(), Instant::now(), 100).unwrap();
        assert!(!tree.in_time());
        let mut entries = tree.entries().unwrap();
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        let listed: Vec<_> = entries.iter().map(|e| (e.path.as_str(), e.kind)).collect();
        assert_eq!(listed, [("index.html", EntryKind::File), ("package.json", EntryKind::Link)]);
        assert_eq!(tree.read("package.json", 100).unwrap(), b"/etc/passwd");
    }

    /// A tree with more files than are taken, in directories of different sizes.
    fn crowded(root: &std::path::Path) {
        for part in 0..30 {
            let dir = root.join(format!("part-{part}/deep/er"));
            fs::create_dir_all(&dir).unwrap();
            for file in 0..=part * 3 {
                fs::write(dir.join(format!("{file}.txt")), "").unwrap();
                fs::write(root.join(format!("part-{part}/{file}.md")), "").unwrap();
            }
        }
    }

    #[test]
    fn which_files_of_too_many_are_taken_does_not_depend_on_the_threads() {
        let root = tempfile::tempdir().unwrap();
        crowded(root.path());
        for most in [1, 50, 400, 1300] {
            let listed = || {
                let tree = DirectoryTree::new(root.path().to_owned(), in_a_minute(), most).unwrap();
                tree.entries().unwrap()
            };
            let first = listed();
            assert_eq!(first.len(), most);
            for _ in 0..40 {
                assert_eq!(listed(), first, "of {most}");
            }
        }
    }

    #[test]
    fn of_a_directory_with_too_many_files_the_first_names_are_taken() {
        let root = tempfile::tempdir().unwrap();
        for file in 0..500 {
            fs::write(root.path().join(format!("{file:03}")), "").unwrap();
        }
        let tree = DirectoryTree::new(root.path().to_owned(), in_a_minute(), 7).unwrap();
        let names: Vec<String> = tree.entries().unwrap().into_iter().map(|entry| entry.path).collect();
        assert_eq!(names, ["000", "001", "002", "003", "004", "005", "006"]);
    }

    #[test]
    fn a_file_is_read_up_to_the_cap_however_long_it_is() {
        let root = tempfile::tempdir().unwrap();
        for size in [0, 1, MOST_AT_ONCE - 1, MOST_AT_ONCE, MOST_AT_ONCE + 1, MOST_AT_ONCE * 3] {
            fs::write(root.path().join("file"), vec![b'x'; size]).unwrap();
            let tree = DirectoryTree::new(root.path().to_owned(), in_a_minute(), 10).unwrap();
            for cap in [0, 1, MOST_AT_ONCE, MOST_AT_ONCE * 2, MOST_AT_ONCE * 4] {
                assert_eq!(tree.read("file", cap).unwrap().len(), size.min(cap), "{size} up to {cap}");
            }
            assert_eq!(tree.size("file"), Some(size as u64));
        }
    }

    #[test]
    fn a_directory_that_cannot_be_listed_is_named_and_the_rest_is_read() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("index.html"), "<p>").unwrap();
        // Longer than a path may be: for every user what a directory without the right to read it is for most.
        let name = "d".repeat(200);
        let half: PathBuf = std::iter::repeat_n(&name, 12).collect();
        fs::create_dir_all(root.path().join(&half)).unwrap();
        let below = tempfile::tempdir().unwrap();
        fs::create_dir_all(below.path().join(&half)).unwrap();
        fs::rename(below.path().join(&name), root.path().join(&half).join(&name)).unwrap();
        let tree = DirectoryTree::new(root.path().to_owned(), in_a_minute(), 10).unwrap();
        assert_eq!(tree.entries().unwrap().len(), 1);
        assert_eq!(tree.unlisted().len(), 1, "{:?}", tree.unlisted());
    }

    fn in_a_minute() -> Instant {
        Instant::now() + std::time::Duration::from_mins(1)
    }
}
