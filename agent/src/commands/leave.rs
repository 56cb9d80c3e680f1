//! `hydron-agent leave`: this server forgets who it was. Applications, volumes and the proxy stay as they are.
//!
//! Rule: never while the executor runs; the audit log stays.

use anyhow::Context as _;
use nix::fcntl::{Flock, FlockArg};

use super::say;
use crate::root::Root;

/// Removes identity, keys, ledger and runs.
pub(super) fn run(root: &Root) -> anyhow::Result<()> {
    let lock = root.exec().join("lock");
    if let Ok(file) = std::fs::OpenOptions::new().write(true).open(&lock) {
        let free = Flock::lock(file, FlockArg::LockExclusiveNonblock).is_ok();
        anyhow::ensure!(free, "the executor is running: stop the agent first, then leave");
    }
    for path in ["identity.json", "ledger.json"].map(|name| root.exec().join(name)) {
        remove(&path, std::fs::remove_file(&path))?;
    }
    for path in [root.exec().join("keys"), root.runs(), root.quarantine(), root.link()] {
        remove(&path, std::fs::remove_dir_all(&path))?;
    }
    say("This server has left. Its applications keep running; remove the server on its page, too.")
}

fn remove(path: &std::path::Path, removed: std::io::Result<()>) -> anyhow::Result<()> {
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("remove {}", path.display()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
