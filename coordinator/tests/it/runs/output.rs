//! Output of steps: stored once, read by offset, followed live, verified at the end.

use std::sync::Arc;

use hydron_proto::plan::StepResult;
use hydron_store::logs::LogKey;
use hydron_tests::sim_agent::Play;
use serde_json::json;

use super::bench::{Bench, steps};
use crate::harness::EventStream;
use crate::in_a_world;

fn story() -> Vec<u8> {
    (0..20_000).flat_map(|line| format!("line {line} — äöü\n").into_bytes()).collect()
}

/// Without characters of several bytes: the reader of streams in these tests takes them apart.
fn plain() -> Vec<u8> {
    (0..20_000).flat_map(|line| format!("line {line}\n").into_bytes()).collect()
}

in_a_world! {
    async fn the_stored_output_equals_the_spool_and_is_read_by_offset(world: World) {
        let bench = Bench::start(&world).await;
        let script = Arc::new(|_: &hydron_proto::plan::Step, _| Play::done(story()));
        let agent = bench.agent("alpha", script).await;
        let _link = agent.connect().await.unwrap();
        let run = bench.run(vec![(agent.identity.server, steps(1))]).await;
        bench.until_state(run, "completed").await;
        let key = LogKey { run, server: agent.identity.server, step: 0, attempt: 1 };
        let team = bench.app().store.team(world.ours.team);
        for _ in 0..400 {
            if team.log_position(key).await.unwrap().is_some_and(|position| position.state == "verified") {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        assert_eq!(team.log_position(key).await.unwrap().unwrap().state, "verified");
        let (mut text, mut offset) = (String::new(), 0u64);
        loop {
            let path = format!("/runs/{run}/logs?step=0&attempt=1&offset={offset}&limit=70001");
            let page = bench.owner().get(&path).await.ok(200);
            assert_eq!(page["offset"], json!(offset));
            text.push_str(page["text"].as_str().unwrap());
            offset = page["next_offset"].as_u64().unwrap();
            if page["end"] == json!(true) {
                break;
            }
        }
        assert!(text.as_bytes() == story(), "no byte is lost, doubled or broken");
        assert!(text.as_bytes() == agent.executor.output(run, 0, 1));
    }

    async fn output_is_followed_live_and_resumed_by_offset(world: World) {
        let bench = Bench::start(&world).await;
        let script = Arc::new(|_: &hydron_proto::plan::Step, _| Play::Succeed {
            output: plain(),
            takes: std::time::Duration::from_millis(300),
            result: StepResult::Done {},
        });
        let agent = bench.agent("alpha", script).await;
        let _link = agent.connect().await.unwrap();
        let run = bench.run(vec![(agent.identity.server, steps(1))]).await;
        bench.until(run, "running", |seen| seen["servers"][0]["steps"][0]["state"] == "running").await;
        let path = format!("/runs/{run}/logs/stream?step=0&attempt=1");
        let mut stream = EventStream::open(bench.owner(), &path).await;
        let first = stream.next().await;
        drop(stream);
        let mut text = first.data["text"].as_str().unwrap().to_owned();
        let resumed = bench.owner().with("last-event-id", &first.id.unwrap().to_string());
        let mut stream = EventStream::open(&resumed, &path).await;
        while let Some(event) = stream.try_next().await {
            assert_eq!(event.data["offset"].as_u64(), Some(text.len() as u64));
            text.push_str(event.data["text"].as_str().unwrap());
        }
        assert!(text.as_bytes() == plain(), "the stream ends with the output");
    }
}
