//! The server's own record of what its executor decided: one JSON line each, chained by hash.
//!
//! Rule: every decision has a line before its effect; details stay here, only codes leave the server.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The open log.
#[derive(Debug)]
pub struct Audit {
    file: File,
    head: String,
}

/// What is written of one decision.
#[derive(Debug, Clone, Default, Serialize, Deserialize, PartialEq, Eq)]
pub struct Entry {
    /// Milliseconds since 1970.
    pub at_unix_ms: i64,
    /// `envelope`, `permit`, `hold`, `cancel`, `confirm`, `forget`, `step`, `quarantine`.
    pub subject: String,
    /// The run it was about, as the sender named it.
    pub run: String,
    /// `accepted`, or the code of the refusal.
    pub decision: String,
    /// Which step and attempt, digest, or what was wrong.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

#[derive(Serialize, Deserialize)]
struct Line {
    #[serde(flatten)]
    entry: Entry,
    /// SHA-256 of the line before, without its line end; empty in the first.
    previous: String,
}

impl Audit {
    /// Opens the log and goes on after its last line. A line that a crash cut short is closed and chained like any other.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut head = String::new();
        let mut whole = true;
        if path.exists() {
            let mut reader = BufReader::new(File::open(path)?);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line)? > 0 {
                whole = line.last() == Some(&b'\n');
                head = hash(line.strip_suffix(b"\n").unwrap_or(&line));
                line.clear();
            }
        }
        let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        if !whole {
            file.write_all(b"\n")?;
        }
        Ok(Self { file, head })
    }

    /// Adds a line.
    pub fn record(&mut self, entry: Entry) -> io::Result<()> {
        let line = Line { entry, previous: self.head.clone() };
        let mut bytes = serde_json::to_vec(&line).map_err(io::Error::other)?;
        self.head = hash(&bytes);
        bytes.push(b'\n');
        self.file.write_all(&bytes)
    }
}

/// Reads a log and says how many lines it has, or which line breaks the chain.
pub fn check(path: &Path) -> io::Result<Result<usize, usize>> {
    let mut head = String::new();
    let mut count = 0;
    for line in BufReader::new(File::open(path)?).split(b'\n') {
        let line = line?;
        count += 1;
        match serde_json::from_slice::<Line>(&line) {
            Ok(parsed) if parsed.previous == head => head = hash(&line),
            Ok(_) => return Ok(Err(count)),
            // A line that a crash cut short: the next one chains to it all the same.
            Err(_) => head = hash(&line),
        }
    }
    Ok(Ok(count))
}

fn hash(line: &[u8]) -> String {
    Sha256::digest(line).iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(run: &str) -> Entry {
        Entry { run: run.into(), ..Entry::default() }
    }

    #[test]
    fn a_changed_or_removed_line_breaks_the_chain_and_a_torn_one_does_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("audit.jsonl");
        for run in ["a", "b", "c"] {
            Audit::open(&path).unwrap().record(entry(run)).unwrap();
        }
        assert_eq!(check(&path).unwrap(), Ok(3));
        let text = std::fs::read_to_string(&path).unwrap();
        let without: String = text.split_inclusive('\n').filter(|line| !line.contains("\"b\"")).collect();
        std::fs::write(&path, without).unwrap();
        assert_eq!(check(&path).unwrap(), Err(2));
        std::fs::write(&path, format!("{text}{{\"at_uni")).unwrap();
        Audit::open(&path).unwrap().record(entry("d")).unwrap();
        assert_eq!(check(&path).unwrap(), Ok(5));
    }
}
