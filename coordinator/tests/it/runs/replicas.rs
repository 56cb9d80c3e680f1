//! Several coordinators on one PostgreSQL: whoever holds a server's connection tells it what is due, and nothing runs twice.

use std::sync::Arc;
use std::time::Duration;

use hydron_coordinator::clock::Clock as _;
use hydron_proto::plan::{Step, StepRef, StepResult};
use hydron_store::testing::{Engine, POSTGRES_URL};
use hydron_tests::sim_agent::{LinkEnd, Play, SimAgent};
use serde_json::json;

use super::bench::{Bench, steps};
use crate::harness::{TestCoordinator, World};

/// A world on PostgreSQL and a second coordinator beside it; none when there is no PostgreSQL to be tested.
async fn two() -> Option<(World, TestCoordinator)> {
    let Some(world) = World::start(Engine::Postgres).await else {
        eprintln!("skipped: {POSTGRES_URL} is not set");
        return None;
    };
    let first = &world.coordinator;
    let second =
        TestCoordinator::start_with(first.config.clone(), first.clock.clone(), first.dir.clone()).await;
    Some((world, second))
}

/// An agent whose steps take a while, dialling the second coordinator.
async fn agent_at(bench: &Bench<'_>, name: &str, other: &TestCoordinator) -> SimAgent {
    let script = Arc::new(|step: &Step, _| Play::Succeed {
        output: format!("{}\n", step.title).into_bytes(),
        takes: Duration::from_millis(100),
        result: StepResult::Done {},
    });
    bench.agent(name, script).await.at(other.app.agents.address().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_of_one_run_may_be_connected_to_different_coordinators() {
    let Some((world, other)) = two().await else { return };
    let bench = Bench::start(&world).await;
    let there = agent_at(&bench, "alpha", &other).await;
    let here = agent_at(&bench, "beta", &world.coordinator).await;
    let (_one, _two) = (there.connect_welcomed().await.unwrap(), here.connect_welcomed().await.unwrap());
    let mut first = steps(3);
    first[2].after = vec![StepRef { server: here.identity.server, step: 0 }];
    let mut second = steps(3);
    second[1].after = vec![StepRef { server: there.identity.server, step: 1 }];
    let run = bench.run(vec![(there.identity.server, first), (here.identity.server, second)]).await;
    let done = bench
        .until(run, "completed", |seen| {
            assert_ne!(seen["note"], "agent_offline", "connected to another coordinator is not offline");
            seen["state"] == "completed"
        })
        .await;
    assert_eq!((&done["servers"][0]["online"], &done["servers"][1]["online"]), (&json!(true), &json!(true)));
    for agent in [&there, &here] {
        assert_eq!(agent.executor.starts(), [(run, 0, 1), (run, 1, 1), (run, 2, 1)]);
    }
    let seen = bench.owner().get(&format!("/servers/{}", there.identity.server)).await.ok(200);
    assert_eq!(seen["online"], true, "the coordinator that was asked does not hold the connection");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_passes_to_the_coordinator_that_the_agent_comes_back_to_and_no_step_runs_twice() {
    let Some((world, other)) = two().await else { return };
    let bench = Bench::start(&world).await;
    let agent = agent_at(&bench, "alpha", &other).await;
    let link = agent.connect_welcomed().await.unwrap();
    let run = bench.run(vec![(agent.identity.server, steps(12))]).await;
    bench.until(run, "under way", |seen| seen["servers"][0]["steps"][3]["state"] == "completed").await;
    // Steered through the coordinator that does not hold the connection.
    bench.owner().post(&format!("/runs/{run}/pause"), json!({})).await.ok(200);
    bench.until_state(run, "paused").await;
    let began = world.coordinator.clock.now_ms();
    bench.owner().post(&format!("/runs/{run}/resume"), json!({})).await.ok(200);
    bench.until(run, "under way again", |seen| seen["state"] == "in_progress").await;
    other.stop().await;
    drop(link.ended().await);
    let _link = agent.at(bench.address()).connect_welcomed().await.unwrap();
    bench.until_state(run, "completed").await;
    assert_eq!(agent.executor.starts(), (0..12).map(|step| (run, step, 1)).collect::<Vec<_>>());
    assert_eq!(world.coordinator.clock.now_ms(), began, "no lease had to run out");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_removed_at_one_coordinator_loses_its_connection_to_the_other() {
    let Some((world, other)) = two().await else { return };
    let bench = Bench::start(&world).await;
    let there = agent_at(&bench, "alpha", &other).await;
    let link = there.connect_welcomed().await.unwrap();
    bench.owner().delete(&format!("/servers/{}", there.identity.server)).await.ok(204);
    let ended = tokio::time::timeout(Duration::from_secs(5), link.ended()).await;
    assert_eq!(ended.expect("within five seconds"), LinkEnd::Closed(4003));
}
