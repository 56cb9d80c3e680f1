//! A commit of a git repository as a `FileTree`, through `git ls-tree` and one `git cat-file --batch`.
//!
//! One rule: nothing is checked out and nothing of the repository runs.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, bail};
use hydron_analysis::{Entry, EntryKind, FileTree, TreeError};

/// One commit.
pub(crate) struct GitTree {
    entries: Vec<Entry>,
    blobs: HashMap<String, String>,
    batch: Mutex<Batch>,
}

struct Batch {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Drop for Batch {
    fn drop(&mut self) {
        self.input = None;
        let _ = self.child.wait();
    }
}

impl GitTree {
    /// Lists a commit.
    pub(crate) fn open(repo: &Path, commit: &str) -> anyhow::Result<Self> {
        let listing =
            git(repo).args(["ls-tree", "-r", "-l", "-z", commit]).output().context("git ls-tree")?;
        if !listing.status.success() {
            bail!("{}: {}", repo.display(), String::from_utf8_lossy(&listing.stderr).trim());
        }
        let mut entries = Vec::new();
        let mut blobs = HashMap::new();
        for line in listing.stdout.split(|b| *b == 0).filter(|l| !l.is_empty()) {
            let line = String::from_utf8_lossy(line);
            let Some((meta, path)) = line.split_once('\t') else { continue };
            let mut words = meta.split_whitespace();
            let (Some(mode), Some(_), Some(id)) = (words.next(), words.next(), words.next()) else {
                continue;
            };
            let size = words.next().and_then(|s| s.parse().ok()).unwrap_or(0);
            let kind = match mode {
                "120000" => EntryKind::Link,
                "160000" => EntryKind::Submodule,
                "100755" => EntryKind::Executable,
                _ => EntryKind::File,
            };
            blobs.insert(path.to_owned(), id.to_owned());
            entries.push(Entry { path: path.to_owned(), kind, size: Some(size) });
        }
        let mut child = git(repo)
            .args(["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("git cat-file")?;
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().context("no pipe from git cat-file")?);
        Ok(Self { entries, blobs, batch: Mutex::new(Batch { child, input, output }) })
    }
}

fn git(repo: &Path) -> Command {
    let mut command = Command::new("git");
    let dir: PathBuf = repo.to_owned();
    command.arg("--git-dir").arg(if dir.join(".git").exists() { dir.join(".git") } else { dir });
    command.env("GIT_CONFIG_NOSYSTEM", "1");
    command
}

impl FileTree for GitTree {
    fn entries(&self) -> Result<Vec<Entry>, TreeError> {
        Ok(self.entries.clone())
    }

    fn read(&self, path: &str, cap: usize) -> Result<Vec<u8>, TreeError> {
        let failed = |reason: String| TreeError::Read { path: path.to_owned(), reason };
        let id = self.blobs.get(path).ok_or_else(|| failed("no such file".to_owned()))?;
        let mut batch = self.batch.lock().unwrap_or_else(PoisonError::into_inner);
        let batch = &mut *batch;
        let input = batch.input.as_mut().ok_or_else(|| failed("git has ended".to_owned()))?;
        writeln!(input, "{id}").and_then(|()| input.flush()).map_err(|e| failed(e.to_string()))?;
        let mut header = String::new();
        batch.output.read_line(&mut header).map_err(|e| failed(e.to_string()))?;
        let size: usize = header
            .split_whitespace()
            .nth(2)
            .and_then(|s| s.parse().ok())
            .ok_or_else(|| failed(header.trim().to_owned()))?;
        let mut content = vec![0; size];
        batch.output.read_exact(&mut content).map_err(|e| failed(e.to_string()))?;
        let mut newline = [0];
        batch.output.read_exact(&mut newline).map_err(|e| failed(e.to_string()))?;
        content.truncate(cap);
        Ok(content)
    }
}
