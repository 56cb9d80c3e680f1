//! Steps run as they were permitted: in order, once, logged, held and cancelled at the right place.

use hydron_proto::plan::{StepResult, Undo};
use hydron_proto::wire::{self, RangeEnd, StepOutcome, event, from_executor, to_executor};
use sha2::{Digest as _, Sha256};

use crate::world::{World, command, eventually, exited, lines, permit, pids_with, results, shell};

#[tokio::test]
async fn a_permitted_range_runs_in_order_and_each_log_is_its_spool() {
    let mut world = World::running();
    let counter = world.path("counter");
    let script = |n: u32| format!("echo {n} >> {}; echo hello {n}; echo oops >&2", counter.display());
    let run = world.shell_run(&[&script(0), &script(1), &script(2)]);
    let mut link = world.link().await;
    assert!(link.status().await.runs.is_empty());
    link.accepted(&run).await;
    link.permit(permit(&run, 0, 2)).await;
    let (events, ended) = link.events_until_range_end().await;
    assert_eq!((ended.end(), ended.next_step), (RangeEnd::Completed, 3));
    assert_eq!(results(&events), (0..3).map(|n| (n, 1, StepOutcome::Succeeded)).collect::<Vec<_>>());
    assert_eq!(std::fs::read_to_string(&counter).unwrap(), "0\n1\n2\n");
    for n in 0..3 {
        let spool = world.spool(run.run, n, 1);
        let result = exited(&events, n);
        assert_eq!(String::from_utf8_lossy(&spool), format!("hello {n}\noops\n"));
        assert_eq!(result.log_length, spool.len() as u64);
        assert_eq!(result.log_sha256, Sha256::digest(&spool).to_vec());
        assert!(serde_json::from_str::<StepResult>(&result.result_json).is_ok());
    }
    let seqs: Vec<u64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(seqs, (2..2 + seqs.len() as u64).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_failed_step_ends_the_range_and_a_retry_goes_on_from_it() {
    let mut world = World::running();
    let flag = world.path("flag");
    let run = world.shell_run(&["true", &format!("test -e {} || exit 3", flag.display()), "true"]);
    let mut link = world.link().await;
    link.accepted(&run).await;
    link.permit(permit(&run, 0, 2)).await;
    let (events, ended) = link.events_until_range_end().await;
    assert_eq!((ended.end(), ended.next_step), (RangeEnd::StepFailed, 1));
    let failed = exited(&events, 1);
    assert_eq!((failed.outcome(), failed.exit_code), (StepOutcome::Failed, Some(3)));
    std::fs::write(&flag, "").unwrap();
    link.permit(wire::Permit { attempt: 2, ..permit(&run, 1, 2) }).await;
    let (events, ended) = link.events_until_range_end().await;
    assert_eq!(ended.end(), RangeEnd::Completed);
    assert_eq!(results(&events), [(1, 2, StepOutcome::Succeeded), (2, 1, StepOutcome::Succeeded)]);
}

#[tokio::test]
async fn a_hold_lets_the_running_step_finish_and_nothing_more() {
    let mut world = World::running();
    let go = world.path("go");
    let counter = world.path("counter");
    let wait = format!("while ! test -e {}; do sleep 0.02; done", go.display());
    let run = world.shell_run(&[&wait, &format!("echo x >> {}", counter.display())]);
    let mut link = world.link().await;
    link.accepted(&run).await;
    link.permit(permit(&run, 0, 1)).await;
    link.until_started(0).await;
    link.send(to_executor::Body::Hold(wire::Hold { run_id: run.run.to_string(), epoch: 1 })).await;
    // A second hold is answered in order, so the first one has been taken.
    link.send(to_executor::Body::Hold(wire::Hold { run_id: run.run.to_string(), epoch: 0 })).await;
    assert_eq!(link.decision().await.code, "STALE_EPOCH");
    std::fs::write(&go, "").unwrap();
    let (_, ended) = link.events_until_range_end().await;
    assert_eq!((ended.end(), ended.next_step), (RangeEnd::Held, 1));
    assert!(!counter.exists());
    link.send(to_executor::Body::Hold(wire::Hold { run_id: run.run.to_string(), epoch: 1 })).await;
    assert_eq!(link.decision().await.code, "", "nothing runs any more");
    link.permit(permit(&run, 1, 1)).await;
    let (_, ended) = link.events_until_range_end().await;
    assert_eq!(ended.end(), RangeEnd::Completed);
    assert_eq!(lines(&counter), 1);
}

#[tokio::test]
async fn cancelling_ends_every_process_of_the_step_also_those_that_left_its_session() {
    let mut world = World::running();
    let marker = format!("31{}", std::process::id());
    let ready = world.path("ready");
    let script = format!(
        "trap '' TERM; setsid sh -c 'trap \"\" TERM; sleep {marker}' & touch {}; sleep {marker}; sleep {marker}",
        ready.display()
    );
    let run = world.shell_run(&[&script]);
    let mut link = world.link().await;
    link.accepted(&run).await;
    link.permit(permit(&run, 0, 0)).await;
    eventually("the step is ready", || ready.exists()).await;
    let cancel = wire::Cancel { command: Some(command(&run, 0, 1)), epoch: 1, grace_ms: 200 };
    link.send(to_executor::Body::Cancel(cancel)).await;
    let (events, ended) = link.events_until_range_end().await;
    assert_eq!(exited(&events, 0).outcome(), StepOutcome::Cancelled);
    assert_eq!(ended.end(), RangeEnd::StepFailed);
    assert_eq!(pids_with(&["sleep", &marker]), [] as [i32; 0]);
}

#[tokio::test]
async fn a_step_that_takes_too_long_is_ended_with_its_processes() {
    let mut world = World::running();
    let marker = format!("32{}", std::process::id());
    let mut slow = shell(&format!("sleep {marker}"));
    slow.timeout_s = 1;
    slow.undo = Undo::Own;
    let plan = world.plan(hydron_proto::plan::PlanKind::Provisioning, vec![slow]);
    let run = world.sign(&plan);
    let mut link = world.link().await;
    link.accepted(&run).await;
    link.permit(permit(&run, 0, 0)).await;
    let (events, _) = link.events_until_range_end().await;
    let result = exited(&events, 0);
    assert_eq!((result.outcome(), result.error_code.as_str()), (StepOutcome::TimedOut, "TIMED_OUT"));
    assert_eq!(pids_with(&["sleep", &marker]), [] as [i32; 0]);
}

#[tokio::test]
async fn processes_left_behind_by_a_finished_step_are_ended() {
    let mut world = World::running();
    let marker = format!("33{}", std::process::id());
    let run = world.shell_run(&[&format!("setsid sleep {marker} >/dev/null 2>&1 & true")]);
    let mut link = world.link().await;
    link.accepted(&run).await;
    link.permit(permit(&run, 0, 0)).await;
    let (events, _) = link.events_until_range_end().await;
    assert_eq!(exited(&events, 0).outcome(), StepOutcome::Succeeded);
    assert_eq!(pids_with(&["sleep", &marker]), [] as [i32; 0]);
}

#[tokio::test]
async fn log_bytes_are_read_by_offset_to_their_end() {
    let mut world = World::running();
    let run = world.shell_run(&["i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done"]);
    let mut link = world.link().await;
    link.accepted(&run).await;
    link.permit(permit(&run, 0, 0)).await;
    let (events, _) = link.events_until_range_end().await;
    let mut stored = Vec::new();
    loop {
        let read = wire::ReadLog {
            command: Some(command(&run, 0, 1)),
            offset: stored.len() as u64,
            max_bytes: 30_000,
        };
        link.send(to_executor::Body::ReadLog(read)).await;
        let data = link
            .want(|body| match body {
                from_executor::Body::LogData(data) => Some(data.clone()),
                _other => None,
            })
            .await;
        assert_eq!(data.offset, stored.len() as u64);
        stored.extend_from_slice(&data.data);
        if data.end {
            break;
        }
    }
    assert_eq!(stored, world.spool(run.run, 0, 1));
    assert_eq!(exited(&events, 0).log_length, stored.len() as u64);
}

#[tokio::test]
async fn a_run_keeps_its_host_until_its_last_step_is_done_and_no_longer() {
    let mut world = World::running();
    let run = world.shell_run(&["true", "true", "true"]);
    let mut link = world.link().await;
    link.accepted(&run).await;
    link.permit(permit(&run, 0, 0)).await;
    link.events_until_range_end().await;
    let host = world.hosts();
    link.permit(permit(&run, 1, 1)).await;
    link.events_until_range_end().await;
    assert_eq!((host.len(), world.hosts()), (1, host));
    link.permit(permit(&run, 2, 2)).await;
    link.events_until_range_end().await;
    eventually("the host is gone", || world.hosts().is_empty()).await;
}

#[tokio::test]
async fn a_forgotten_run_leaves_nothing_but_its_used_nonce() {
    let mut world = World::running();
    let run = world.shell_run(&["true"]);
    let mut link = world.link().await;
    link.accepted(&run).await;
    link.permit(permit(&run, 0, 0)).await;
    link.events_until_range_end().await;
    link.send(to_executor::Body::Forget(wire::ForgetRun { run_id: run.run.to_string() })).await;
    eventually("the directory is gone", || !world.root().run(run.run).exists()).await;
    eventually("the host is gone", || world.hosts().is_empty()).await;
    assert_eq!(world.link().await.status().await.runs, []);
    assert_eq!(link.offer(&run).await.code, "REPLAY");
    // With the run's directory gone, only the ledger on disk can know.
    world.kill_executor();
    world.start_executor();
    assert_eq!(world.link().await.offer(&run).await.code, "REPLAY");
}

#[tokio::test]
async fn a_run_that_still_walks_its_range_is_not_forgotten() {
    let mut world = World::running();
    let go = world.path("go");
    let run = world.shell_run(&[&format!("while ! test -e {}; do sleep 0.02; done", go.display())]);
    let mut link = world.link().await;
    link.accepted(&run).await;
    link.permit(permit(&run, 0, 0)).await;
    link.until_started(0).await;
    link.send(to_executor::Body::Forget(wire::ForgetRun { run_id: run.run.to_string() })).await;
    std::fs::write(&go, "").unwrap();
    let (_, ended) = link.events_until_range_end().await;
    assert_eq!(ended.end(), RangeEnd::Completed);
    assert!(world.root().run(run.run).exists());
}

#[tokio::test]
async fn a_second_link_gets_the_same_events_from_where_it_asks() {
    let mut world = World::running();
    let run = world.shell_run(&["true", "true"]);
    let mut link = world.link().await;
    link.accepted(&run).await;
    link.permit(permit(&run, 0, 1)).await;
    let (events, _) = link.events_until_range_end().await;
    let mut other = world.link().await;
    let report = other.status().await.runs;
    assert_eq!(report[0].last_seq, events.last().unwrap().seq);
    assert_eq!(report[0].envelope_digest, run.digest);
    assert_eq!(report[0].logs.len(), 2);
    other.follow(run.run, 3).await;
    let (again, _) = other.events_until_range_end().await;
    let expected: Vec<_> = events.into_iter().filter(|event| event.seq > 3).collect();
    assert_eq!(again, expected);
}

#[tokio::test]
async fn a_guarded_step_stays_only_when_it_is_confirmed() {
    let mut world = World::running();
    let mut guarded = shell("true");
    guarded.guarded = true;
    let plan = world.plan(hydron_proto::plan::PlanKind::Provisioning, vec![guarded]);
    let run = world.sign(&plan);
    let mut link = world.link().await;
    link.accepted(&run).await;
    link.permit(permit(&run, 0, 0)).await;
    let doing = |body: &from_executor::Body| match body {
        from_executor::Body::Event(event) => match &event.body {
            Some(event::Body::StepDoing(doing)) if doing.text.contains("confirm") => Some(()),
            _other => None,
        },
        _other => None,
    };
    link.want(doing).await;
    let confirm = wire::Confirm { command: Some(command(&run, 0, 1)), epoch: 1 };
    link.send(to_executor::Body::Confirm(confirm)).await;
    let (events, _) = link.events_until_range_end().await;
    assert_eq!(exited(&events, 0).outcome(), StepOutcome::Succeeded);
}
