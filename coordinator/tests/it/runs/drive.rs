//! Runs from permit to end: order, barriers, secrets, failure, unknown outcomes.

use std::sync::Arc;

use hydron_domain::identity::Role;
use hydron_proto::plan::{InterruptPolicy, StepRef};
use hydron_tests::sim_agent::Play;
use serde_json::json;

use super::bench::{Bench, easy, probe_step, steps};
use crate::harness::{EventStream, Who};
use crate::in_a_world;

in_a_world! {
    async fn twelve_steps_run_once_each_and_leave_their_output(world: World) {
        let bench = Bench::start(&world).await;
        let agent = bench.agent("alpha", easy()).await;
        let _link = agent.connect().await.unwrap();
        let run = bench.run(vec![(agent.identity.server, steps(12))]).await;
        let done = bench.until_state(run, "completed").await;
        assert_eq!(agent.executor.starts(), (0..12).map(|step| (run, step, 1)).collect::<Vec<_>>());
        let permits = agent.executor.journal(run).into_iter().filter(|event| {
            matches!(event.body, Some(hydron_proto::wire::event::Body::PermitAccepted(_)))
        });
        assert_eq!(permits.count(), 1, "no round trip a step");
        assert_eq!((&done["servers"][0]["steps"][11]["state"], &done["note"]), (&json!("completed"), &json!(null)));
        assert_eq!(done["phases"], json!([{ "phase": "post_deploy", "state": "completed",
            "started_at": done["servers"][0]["steps"][0]["started_at"],
            "finished_at": done["servers"][0]["steps"][11]["finished_at"] }]));
        let server = bench.owner().get(&format!("/servers/{}", agent.identity.server)).await.ok(200);
        assert_eq!((&server["state"], &server["projects"]), (&json!("running"), &json!([bench.project])));
    }

    async fn a_barrier_waits_for_the_other_server_and_an_offline_agent_is_only_a_note(world: World) {
        let bench = Bench::start(&world).await;
        let (first, second) = (bench.agent("alpha", easy()).await, bench.agent("beta", easy()).await);
        let _second_link = second.connect().await.unwrap();
        let mut waiting = steps(3);
        waiting[1].after = vec![StepRef { server: first.identity.server, step: 1 }];
        let run = bench.run(vec![(first.identity.server, steps(2)), (second.identity.server, waiting)]).await;
        let noted = bench.until(run, "noted", |seen| {
            seen["note"] == "agent_offline" && seen["servers"][1]["steps"][0]["state"] == "completed"
        }).await;
        assert_eq!(noted["state"], "in_progress", "offline changes no state");
        assert_eq!(second.executor.starts(), [(run, 0, 1)]);
        let _first_link = first.connect().await.unwrap();
        let done = bench.until_state(run, "completed").await;
        assert_eq!(done["note"], json!(null));
    }

    async fn a_failed_step_fails_the_run_skips_the_rest_and_retry_takes_it_up(world: World) {
        let bench = Bench::start(&world).await;
        let script = Arc::new(|step: &hydron_proto::plan::Step, attempt| match (step.title.as_str(), attempt) {
            ("step 1", 1) => Play::Fail { output: b"no space left\n".to_vec(), message: "exit code 1" },
            _ => Play::done("fine\n"),
        });
        let agent = bench.agent("alpha", script).await;
        let _link = agent.connect().await.unwrap();
        let run = bench.run(vec![(agent.identity.server, steps(3))]).await;
        let failed = bench.until_state(run, "failed").await;
        assert_eq!(failed["error"]["message"], "step 1: exit code 1");
        assert_eq!(failed["error"]["step"], 1);
        let states: Vec<_> = (0..3).map(|s| failed["servers"][0]["steps"][s]["state"].as_str().unwrap()).collect();
        assert_eq!(states, ["completed", "failed", "skipped"]);
        let wrong = bench.owner().post(&format!("/runs/{run}/retry"), json!({ "step": 0 })).await;
        assert_eq!(wrong.problem(409), "wrong_state");
        bench.owner().post(&format!("/runs/{run}/retry"), json!({ "step": 1 })).await.ok(200);
        let done = bench.until_state(run, "completed").await;
        assert_eq!(done["servers"][0]["steps"][1]["attempt"], 2);
        assert_eq!(agent.executor.starts(), [(run, 0, 1), (run, 1, 1), (run, 1, 2), (run, 2, 1)]);
    }

    async fn an_interruption_is_answered_by_the_declared_policy(world: World) {
        let bench = Bench::start(&world).await;
        let script = Arc::new(|_: &hydron_proto::plan::Step, attempt| {
            if attempt == 1 { Play::Vanish } else { Play::done("again\n") }
        });
        let agent = bench.agent("alpha", script).await;
        let _link = agent.connect().await.unwrap();
        let mut asks = probe_step("asks");
        asks.on_interrupt = InterruptPolicy::Ask;
        let run = bench.run(vec![(agent.identity.server, vec![probe_step("reruns"), asks.clone(), asks])]).await;
        let paused = bench.until_state(run, "paused").await;
        assert_eq!(paused["note"], "needs_decision");
        assert_eq!(paused["servers"][0]["steps"][0]["attempt"], 2, "rerun by itself");
        assert_eq!(paused["servers"][0]["steps"][1]["state"], "unknown");
        let server = agent.identity.server;
        let resolve = |step: u32, decision: &str| json!({ "server_id": server, "step": step, "decision": decision });
        let path = format!("/runs/{run}/resolve");
        assert_eq!(bench.owner().post(&path, resolve(0, "rerun")).await.problem(409), "wrong_state");
        let viewer = world.ours.caller(Who::Session(Role::Viewer));
        assert_eq!(viewer.post(&path, resolve(1, "adopt_result")).await.problem(403), "forbidden");
        bench.owner().post(&path, resolve(1, "adopt_result")).await.ok(200);
        bench.until(run, "asking again", |seen| seen["servers"][0]["steps"][2]["state"] == "unknown").await;
        bench.owner().post(&path, resolve(2, "rerun")).await.ok(200);
        bench.until_state(run, "completed").await;
        assert_eq!(agent.executor.starts(), [(run, 0, 1), (run, 0, 2), (run, 1, 1), (run, 2, 1), (run, 2, 2)]);
    }

    async fn a_revoked_server_fails_its_run(world: World) {
        let bench = Bench::start(&world).await;
        let agent = bench.agent("alpha", Arc::new(|_, _| Play::Hang)).await;
        let _link = agent.connect().await.unwrap();
        let run = bench.run(vec![(agent.identity.server, steps(2))]).await;
        bench.until(run, "running", |seen| seen["servers"][0]["steps"][0]["state"] == "running").await;
        bench.owner().delete(&format!("/servers/{}", agent.identity.server)).await.ok(204);
        let failed = bench.until_state(run, "failed").await;
        assert_eq!(failed["error"]["code"], "server_revoked");
        assert_eq!(failed["servers"][0]["steps"][0]["state"], "unknown");
    }

    async fn two_runs_on_one_server_are_signed_in_order_and_both_complete(world: World) {
        let bench = Bench::start(&world).await;
        let agent = bench.agent("alpha", easy()).await;
        let first = bench.run(vec![(agent.identity.server, steps(2))]).await;
        let path = format!("/runs/{first}/pause");
        bench.owner().post(&path, json!({})).await.ok(200);
        let other = Bench::start(&world).await;
        let second = other.run(vec![(agent.identity.server, steps(2))]).await;
        let _link = agent.connect().await.unwrap();
        bench.until_state(second, "completed").await;
        bench.owner().post(&format!("/runs/{first}/resume"), json!({})).await.ok(200);
        bench.until_state(first, "completed").await;
    }

    async fn a_run_is_watched_live_and_resumes(world: World) {
        let bench = Bench::start(&world).await;
        let agent = bench.agent("alpha", Arc::new(|_, _| Play::Hang)).await;
        let _link = agent.connect().await.unwrap();
        let run = bench.run(vec![(agent.identity.server, steps(1))]).await;
        let path = format!("/runs/{run}/events");
        let mut stream = EventStream::open(bench.owner(), &path).await;
        let running = loop {
            let event = stream.next().await;
            if event.data["servers"][0]["steps"][0]["state"] == "running" {
                break event;
            }
        };
        agent.executor.say_doing(run, 0, 1, "Building image");
        let doing = loop {
            let event = stream.next().await;
            if event.event.as_deref() == Some("doing") {
                break event.data;
            }
        };
        assert_eq!(doing["doing"], "Building image");
        assert_eq!(bench.get(run).await["servers"][0]["steps"][0]["doing"], "Building image");
        agent.executor.release();
        bench.until_state(run, "completed").await;
        let resumed = bench.owner().with("last-event-id", &running.id.unwrap().to_string());
        let mut stream = EventStream::open(&resumed, &path).await;
        assert_eq!(stream.next().await.data["state"], "completed");
    }
}
