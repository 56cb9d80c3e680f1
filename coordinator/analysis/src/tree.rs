//! The border to the outside: a listing of files and a way to read one.
//!
//! One rule: this crate never opens a file or a socket; whoever calls it hands in a `FileTree` (git blobs, a directory,
//! a map in tests). Symbolic links are handed over as links: their content is the target text, as git stores it.

use std::collections::BTreeMap;

/// What an entry of the tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A regular file with an executable bit.
    Executable,
    /// A symbolic link; its content is the target.
    Link,
    /// A submodule (gitlink): nothing of it can be read.
    Submodule,
}

/// One file of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Slash-separated path relative to the root, without a leading slash; not UTF-8 is converted lossily.
    pub path: String,
    /// Kind of entry.
    pub kind: EntryKind,
    /// Size in bytes; none where asking for it costs as much as reading, and few files are read.
    pub size: Option<u64>,
}

/// Why a tree could not be read.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// The listing failed.
    #[error("cannot list the files: {0}")]
    List(String),
    /// A file could not be read.
    #[error("cannot read {path}: {reason}")]
    Read {
        /// The file.
        path: String,
        /// What went wrong.
        reason: String,
    },
}

/// A directory that could not be listed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unlisted {
    /// Its path.
    pub path: String,
    /// What went wrong.
    pub reason: String,
}

/// Files that can be listed once and read by need, several at a time.
pub trait FileTree: Sync {
    /// All files, in any order. Directories are not listed.
    fn entries(&self) -> Result<Vec<Entry>, TreeError>;

    /// Directories whose files are not among the entries, asked for after them.
    fn unlisted(&self) -> Vec<Unlisted> {
        Vec::new()
    }

    /// The first `cap` bytes of a file, or of a link's target text.
    fn read(&self, path: &str, cap: usize) -> Result<Vec<u8>, TreeError>;

    /// Files of which each is read next: a tree that answers one question at a time may ask for all of them together.
    fn prefetch(&self, paths: &[&str]) {
        let _ = paths;
    }

    /// The size of a file whose entry does not say.
    fn size(&self, path: &str) -> Option<u64> {
        let _ = path;
        None
    }

    /// Whether the caller still waits. Asked before each file; after a `false` the reading ends with what it has.
    fn in_time(&self) -> bool {
        true
    }
}

/// A tree in memory: tests, templates, uploads.
#[derive(Debug, Clone, Default)]
pub struct MemoryTree {
    files: BTreeMap<String, Vec<u8>>,
}

impl MemoryTree {
    /// A tree of text files.
    pub fn new<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let files =
            files.into_iter().map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).collect();
        Self { files }
    }

    /// Adds or replaces one file.
    pub fn insert(&mut self, path: &str, content: impl Into<Vec<u8>>) {
        self.files.insert(path.to_owned(), content.into());
    }
}

impl FileTree for MemoryTree {
    fn entries(&self) -> Result<Vec<Entry>, TreeError> {
        let entry = |(path, content): (&String, &Vec<u8>)| Entry {
            path: path.clone(),
            kind: EntryKind::File,
            size: Some(content.len() as u64),
        };
        Ok(self.files.iter().map(entry).collect())
    }

    fn read(&self, path: &str, cap: usize) -> Result<Vec<u8>, TreeError> {
        let missing = || TreeError::Read { path: path.to_owned(), reason: "no such file".to_owned() };
        let content = self.files.get(path).ok_or_else(missing)?;
        Ok(content.get(..cap).unwrap_or(content).to_vec())
    }
}
