//! `hydron-agent leave`: this server forgets who it was. Applications, volumes and the proxy stay as they are.
//!
//! Rule: never while an executor runs; units are stopped for it and stay; the audit log stays. Neighbour: `uninstall`.

use nix::fcntl::{Flock, FlockArg};

use super::{remove, say, systemd};
use crate::root::Root;

/// Removes identity, keys, ledger and runs.
pub(super) fn run(root: &Root) -> anyhow::Result<()> {
    if systemd::is_installed(root) {
        systemd::stop_agent()?;
    }
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
    say("This server has left. Its applications keep running; remove the server on its page, too.")?;
    if systemd::is_installed(root) {
        say("`hydron-agent uninstall` removes the agent and the proxy, too.")?;
    }
    Ok(())
}
