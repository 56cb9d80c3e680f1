//! `kill -9` is a normal event: the run completes, each step ran once, the stored log equals the spool.

use std::time::{Duration, Instant};

use hydron_tests::stack::client::Client;
use hydron_tests::stack::pipeline::{self, completed, steps};
use hydron_tests::stack::process::signal;
use serde_json::Value;

use crate::repository::Repository;
use crate::world::World;

/// A repository whose image build takes a few seconds and counts how often it ran; `unique` keeps the engine's cache out.
pub(crate) fn slow_repository(unique: &str) -> Repository {
    let mut repository = Repository::answering("slow", "slow but sure");
    let dockerfile = "FROM python:3.11-slim\nWORKDIR /app\n\
        RUN for i in 1 2 3 4 5 6; do echo \"tick $i\"; sleep 1; done\n\
        COPY app.py .\nUSER 10001\nEXPOSE 9123\nCMD [\"python\", \"app.py\"]\n";
    repository.write("Dockerfile", &format!("{dockerfile}# {unique}\n"));
    repository.edit("Dockerfile", "for i in", &format!("true {unique}; for i in"));
    repository
}

/// The build of [`slow_repository`] ran exactly once.
pub(crate) fn every_tick_once(log: &str) {
    for tick in 1..=6 {
        // The classic builder repeats the command in its "Step" line; count only whole lines.
        let count = log.lines().filter(|line| line.trim() == format!("tick {tick}")).count();
        assert_eq!(count, 1, "tick {tick} in:\n{log}");
    }
}

/// Every step of a completed run was done at the first attempt.
pub(crate) fn every_step_at_the_first_attempt(run: &Value) {
    for step in steps(run) {
        assert_eq!((&step["state"], &step["attempt"]), (&"completed".into(), &1.into()), "{step:#}");
    }
}

/// Takes a repository through the pipeline until its run is started; gives the run.
pub(crate) async fn start_run(client: &Client, project: &str, url: &str) -> String {
    pipeline::analyse(client, project, url).await.unwrap();
    client.post(&format!("/projects/{project}/services/accept-all"), serde_json::json!({})).await.unwrap();
    let plan = pipeline::plan(client, project).await.unwrap();
    pipeline::approve(client, &plan).await.unwrap()
}

async fn start_slow_run(world: &mut World) -> String {
    let url = world.publish(&slow_repository(&world.dir.display().to_string()));
    let project = world.project("slow").await;
    start_run(&world.client, &project, &url).await
}

/// Waits until the build is in the middle of its step; gives the step.
pub(crate) async fn wait_for_build(client: &Client, run: &str, server: &str) -> anyhow::Result<u64> {
    let state = client
        .until(&format!("/runs/{run}"), Duration::from_mins(2), |run| {
            anyhow::ensure!(run["state"] != "failed", "{run:#}");
            Ok(steps(run).any(|step| step["kind"] == "image_build" && step["state"] == "running"))
        })
        .await?;
    let index = steps(&state).find(|step| step["kind"] == "image_build").unwrap()["index"].as_u64().unwrap();
    let deadline = Instant::now() + Duration::from_mins(1);
    while !pipeline::log(client, run, server, (index, 1)).await?.contains("tick 2") {
        anyhow::ensure!(Instant::now() < deadline, "the build does not say tick 2");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(index)
}

async fn each_step_ran_once(world: &World, run: &str, build: u64) {
    let state = world.finished(run).await;
    let state: Value = completed(state).unwrap_or_else(|error| panic!("{error:#}\n{}", world.logs()));
    every_step_at_the_first_attempt(&state);
    let log = world.log(run, build, 1).await;
    every_tick_once(&log);
    let spool = world.agent.root().join(format!("var/lib/hydron/exec/runs/{run}/steps/{build}.1/spool"));
    if let Ok(spool) = std::fs::read(&spool) {
        assert_eq!(String::from_utf8_lossy(&spool), log, "the stored log is the spool");
    }
}

async fn building(world: &World, run: &str) -> u64 {
    wait_for_build(&world.client, run, &world.server)
        .await
        .unwrap_or_else(|error| panic!("{error:#}\n{}", world.logs()))
}

fn kill(world: &World, roles: &[&str]) {
    for role in roles {
        let pids = world.agent.pids(role);
        assert!(!pids.is_empty(), "no process {role}");
        for pid in pids {
            signal(pid, "KILL").unwrap();
        }
    }
}

#[tokio::test]
async fn a_coordinator_killed_in_the_middle_of_a_step_finds_the_run_again() {
    let mut world = World::start().await;
    let run = start_slow_run(&mut world).await;
    let build = building(&world, &run).await;
    world.coordinator.process_mut().kill().unwrap();
    world.coordinator.restart().await.unwrap();
    each_step_ran_once(&world, &run, build).await;
}

#[tokio::test]
async fn a_link_and_an_executor_killed_in_the_middle_of_a_step_do_not_repeat_it() {
    for roles in [&["link"][..], &["exec"], &["link", "exec"]] {
        let mut world = World::start().await;
        let run = start_slow_run(&mut world).await;
        let build = building(&world, &run).await;
        kill(&world, roles);
        each_step_ran_once(&world, &run, build).await;
    }
}

#[tokio::test]
async fn a_killed_step_host_gives_an_honest_end() {
    let mut world = World::start().await;
    let run = start_slow_run(&mut world).await;
    building(&world, &run).await;
    kill(&world, &["step-host"]);
    // An image build is idempotent: its declared policy is to run again, as attempt 2.
    let state =
        completed(world.finished(&run).await).unwrap_or_else(|error| panic!("{error:#}\n{}", world.logs()));
    let build = steps(&state).find(|step| step["kind"] == "image_build").unwrap();
    assert_eq!(build["attempt"], 2, "{build:#}");
}
