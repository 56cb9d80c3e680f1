//! Output of steps: stored once, read by offset, followed live, verified at the end.

use std::collections::BTreeMap;
use std::sync::Arc;

use hydron_domain::run::StepFailure;
use hydron_proto::plan::StepResult;
use hydron_store::logs::LogKey;
use hydron_store::runs::{AttemptChange, AttemptEnd, AttemptEnded, LogDigest};
use hydron_tests::sim_agent::Play;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::bench::{Bench, steps};
use crate::harness::{ACTOR, EventStream};
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

    async fn what_was_not_compared_when_it_was_whole_is_compared_later(world: World) {
        let bench = Bench::start(&world).await;
        let agent = bench.agent("alpha", Arc::new(|_: &hydron_proto::plan::Step, _| Play::done(""))).await;
        let server = agent.identity.server;
        let run = bench.run(vec![(server, steps(4))]).await;
        let team = bench.app().store.team(world.ours.team);
        let key = |step| LogKey { run, server, step, attempt: 1 };
        // As a coordinator leaves it that dies before it compared: as it was sent, other than it was sent, longer, and in parts.
        let declared: [&[u8]; 4] = [b"said", b"told", b"sai", b"said more"];
        let mut tx = team.begin(&ACTOR, bench.app().now()).await.unwrap();
        let mut ends = BTreeMap::new();
        for (step, bytes) in (0..).zip(declared) {
            tx.append_log(key(step), 0, b"said").await.unwrap();
            let log = Some(LogDigest { length: bytes.len() as u64, sha256: Sha256::digest(bytes).to_vec() });
            let end = AttemptEnd::Succeeded { result: None, already_done: false };
            ends.insert(key(step), AttemptChange { started_at: Some(10), ended: Some(AttemptEnded { at: 20, end, log }) });
        }
        tx.change_attempts(&ends).await.unwrap();
        tx.commit().await.unwrap();
        world.coordinator.clock.advance(60_000);
        let mut states = Vec::new();
        for _ in 0..400 {
            states.clear();
            for step in 0..4 {
                states.push(team.log_position(key(step)).await.unwrap().unwrap().state);
            }
            if states[..3].iter().all(|state| state != "open") {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        assert_eq!(states, ["verified", "damaged", "damaged", "open"]);
    }

    async fn starts_and_ends_of_attempts_are_kept_however_they_come_together(world: World) {
        let bench = Bench::start(&world).await;
        let agent = bench.agent("alpha", Arc::new(|_: &hydron_proto::plan::Step, _| Play::done(""))).await;
        let server = agent.identity.server;
        let run = bench.run(vec![(server, steps(4))]).await;
        let team = bench.app().store.team(world.ours.team);
        let key = |step| LogKey { run, server, step, attempt: 1 };
        let digest = |bytes: &[u8]| LogDigest { length: bytes.len() as u64, sha256: Sha256::digest(bytes).to_vec() };
        let ended = |log| Some(AttemptEnded { at: 20, end: AttemptEnd::Succeeded { result: None, already_done: true }, log });
        let write = async |changes: BTreeMap<LogKey, AttemptChange>, output: Option<LogKey>| {
            let mut tx = team.begin(&ACTOR, bench.app().now()).await.unwrap();
            if let Some(key) = output {
                tx.append_log(key, 0, b"said").await.unwrap();
            }
            tx.change_attempts(&changes).await.unwrap();
            tx.commit().await.unwrap();
        };
        let began = || AttemptChange { started_at: Some(10), ended: None };
        // 0: both at once, silent. 1: one after the other. 2: it said something, and its end denies it. 3: an end alone.
        let both = AttemptChange { started_at: Some(10), ended: ended(Some(digest(b""))) };
        write([(key(0), both), (key(1), began()), (key(2), began())].into(), Some(key(2))).await;
        let end = |log| AttemptChange { started_at: None, ended: ended(log) };
        let lost = AttemptEnd::Interrupted(StepFailure { code: "interrupted".to_owned(), message: "lost".to_owned() });
        let lost = AttemptChange { started_at: None, ended: Some(AttemptEnded { at: 20, end: lost, log: None }) };
        let denied = end(Some(digest(b"")));
        write([(key(1), end(Some(digest(b"said")))), (key(2), denied), (key(3), lost)].into(), None).await;
        // A start that comes again takes nothing back.
        write([(key(0), began()), (key(1), began())].into(), None).await;
        let mut states = Vec::new();
        for step in 0..4 {
            let position = team.log_position(key(step)).await.unwrap().unwrap();
            states.push((position.state, position.stored, position.declared.map(|log| log.length)));
        }
        let open = |stored, declared| ("open".to_owned(), stored, declared);
        assert_eq!(states, [("verified".to_owned(), 0, Some(0)), open(0, Some(4)), open(4, Some(0)), open(0, None)]);
        let detail = team.run_detail(run).await.unwrap().unwrap();
        let seen: Vec<_> =
            detail.parts[0].steps.iter().map(|step| (step.started_at, step.finished_at, step.already_done)).collect();
        assert_eq!(seen, [(Some(10), Some(20), true), (Some(10), Some(20), true), (Some(10), Some(20), true), (None, Some(20), false)]);
    }
}
