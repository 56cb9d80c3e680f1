//! What a caller may set: names, caps, default versions, and what the builder understands.
//!
//! One rule: nothing here changes *what* is found, only how much is read and how recipes are written.

use std::collections::BTreeMap;

/// Settings of one reading.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Name for a service at the root whose manifest has none (the repository's name).
    pub repository_name: Option<String>,
    /// Look for services only below this directory; the rest of the tree still gives context.
    pub subdir: Option<String>,
    /// Limits.
    pub caps: Caps,
    /// Versions to use where the repository names none: `python` → `3.11`, `node` → `20`.
    pub default_versions: BTreeMap<String, String>,
    /// Full image names to use instead of the usual ones: `python:3.11-slim` → `mirror.example/python:3.11-slim`.
    pub images: BTreeMap<String, String>,
    /// What the image builder understands.
    pub builder: BuilderCaps,
}

/// How long a caller should let a reading go on, in seconds; it says so through [`crate::FileTree::in_time`].
pub const PATIENCE_S: u64 = 60;

/// Limits that keep a hostile tree harmless.
#[derive(Debug, Clone, Copy)]
pub struct Caps {
    /// Entries considered.
    pub files: usize,
    /// Bytes read of one file.
    pub file_bytes: usize,
    /// Bytes read in all.
    pub total_bytes: u64,
    /// Directory depth considered.
    pub depth: usize,
    /// Services described; a tree with more is a collection, not a product.
    pub services: usize,
}

impl Default for Caps {
    fn default() -> Self {
        Self {
            files: 200_000,
            file_bytes: 512 * 1024,
            total_bytes: 192 * 1024 * 1024,
            depth: 40,
            services: 200,
        }
    }
}

impl Caps {
    /// These limits with one of them changed, as people write it: `services=500`.
    pub fn with(mut self, text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} must look like services=500; known are {CAP_NAMES}");
        let (name, value) = text.split_once('=').ok_or_else(wrong)?;
        let number: u64 = value.trim().parse().ok().filter(|n| *n > 0).ok_or_else(wrong)?;
        let size = usize::try_from(number).map_err(|_| wrong())?;
        match name.trim() {
            "files" => self.files = size,
            "file_bytes" => self.file_bytes = size,
            "total_bytes" => self.total_bytes = number,
            "depth" => self.depth = size,
            "services" => self.services = size,
            _ => return Err(wrong()),
        }
        Ok(self)
    }
}

/// What a caller may set.
const CAP_NAMES: &str = "files, file_bytes, total_bytes, depth, services";

/// Features of the image builder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BuilderCaps {
    /// `RUN --mount=type=cache` (BuildKit).
    pub cache_mounts: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cap_is_changed_by_its_name_and_nothing_else_is_taken_for_one() {
        let caps = Caps::default().with("services=5").and_then(|c| c.with("depth = 7"));
        assert_eq!(caps.map(|c| (c.services, c.depth, c.files)), Ok((5, 7, 200_000)));
        for wrong in ["services", "services=0", "services=-1", "services=many", "doors=3", ""] {
            assert!(Caps::default().with(wrong).is_err_and(|e| e.contains("file_bytes")), "{wrong}");
        }
    }
}
