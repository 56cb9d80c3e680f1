//! The kernel ends a process of a step for lack of memory.
//!
//! Rule: the step fails and says why, its host lives, and everything else goes on. The memory group is the test's own, in
//! whichever version of control groups this machine has.

use std::path::{Path, PathBuf};
use std::time::Duration;

use hydron_tests::stack::pipeline::steps;
use serde_json::json;

use crate::counting_runs;
use crate::world::World;

/// Room for a step host and a shell, and for nothing that swells.
const LIMIT: &str = "67108864";
/// A process that keeps all that it reads.
const SWELLS: &str = "echo before; head -c 300000000 /dev/zero | tail -c 300000000 >/dev/null";

/// A group with a limit; processes in it go back when it is dropped.
struct Limited(PathBuf);

impl Limited {
    /// None when this machine lets nobody limit memory.
    fn make() -> Option<Self> {
        let name = format!("hydron-test-{}", std::process::id());
        for (hierarchy, limit) in [("memory", "memory.limit_in_bytes"), ("", "memory.max")] {
            let path = Path::new("/sys/fs/cgroup").join(hierarchy).join(&name);
            if std::fs::create_dir(&path).is_ok() && std::fs::write(path.join(limit), LIMIT).is_ok() {
                return Some(Self(path));
            }
            let _ = std::fs::remove_dir(&path);
        }
        None
    }

    fn hold(&self, pid: u32) {
        std::fs::write(self.0.join("cgroup.procs"), pid.to_string()).unwrap();
    }
}

impl Drop for Limited {
    fn drop(&mut self) {
        let members = std::fs::read_to_string(self.0.join("cgroup.procs")).unwrap_or_default();
        for pid in members.lines() {
            let _ = std::fs::write(self.0.with_file_name("cgroup.procs"), pid);
        }
        let _ = std::fs::remove_dir(&self.0);
    }
}

#[tokio::test]
async fn a_step_that_runs_out_of_memory_says_so_and_takes_nobody_with_it() {
    let Some(limited) = Limited::make() else {
        eprintln!("skipped: no memory group can be made here");
        return;
    };
    let mut world = World::start().await;

    // The last of a pipe decides how the shell ends.
    let quiet = vec!["echo one".to_owned(), "sleep 1; echo two".to_owned(), "echo three".to_owned()];
    let mut runs = counting_runs::waiting_to_do(&mut world, &[vec![SWELLS.to_owned()], quiet]).await;
    let (other, swelling) = (runs.remove(1), runs.remove(0));
    limited.hold(swelling.host(&world));
    let executor = world.agent.pids("exec");
    for run in [&swelling, &other] {
        world.client.post(&format!("/runs/{}/resume", run.id), json!({})).await.unwrap();
    }
    let failed = world.finished(&swelling.id.to_string()).await;
    assert_eq!(failed["state"], "failed", "{failed:#}\n{}", world.logs());
    let step = steps(&failed).next().unwrap();
    let said = step.to_string();
    println!("{step:#}");
    assert!(said.contains("memory ran out"), "it does not say why: {step:#}");
    assert!(world.log(&swelling.id.to_string(), 0, 1).await.contains("before"));
    assert_eq!(world.finished(&other.id.to_string()).await["state"], "completed");
    assert_eq!(world.agent.pids("exec"), executor, "the executor lives");
    let online = format!("/servers/{}", world.server);
    world.client.until(&online, Duration::from_secs(5), |server| Ok(server["online"] == true)).await.unwrap();
}
