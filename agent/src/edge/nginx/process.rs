//! The processes of our nginx: found by its pid file, recognised by its own configuration in the command line.
//!
//! Rule: no signal goes to a process that is not recognised.

use std::path::Path;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::edge::EdgePaths;

/// The master process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Master(u32);

impl Master {
    /// The master of our instance, if it runs.
    pub(super) fn running(paths: &EdgePaths) -> Option<Self> {
        let pid: u32 = std::fs::read_to_string(paths.pid()).ok()?.trim().parse().ok()?;
        let command_line = command_line(pid)?;
        let ours = paths.configuration();
        (command_line.contains("nginx: master") && command_line.contains(&*ours.to_string_lossy()))
            .then_some(Self(pid))
    }

    /// Asks it to read its configuration again.
    pub(super) fn reload(self) -> Result<(), Errno> {
        kill(Pid::from_raw(i32::try_from(self.0).unwrap_or(i32::MAX)), Signal::SIGHUP)
    }

    /// Process ids of its workers.
    pub(super) fn workers(self) -> Vec<u32> {
        processes().filter(|pid| parent(*pid) == Some(self.0)).collect()
    }

    /// Workers that only finish what they have.
    pub(super) fn draining_workers(self) -> usize {
        self.workers().into_iter().filter(|pid| !accepts_connections(*pid)).count()
    }
}

/// Asks workers whose master died to finish what they have and to give their ports back.
pub(super) fn dismiss_orphans(paths: &EdgePaths) {
    for pid in processes().filter(|pid| is_orphan(*pid, paths)) {
        let _ = kill(Pid::from_raw(i32::try_from(pid).unwrap_or(i32::MAX)), Signal::SIGQUIT);
    }
}

/// An nginx worker without a master that writes our log: its command line no longer says whose it is.
fn is_orphan(pid: u32, paths: &EdgePaths) -> bool {
    let master = parent(pid).and_then(command_line);
    let is_worker = command_line(pid).is_some_and(|text| text.starts_with("nginx: worker"));
    is_worker
        && !master.is_some_and(|text| text.contains("nginx: master"))
        && std::fs::read_dir(format!("/proc/{pid}/fd")).is_ok_and(|files| {
            files
                .flatten()
                .any(|file| std::fs::read_link(file.path()).is_ok_and(|link| link == paths.error_log()))
        })
}

fn processes() -> impl Iterator<Item = u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Whether a worker is alive and not shutting down.
pub(super) fn accepts_connections(pid: u32) -> bool {
    command_line(pid).is_some_and(|text| text.contains("worker process") && !text.contains("shutting down"))
}

fn command_line(pid: u32) -> Option<String> {
    let bytes = std::fs::read(Path::new("/proc").join(pid.to_string()).join("cmdline")).ok()?;
    Some(String::from_utf8_lossy(&bytes).replace('\0', " "))
}

/// Field 4 of `/proc/PID/stat`, behind the name, which may contain anything.
fn parent(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)?.parse().ok()
}
