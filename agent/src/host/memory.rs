//! How often the kernel has ended a process for lack of memory, in the memory group that this process is in.
//!
//! Rule: a count that cannot be read is none, and then nothing is claimed. Neighbour: `attempt`, which compares two counts.

use std::path::{Path, PathBuf};

/// Where the hierarchies are.
const HIERARCHIES: &str = "/sys/fs/cgroup";

/// The file that counts for this process.
#[derive(Debug)]
pub(super) struct Kills(PathBuf);

impl Kills {
    /// The nearest group at this process or above it that counts.
    pub(super) fn here() -> Option<Self> {
        let table = std::fs::read_to_string("/proc/self/cgroup").ok()?;
        candidates(&table).into_iter().map(Self).find(|kills| kills.count().is_some())
    }

    /// The count.
    pub(super) fn count(&self) -> Option<u64> {
        count(&std::fs::read_to_string(&self.0).ok()?)
    }
}

/// `memory.events` of v2 and `memory.oom_control` of v1 have this line in common.
fn count(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
}

/// Files that may count, best first: v2 from the own group upwards (a group below the one with the limit has none), then v1.
fn candidates(table: &str) -> Vec<PathBuf> {
    let group = |controller: &str| {
        table.lines().find_map(|line| {
            let mut fields = line.splitn(3, ':').skip(1);
            let controllers = fields.next()?;
            let path = fields.next()?.trim_start_matches('/');
            controllers.split(',').any(|name| name == controller).then(|| PathBuf::from(path))
        })
    };
    let v2 = group("").into_iter().flat_map(|group| {
        let above = |group: &Path| Path::new(HIERARCHIES).join(group).join("memory.events");
        group.ancestors().map(above).collect::<Vec<_>>()
    });
    let v1 = group("memory")
        .map(|group| Path::new(HIERARCHIES).join("memory").join(group).join("memory.oom_control"));
    v2.chain(v1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_say_it_in_the_same_words() {
        assert_eq!(count("low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n"), Some(2));
        assert_eq!(count("oom_kill_disable 0\nunder_oom 0\noom_kill 7\n"), Some(7));
        assert_eq!(count("oom_kill_disable 0\n"), None);
    }

    #[test]
    fn the_own_group_comes_before_those_above_it_and_before_version_one() {
        let found = candidates("4:memory:/m\n0::/system.slice/run.service/steps\n");
        let found: Vec<_> = found.iter().map(|path| path.to_str().unwrap()).collect();
        assert_eq!(found[0], "/sys/fs/cgroup/system.slice/run.service/steps/memory.events");
        assert_eq!(found[1], "/sys/fs/cgroup/system.slice/run.service/memory.events");
        assert_eq!(found.last(), Some(&"/sys/fs/cgroup/memory/m/memory.oom_control"));
    }
}
