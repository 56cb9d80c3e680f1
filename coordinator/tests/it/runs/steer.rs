//! Pause, resume, stop: at the step boundary, and only when the state allows it.

use std::sync::Arc;

use hydron_coordinator::services::runs::CreateRunError;
use hydron_proto::ids::RunId;
use hydron_tests::sim_agent::{Play, SimAgent};
use serde_json::json;

use super::bench::{Bench, easy, steps};
use crate::in_a_world;

fn hangs_in_step_1() -> hydron_tests::sim_agent::Script {
    Arc::new(|step, _| if step.title == "step 1" { Play::Hang } else { Play::done("fine\n") })
}

/// Waits until the executor was told to go no further.
async fn held(agent: &SimAgent, run: RunId) {
    for _ in 0..400 {
        if agent.executor.is_held(run) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("the executor was never told to hold");
}

in_a_world! {
    async fn pause_takes_effect_after_the_running_step_and_resume_goes_on(world: World) {
        let bench = Bench::start(&world).await;
        let agent = bench.agent("alpha", hangs_in_step_1()).await;
        let _link = agent.connect().await.unwrap();
        let run = bench.run(vec![(agent.identity.server, steps(4))]).await;
        bench.until(run, "in step 1", |seen| seen["servers"][0]["steps"][1]["state"] == "running").await;
        let pausing = bench.owner().post(&format!("/runs/{run}/pause"), json!({})).await.ok(200);
        assert_eq!((&pausing["state"], &pausing["pausing"]), (&json!("in_progress"), &json!(true)));
        held(&agent, run).await;
        agent.executor.release();
        let paused = bench.until_state(run, "paused").await;
        assert_eq!(paused["servers"][0]["steps"][1]["state"], "completed", "the current step finishes");
        assert_eq!(paused["servers"][0]["steps"][2]["state"], "pending");
        bench.owner().post(&format!("/runs/{run}/resume"), json!({})).await.ok(200);
        bench.until_state(run, "completed").await;
        assert_eq!(agent.executor.starts(), (0..4).map(|step| (run, step, 1)).collect::<Vec<_>>());
    }

    async fn stop_ends_the_run_at_the_boundary_and_an_end_is_an_end(world: World) {
        let bench = Bench::start(&world).await;
        let agent = bench.agent("alpha", hangs_in_step_1()).await;
        let _link = agent.connect().await.unwrap();
        let run = bench.run(vec![(agent.identity.server, steps(4))]).await;
        bench.until(run, "in step 1", |seen| seen["servers"][0]["steps"][1]["state"] == "running").await;
        let stopping = bench.owner().post(&format!("/runs/{run}/stop"), json!({})).await.ok(200);
        assert_eq!(stopping["stopping"], true);
        held(&agent, run).await;
        agent.executor.release();
        let stopped = bench.until_state(run, "stopped").await;
        assert_eq!(stopped["servers"][0]["steps"][3]["state"], "skipped");
        assert!(stopped["finished_at"].is_number());
        for verb in ["pause", "resume", "stop", "retry"] {
            let answer = bench.owner().post(&format!("/runs/{run}/{verb}"), json!({})).await;
            assert_eq!(answer.problem(409), "wrong_state", "{verb}");
        }
    }

    async fn a_paused_run_starts_nothing_over_a_new_connection(world: World) {
        let bench = Bench::start(&world).await;
        let agent = bench.agent("alpha", hangs_in_step_1()).await;
        let link = agent.connect().await.unwrap();
        let run = bench.run(vec![(agent.identity.server, steps(4))]).await;
        bench.until(run, "in step 1", |seen| seen["servers"][0]["steps"][1]["state"] == "running").await;
        link.cut().await;
        bench.owner().post(&format!("/runs/{run}/pause"), json!({})).await.ok(200);
        let _link = agent.connect().await.unwrap();
        held(&agent, run).await;
        agent.executor.release();
        bench.until_state(run, "paused").await;
        assert_eq!(agent.executor.starts().len(), 2);
    }

    async fn one_run_at_a_time_changes_a_project(world: World) {
        let bench = Bench::start(&world).await;
        let script = Arc::new(|step: &hydron_proto::plan::Step, attempt| match (step.title.as_str(), attempt) {
            ("step 1", 1) => Play::Fail { output: b"no\n".to_vec(), message: "exit code 1" },
            ("step 3", _) => Play::Hang,
            _ => Play::done("fine\n"),
        });
        let agent = bench.agent("alpha", script).await;
        let server = agent.identity.server;
        let _link = agent.connect().await.unwrap();
        let failed = bench.run(vec![(server, steps(2))]).await;
        bench.until_state(failed, "failed").await;
        let second = bench.run(vec![(server, steps(1))]).await;
        bench.until_state(second, "completed").await;
        let third = vec![(server, steps(5).split_off(3))];
        let third = bench.run(third).await;
        bench.until(third, "in step 3", |seen| seen["servers"][0]["steps"][0]["state"] == "running").await;
        assert!(matches!(bench.try_run(vec![(server, steps(1))]).await, Err(CreateRunError::Busy)));
        let again = bench.owner().post(&format!("/runs/{failed}/retry"), json!({})).await;
        assert_eq!(again.problem(409), "wrong_state");
        bench.until_state(failed, "failed").await;
        let path = format!("/projects/{}", bench.project);
        assert_eq!(bench.owner().delete(&path).await.problem(409), "wrong_state");
        agent.executor.release();
        bench.until_state(third, "completed").await;
        bench.owner().post(&format!("/runs/{failed}/retry"), json!({})).await.ok(200);
        bench.until_state(failed, "completed").await;
    }

    async fn a_run_that_only_looks_stands_in_nobodys_way(world: World) {
        let bench = Bench::start(&world).await;
        let agent = bench.agent("alpha", easy()).await;
        let server = agent.identity.server;
        let looking = bench.look(server).await;
        bench.until(looking, "waiting for its agent", |seen| seen["note"] == "agent_offline").await;
        let beside = bench.run(vec![(server, steps(2))]).await;
        let another = bench.look(server).await;
        let _link = agent.connect().await.unwrap();
        for run in [looking, beside, another] {
            bench.until_state(run, "completed").await;
        }
    }
}
