//! Journals that come twice, late, torn or from somebody else.

use std::sync::Arc;

use hydron_proto::ids::RunId;
use hydron_proto::wire::{self, event, frame::Body};
use hydron_store::testing::{allow_commits_of_journals, refuse_commits_of_journals};
use hydron_tests::sim_agent::{LinkEnd, Play, RawLink};
use serde_json::json;

use super::bench::{Bench, easy, steps};
use crate::in_a_world;

fn entry(run: RunId, seq: u64, body: event::Body) -> Body {
    Body::Event(wire::Event { run_id: run.to_string(), seq, at_unix_ms: 1_700_000_000_000, body: Some(body) })
}

fn accepted() -> event::Body {
    event::Body::EnvelopeAccepted(wire::EnvelopeAccepted::default())
}

fn permit() -> event::Body {
    event::Body::PermitAccepted(wire::PermitAccepted { first_step: 0, last_step: 1, attempt: 1, epoch: 1 })
}

fn starting(step: u32) -> event::Body {
    event::Body::StepStarting(wire::StepStarting { step, attempt: 1 })
}

async fn acked(link: &mut RawLink) -> u64 {
    link.until(|_, body| if let Body::EventAck(ack) = body { Some(ack.seq) } else { None }).await.unwrap()
}

in_a_world! {
    async fn an_entry_that_comes_twice_is_acknowledged_twice_and_counted_once(world: World) {
        let bench = Bench::start(&world).await;
        let agent = bench.agent("alpha", easy()).await;
        let run = bench.run(vec![(agent.identity.server, steps(2))]).await;
        let mut link = agent.connect_raw().await.unwrap().welcomed().await.unwrap();
        link.send(0, entry(run, 1, accepted())).await.unwrap();
        assert_eq!(acked(&mut link).await, 1);
        link.send(0, entry(run, 1, accepted())).await.unwrap();
        assert_eq!(acked(&mut link).await, 1);
        link.send(0, entry(run, 2, permit())).await.unwrap();
        link.send(0, entry(run, 3, starting(0))).await.unwrap();
        while acked(&mut link).await < 3 {}
        assert_eq!(bench.get(run).await["servers"][0]["steps"][0]["state"], "running");
    }

    async fn what_could_not_be_committed_is_not_acknowledged_and_comes_again(world: World) {
        let bench = Bench::start(&world).await;
        let store = &bench.app().store;
        let agent = bench.agent("alpha", easy()).await;
        let run = bench.run(vec![(agent.identity.server, steps(2))]).await;
        let mut link = agent.connect_raw().await.unwrap().welcomed().await.unwrap();
        refuse_commits_of_journals(store).await;
        link.send(0, entry(run, 1, accepted())).await.unwrap();
        let ack = link.until(|_, body| if let Body::EventAck(ack) = body { Some(ack.seq) } else { None }).await;
        assert_eq!(ack, Err(LinkEnd::Closed(1002)), "an entry that is not stored is acknowledged");
        allow_commits_of_journals(store).await;
        let mut hello = agent.hello();
        hello.session_counter += 1;
        hello.runs = vec![wire::RunReport { run_id: run.to_string(), last_seq: 1, ..wire::RunReport::default() }];
        let mut link = RawLink::open(bench.address(), &agent.identity, hello).await.unwrap().welcomed().await.unwrap();
        assert_eq!(link.welcome.as_ref().unwrap().resume[0].acknowledged_seq, 0);
        link.send(0, entry(run, 1, accepted())).await.unwrap();
        assert_eq!(acked(&mut link).await, 1);
    }

    async fn a_gap_ends_the_connection_and_the_next_welcome_says_where_to_go_on(world: World) {
        let bench = Bench::start(&world).await;
        let agent = bench.agent("alpha", easy()).await;
        let run = bench.run(vec![(agent.identity.server, steps(2))]).await;
        let mut link = agent.connect_raw().await.unwrap().welcomed().await.unwrap();
        link.send(0, entry(run, 1, accepted())).await.unwrap();
        assert_eq!(acked(&mut link).await, 1);
        link.send(0, entry(run, 3, starting(0))).await.unwrap();
        assert_eq!(link.end().await, LinkEnd::Closed(1002));
        assert_eq!(bench.get(run).await["servers"][0]["steps"][0]["state"], "pending", "nothing was stored after the gap");
        let mut hello = agent.hello();
        hello.runs = vec![wire::RunReport { run_id: run.to_string(), last_seq: 3, ..wire::RunReport::default() }];
        let link = RawLink::open(bench.address(), &agent.identity, hello).await.unwrap().welcomed().await.unwrap();
        let welcome = link.welcome.unwrap();
        assert_eq!((welcome.resume[0].acknowledged_seq, welcome.forget.len()), (1, 0));
    }

    async fn a_run_whose_journal_the_server_has_lost_fails_and_its_running_step_is_unknown(world: World) {
        let bench = Bench::start(&world).await;
        let agent = bench.agent("alpha", easy()).await;
        let run = bench.run(vec![(agent.identity.server, steps(2))]).await;
        let mut link = agent.connect_raw().await.unwrap().welcomed().await.unwrap();
        link.send(0, entry(run, 1, accepted())).await.unwrap();
        link.send(0, entry(run, 2, permit())).await.unwrap();
        link.send(0, entry(run, 3, starting(0))).await.unwrap();
        while acked(&mut link).await < 3 {}
        let lost = wire::Decision {
            run_id: run.to_string(),
            subject: wire::DecisionSubject::Control.into(),
            code: "JOURNAL_LOST".to_owned(),
            ..wire::Decision::default()
        };
        // It is said at every connection.
        for _ in 0..2 {
            link.send(0, Body::Decision(lost.clone())).await.unwrap();
            let failed = bench.until_state(run, "failed").await;
            assert_eq!(failed["error"]["code"], "journal_lost", "{failed:#}");
            assert!(failed["error"]["message"].as_str().unwrap().contains("deploy again"), "{failed:#}");
            let states = failed["servers"][0]["steps"].as_array().unwrap();
            assert_eq!([&states[0]["state"], &states[1]["state"]], ["unknown", "skipped"]);
        }
    }

    async fn an_agent_that_asks_on_a_lasting_connection_hears_which_of_its_runs_may_go(world: World) {
        let bench = Bench::start(&world).await;
        let agent = bench.agent("alpha", easy()).await;
        let link = agent.connect().await.unwrap();
        let mut runs = Vec::new();
        for _ in 0..2 {
            let run = bench.run(vec![(agent.identity.server, steps(2))]).await;
            bench.until_state(run, "completed").await;
            let written = |step: u32| agent.executor.output(run, step, 1).len();
            bench.until(run, "all output", |seen| {
                (0..2).all(|step| seen["servers"][0]["steps"][step as usize]["log_length"] == json!(written(step)))
            }).await;
            runs.push(run);
        }
        let [over, open] = runs[..] else { panic!("two runs") };
        let mut reports = agent.hello().runs;
        link.cut().await;
        let known = |body| if let Body::RunsKnown(known) = body { Some(known) } else { None };
        // One of them has an entry that is not here yet, and there is one that nobody knows.
        for report in &mut reports {
            report.last_seq += u64::from(report.run_id == open.to_string());
        }
        reports.push(wire::RunReport { run_id: RunId::new(1, [1; 10]).to_string(), ..wire::RunReport::default() });
        let mut link = agent.connect_raw().await.unwrap().welcomed().await.unwrap();
        for resume in [false, true] {
            link.send(0, Body::RunsHeld(wire::RunsHeld { runs: reports.clone(), resume })).await.unwrap();
            let answer = link.until(|_, body| known(body)).await.unwrap();
            assert_eq!(answer.forget, [over.to_string()]);
            let resumed: Vec<String> = answer.resume.into_iter().map(|resume| resume.run_id).collect();
            assert_eq!(resumed, if resume { vec![open.to_string()] } else { vec![] });
        }
    }

    async fn entries_about_a_run_of_another_server_change_nothing(world: World) {
        let bench = Bench::start(&world).await;
        let (ours, other) = (bench.agent("alpha", easy()).await, bench.agent("beta", easy()).await);
        let run = bench.run(vec![(ours.identity.server, steps(2))]).await;
        let mut link = other.connect_raw().await.unwrap().welcomed().await.unwrap();
        link.send(0, entry(run, 1, accepted())).await.unwrap();
        link.send(0, entry(run, 2, starting(0))).await.unwrap();
        link.send(0, Body::Decision(wire::Decision {
            run_id: run.to_string(),
            subject: wire::DecisionSubject::Envelope.into(),
            code: "POLICY".to_owned(),
            ..wire::Decision::default()
        })).await.unwrap();
        link.send(0, Body::Ping(wire::Ping { nonce: 1 })).await.unwrap();
        link.until(|_, body| matches!(body, Body::Pong(_)).then_some(())).await.unwrap();
        let seen = bench.get(run).await;
        assert_eq!(seen["servers"][0]["steps"][0]["state"], "pending");
        assert_ne!(seen["state"], "failed");
        let mut hello = other.hello();
        hello.runs = vec![wire::RunReport { run_id: run.to_string(), last_seq: 2, ..wire::RunReport::default() }];
        let link = RawLink::open(bench.address(), &other.identity, hello).await.unwrap().welcomed().await.unwrap();
        let welcome = link.welcome.unwrap();
        assert!(welcome.resume.is_empty() && welcome.forget.is_empty(), "unknown runs are kept and not spoken of");
    }

    async fn a_refused_plan_fails_the_run_with_the_agents_code(world: World) {
        let bench = Bench::start(&world).await;
        let agent = bench.agent("alpha", easy()).await;
        let run = bench.run(vec![(agent.identity.server, steps(1))]).await;
        let mut link = agent.connect_raw().await.unwrap().welcomed().await.unwrap();
        let length = link.until(|_, body| if let Body::StreamOpen(open) = body { Some(open) } else { None }).await.unwrap();
        assert!(length.kind.is_some());
        link.send(0, Body::Decision(wire::Decision {
            run_id: run.to_string(),
            subject: wire::DecisionSubject::Envelope.into(),
            code: "POLICY".to_owned(),
            ..wire::Decision::default()
        })).await.unwrap();
        let failed = bench.until_state(run, "failed").await;
        assert_eq!(failed["error"]["code"], "agent_refused");
        assert!(failed["error"]["message"].as_str().unwrap().contains("POLICY"), "{failed}");
    }

    async fn a_link_that_is_cut_again_and_again_loses_nothing_and_runs_nothing_twice(world: World) {
        let bench = Bench::start(&world).await;
        let script = Arc::new(|_: &hydron_proto::plan::Step, _| Play::Succeed {
            output: vec![b'x'; 100_000],
            takes: std::time::Duration::from_millis(30),
            result: hydron_proto::plan::StepResult::Done {},
        });
        let agent = bench.agent("alpha", script).await;
        let run = bench.run(vec![(agent.identity.server, steps(12))]).await;
        for round in 0..12 {
            let link = agent.connect().await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(20 + 13 * round)).await;
            link.cut().await;
        }
        let _link = agent.connect().await.unwrap();
        bench.until_state(run, "completed").await;
        assert_eq!(agent.executor.starts(), (0..12).map(|step| (run, step, 1)).collect::<Vec<_>>());
        bench.until(run, "all output", |seen| {
            (0..12).all(|step| seen["servers"][0]["steps"][step]["log_length"] == json!(100_000))
        }).await;
    }
}
