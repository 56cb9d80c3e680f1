//! What a commit holds: files, links and submodules, and git's hashes of its directories.
//!
//! Rule: read from `ls-tree -r -t -z --long`; a path is data and is never opened.

use std::collections::BTreeMap;

use hydron_analysis::{Entry, EntryKind};

use super::FetchError;

/// The content of a commit, without the bytes.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    files: BTreeMap<String, File>,
    trees: BTreeMap<String, String>,
}

/// One file.
#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) object: String,
    pub(super) kind: EntryKind,
    /// None when the bytes were left on the other side, because there are too many.
    pub(super) size: Option<u64>,
}

/// Paths and hashes, for telling what changed.
pub type Tree = BTreeMap<String, String>;

impl Listing {
    /// Reads a listing of at most `cap` entries.
    pub(super) fn parse(bytes: &[u8], cap: usize) -> Result<Self, FetchError> {
        let mut listing = Self::default();
        for (number, record) in bytes.split(|byte| *byte == 0).filter(|record| !record.is_empty()).enumerate()
        {
            if number >= cap {
                return Err(FetchError::OverCaps("it has more than 50,000 files and directories"));
            }
            let text = String::from_utf8_lossy(record);
            let (meta, path) = text.split_once('\t').ok_or(FetchError::NotARepository)?;
            let mut parts = meta.split_ascii_whitespace();
            let (Some(mode), Some(_), Some(object), Some(size)) =
                (parts.next(), parts.next(), parts.next(), parts.next())
            else {
                return Err(FetchError::NotARepository);
            };
            let kind = match mode {
                "040000" => {
                    listing.trees.insert(path.to_owned(), object.to_owned());
                    continue;
                }
                "100755" => EntryKind::Executable,
                "120000" => EntryKind::Link,
                "160000" => EntryKind::Submodule,
                _ => EntryKind::File,
            };
            let file = File { object: object.to_owned(), kind, size: size.parse().ok() };
            listing.files.insert(path.to_owned(), file);
        }
        Ok(listing)
    }

    /// How many files.
    pub fn files(&self) -> usize {
        self.files.len()
    }

    /// Git's hash of every directory and file, by path.
    pub fn hashes(&self) -> Tree {
        let files = self.files.iter().map(|(path, file)| (path.clone(), file.object.clone()));
        self.trees.clone().into_iter().chain(files).collect()
    }

    /// The files below a directory; all of them for the root.
    pub(super) fn under(&self, subdir: &str) -> BTreeMap<String, File> {
        let inside = |path: &str| {
            subdir.is_empty() || path.strip_prefix(subdir).is_some_and(|rest| rest.starts_with('/'))
        };
        self.files
            .iter()
            .filter(|(path, _)| inside(path))
            .map(|(path, file)| (path.clone(), file.clone()))
            .collect()
    }
}

impl File {
    pub(super) fn entry(&self, path: &str) -> Entry {
        Entry { path: path.to_owned(), kind: self.kind, size: Some(self.size.unwrap_or(u64::from(u32::MAX))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(lines: &[&str]) -> Result<Listing, FetchError> {
        let bytes: Vec<u8> = lines.iter().flat_map(|line| [line.as_bytes(), b"\0"].concat()).collect();
        Listing::parse(&bytes, 5)
    }

    #[test]
    fn links_and_submodules_are_told_from_files() {
        let listing = listing(&[
            "100644 blob 1111    12\tREADME.md",
            "040000 tree 2222       -\tapi",
            "120000 blob 3333    11\tapi/etc",
            "160000 commit 4444       -\tvendor",
            "100644 blob 5555     BAD\tapi/big.bin",
        ])
        .unwrap();
        let kinds: Vec<_> =
            listing.under("api").iter().map(|(path, file)| (path.clone(), file.kind, file.size)).collect();
        assert_eq!(
            kinds,
            [("api/big.bin".into(), EntryKind::File, None), ("api/etc".into(), EntryKind::Link, Some(11))]
        );
        assert_eq!(listing.hashes().get("api").map(String::as_str), Some("2222"));
        assert_eq!(listing.files(), 4);
    }

    #[test]
    fn too_many_entries_are_refused() {
        let lines = ["100644 blob 1 1\ta"; 6];
        assert_eq!(listing(&lines).unwrap_err().code(), "source_over_limits");
    }
}
