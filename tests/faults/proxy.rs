//! The reverse proxy is killed, master and workers, where no systemd looks after it.
//!
//! Rule: the site is back by itself, and a release during which it happens ends honestly. Neighbour: `lab_server` (the same under
//! systemd).

use std::path::Path;
use std::time::{Duration, Instant};

use hydron_tests::stack::pipeline::steps;
use hydron_tests::stack::process::signal;
use hydron_tests::stack::site::Visitor;
use serde_json::json;

use crate::docker::containers;
use crate::repository::Repository;
use crate::world::World;

use super::stops::{redeploy, released};

/// Longest time without a site.
const BACK: Duration = Duration::from_secs(15);

#[tokio::test]
async fn a_killed_proxy_is_back_by_itself_and_a_release_meanwhile_ends_honestly() {
    let mut world = World::start().await;
    let mut repository = Repository::answering("proxied", "version one");
    let (project, _) = world.deploy(&repository, "proxied").await;
    let visitor = world.visitor(&project).await;
    for _ in 0..2 {
        kill(world.agent.root());
        let since = Instant::now();
        serves(&visitor, &["version one"], &world).await;
        println!("the site was back after {:?}", since.elapsed());
    }

    repository.edit("app.py", "version one", "version two");
    world.publish(&repository);
    let run = redeploy(&world.client, &project).await;
    let path = format!("/runs/{run}");
    let running = |step: &serde_json::Value| step["kind"] == "release" && step["state"] == "running";
    world.client.until(&path, Duration::from_mins(2), |run| Ok(steps(run).any(running))).await.unwrap();
    // The candidate is being asked for its health now; the switch is yet to come.
    kill(world.agent.root());
    let mut ended = world.finished(&run).await;
    println!("{}", ended["state"]);
    let now = if released(&ended) { "version two" } else { "version one" };
    serves(&visitor, &[now], &world).await;
    if ended["state"] == "failed" {
        world.client.post(&format!("{path}/retry"), json!({})).await.unwrap();
        ended = world.finished(&run).await;
    }
    assert_eq!(ended["state"], "completed", "{ended:#}\n{}", world.logs());
    serves(&visitor, &["version two"], &world).await;
    assert_eq!(containers(&project, "proxied").len(), 1);
}

/// Waits until the site answers one of these.
async fn serves(visitor: &Visitor, bodies: &[&str], world: &World) {
    let deadline = Instant::now() + BACK;
    loop {
        let answer = visitor.get("/").await;
        if answer.as_ref().is_ok_and(|(status, body)| *status == 200 && bodies.contains(&body.as_str())) {
            return;
        }
        assert!(Instant::now() < deadline, "{answer:?} instead of {bodies:?}\n{}", world.logs());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Master first, so that it cannot start workers anew.
fn kill(root: &Path) {
    let pid = std::fs::read_to_string(root.join("var/lib/hydron/edge/run/nginx.pid")).unwrap();
    let master: u32 = pid.trim().parse().unwrap();
    let workers = children(master);
    assert!(!workers.is_empty(), "no worker of {master}");
    for pid in std::iter::once(master).chain(workers) {
        signal(pid, "KILL").unwrap();
    }
}

fn children(parent: u32) -> Vec<u32> {
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        after_name.split_ascii_whitespace().nth(1) == Some(&parent.to_string())
    })
    .collect()
}
