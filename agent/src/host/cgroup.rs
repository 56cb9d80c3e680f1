//! Control groups: the only reliable list of a step's processes, also of those that left their session.
//!
//! Rule: one directory a run, one below it for the step that runs. cgroup v2 is the product; where it cannot be written,
//! a v1 hierarchy does the same with more work; where none can, the caller falls back to process groups.
//! Neighbours: `spawner` (puts processes in), `launch` (finds a dead host's leftovers).

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Hierarchies of v1 that may stand in, by what their line of /proc/self/cgroup names.
const V1: [&str; 2] = ["pids", "freezer"];

/// One directory of a control group hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cgroup(PathBuf);

impl Cgroup {
    /// The group this process is in: its v2 group when groups can be made there, else one of v1.
    pub(super) fn own() -> Option<Self> {
        let table = std::fs::read_to_string("/proc/self/cgroup").ok()?;
        candidates(&table).into_iter().map(Self).find(Self::is_writable)
    }

    /// A group by its directory.
    pub(super) fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Its directory.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// A group below this one; there already or made now.
    pub(super) fn child(&self, name: &str) -> io::Result<Self> {
        let path = self.0.join(name);
        match std::fs::create_dir(&path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            Ok(()) | Err(_) => Ok(Self(path)),
        }
    }

    /// Moves this process in, unless it is in. What it starts from now on is in, too.
    pub(super) fn enter(&self) -> io::Result<()> {
        if self.holds(Pid::this()) {
            return Ok(());
        }
        std::fs::write(self.0.join("cgroup.procs"), "0")
    }

    /// Whether a process is in it, and not in a group below.
    fn holds(&self, pid: Pid) -> bool {
        self.own_processes().any(|own| own == pid)
    }

    /// Sends a signal to every process in it but this one.
    pub(super) fn signal(&self, signal: Signal) {
        for pid in self.processes() {
            let _ = kill(pid, signal);
        }
    }

    /// Ends every process in it but this one for good; done when none is left.
    pub(super) async fn end(&self) {
        let mut pause = Duration::from_millis(1);
        while !self.is_empty() {
            // The whole group at once, so that nothing can fork away; not with this process in it.
            if self.holds(Pid::this()) || std::fs::write(self.0.join("cgroup.kill"), "1").is_err() {
                self.signal(Signal::SIGKILL);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(100));
        }
    }

    /// Whether no process but this one is left in it.
    pub(super) fn is_empty(&self) -> bool {
        self.processes().is_empty()
    }

    /// Removes it and the groups below; groups that still have processes stay.
    pub(super) fn remove(&self) {
        for child in self.children() {
            child.remove();
        }
        let _ = std::fs::remove_dir(&self.0);
    }

    /// Every process in it and below but this one.
    fn processes(&self) -> Vec<Pid> {
        let others = self.own_processes().filter(|pid| *pid != Pid::this());
        others.chain(self.children().iter().flat_map(Self::processes)).collect()
    }

    fn own_processes(&self) -> impl Iterator<Item = Pid> {
        let list = std::fs::read_to_string(self.0.join("cgroup.procs")).unwrap_or_default();
        let pids: Vec<i32> = list.lines().filter_map(|line| line.parse().ok()).collect();
        pids.into_iter().filter(|pid| *pid > 0).map(Pid::from_raw)
    }

    fn children(&self) -> Vec<Self> {
        let entries = std::fs::read_dir(&self.0).into_iter().flatten().flatten();
        entries
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
            .map(|entry| Self(entry.path()))
            .collect()
    }

    fn is_writable(&self) -> bool {
        let probe = self.0.join(format!("hydron-probe-{}", std::process::id()));
        let made = std::fs::create_dir(&probe).is_ok();
        let _ = std::fs::remove_dir(&probe);
        made
    }
}

/// Directories of this process's groups, best first.
fn candidates(table: &str) -> Vec<PathBuf> {
    let line = |names: &str| {
        table.lines().find_map(|line| {
            let mut fields = line.splitn(3, ':').skip(1);
            let controllers = fields.next()?;
            let path = fields.next()?.trim_start_matches('/');
            controllers.split(',').any(|name| name == names).then(|| path.to_owned())
        })
    };
    let mut found = Vec::new();
    if let Some(path) = line("") {
        let unified = Path::new("/sys/fs/cgroup/unified");
        let mount = if unified.is_dir() { unified } else { Path::new("/sys/fs/cgroup") };
        found.push(mount.join(path));
    }
    let v1 = V1.iter().filter_map(|name| Some(Path::new("/sys/fs/cgroup").join(name).join(line(name)?)));
    found.extend(v1);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unified_group_comes_first() {
        let table = "8:pids:/a\n6:freezer:/b\n1:cpu,cpuacct:/c\n0::/system.slice/x.service\n";
        let found = candidates(table);
        assert!(found[0].ends_with("system.slice/x.service"), "{found:?}");
        assert_eq!(found[1..], [PathBuf::from("/sys/fs/cgroup/pids/a"), "/sys/fs/cgroup/freezer/b".into()]);
    }
}
