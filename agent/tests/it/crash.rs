//! Processes die at the worst moment: a step runs once, its log is whole, and what is unknown is said to be unknown.

use std::io::Write as _;

use hydron_agent::local::{self, Incoming};
use hydron_agent::run_dir::RunDir;
use hydron_proto::wire::{self, RangeEnd, StepOutcome, event, from_step_host, to_executor, to_step_host};

use crate::world::{
    Signed, World, eventually, exited, lines, permit, pids_with, results, secret, shell_with_secret,
};

/// A step that counts itself, then waits for `go`.
fn counting(world: &World) -> String {
    let counter = world.path("counter");
    format!("echo started; echo x >> {}; sh -c '{}'; echo ended", counter.display(), waiting(world))
}

/// A program of its own, so that its words stand among the processes (a step's own script does not).
fn waiting(world: &World) -> String {
    format!("while ! test -e {}; do sleep 0.02; done", world.path("go").display())
}

async fn counting_run(world: &mut World) -> (Signed, crate::world::FakeLink) {
    let script = counting(world);
    let after = format!("echo x >> {}", world.path("after").display());
    let run = world.shell_run(&[&script, &after]);
    let mut link = world.link().await;
    link.accepted(&run).await;
    link.permit(permit(&run, 0, 1)).await;
    let counter = world.path("counter");
    eventually("the step counts itself", || lines(&counter) == 1).await;
    (run, link)
}

#[tokio::test]
async fn an_executor_killed_in_a_step_finds_it_running_and_walks_the_range_to_its_end_alone() {
    let mut world = World::running();
    let (run, _) = counting_run(&mut world).await;
    world.kill_executor();
    world.start_executor();
    let mut link = world.link().await;
    assert_eq!(link.status().await.runs[0].logs.len(), 1);
    std::fs::write(world.path("go"), "").unwrap();
    link.follow(run.run, 0).await;
    let (events, ended) = link.events_until_range_end().await;
    assert_eq!(ended.end(), RangeEnd::Completed);
    assert_eq!(results(&events), [(0, 1, StepOutcome::Succeeded), (1, 1, StepOutcome::Succeeded)]);
    assert_eq!((lines(&world.path("counter")), lines(&world.path("after"))), (1, 1));
    assert_eq!(world.spool(run.run, 0, 1), b"started\nended\n");
}

#[tokio::test]
async fn a_step_that_ends_while_the_executor_is_dead_is_reported_by_its_exit_record() {
    let mut world = World::running();
    let (run, _) = counting_run(&mut world).await;
    world.kill_executor();
    std::fs::write(world.path("go"), "").unwrap();
    let directory = RunDir::new(&world.root(), run.run);
    eventually("the exit record is there", || directory.exit_of(0, 1).unwrap().is_some()).await;
    world.kill_hosts();
    eventually("the host is gone", || world.hosts().is_empty()).await;
    world.start_executor();
    let mut link = world.link().await;
    link.follow(run.run, 0).await;
    let (events, ended) = link.events_until_range_end().await;
    assert_eq!(ended.end(), RangeEnd::Completed);
    assert_eq!(exited(&events, 0).log_length, 14);
    assert_eq!((lines(&world.path("counter")), lines(&world.path("after"))), (1, 1));
}

#[tokio::test]
async fn a_host_killed_in_a_step_leaves_an_unknown_outcome_and_no_process() {
    let mut world = World::running();
    let (run, mut link) = counting_run(&mut world).await;
    let waiting = waiting(&world);
    let processes = || pids_with(&["sh", "-c", &waiting]);
    eventually("a process of the step waits", || !processes().is_empty()).await;
    world.kill_hosts();
    let (events, ended) = link.events_until_range_end().await;
    assert_eq!((ended.end(), ended.next_step), (RangeEnd::Interrupted, 0));
    assert!(events.iter().any(|event| matches!(event.body, Some(event::Body::StepInterrupted(_)))));
    assert_eq!(results(&events), []);
    assert!(processes().is_empty());
    std::fs::write(world.path("go"), "").unwrap();
    assert!(!world.path("after").exists());
    // A person decides to run it again: that is the next attempt.
    link.permit(wire::Permit { attempt: 2, ..permit(&run, 0, 1) }).await;
    let (events, _) = link.events_until_range_end().await;
    assert_eq!(results(&events), [(0, 2, StepOutcome::Succeeded), (1, 1, StepOutcome::Succeeded)]);
    assert_eq!(lines(&world.path("counter")), 2);
}

#[tokio::test]
async fn an_adopted_result_lets_the_range_after_it_start() {
    let mut world = World::running();
    let (run, mut link) = counting_run(&mut world).await;
    world.kill_hosts();
    link.events_until_range_end().await;
    link.permit(permit(&run, 1, 1)).await;
    let (events, _) = link.events_until_range_end().await;
    assert_eq!(results(&events), [(1, 1, StepOutcome::Succeeded)]);
    assert_eq!((lines(&world.path("counter")), lines(&world.path("after"))), (1, 1));
}

#[tokio::test]
async fn executor_and_host_killed_together_leave_an_unknown_outcome() {
    let mut world = World::running();
    let (run, _) = counting_run(&mut world).await;
    world.kill_executor();
    world.kill_hosts();
    world.start_executor();
    let mut link = world.link().await;
    link.follow(run.run, 0).await;
    let (events, ended) = link.events_until_range_end().await;
    assert_eq!(ended.end(), RangeEnd::Interrupted);
    assert_eq!(results(&events), []);
    std::fs::write(world.path("go"), "").unwrap();
    assert_eq!((lines(&world.path("counter")), world.path("after").exists()), (1, false));
}

/// A message of an executor that is dead may arrive late.
#[tokio::test]
async fn a_step_host_that_is_told_again_does_not_start_again() {
    let mut world = World::running();
    let (run, _) = counting_run(&mut world).await;
    world.kill_executor();
    std::fs::write(world.path("go"), "").unwrap();
    let directory = RunDir::new(&world.root(), run.run);
    eventually("the exit record is there", || directory.exit_of(0, 1).unwrap().is_some()).await;
    let (read, mut writer) = local::connect(&directory.host_socket()).unwrap().into_split();
    let start = wire::StartStep { step: 0, attempt: 1, plan_digest: run.digest.clone(), secrets: vec![] };
    for body in [to_step_host::Body::Start(start), to_step_host::Body::Query(wire::QueryHost {})] {
        local::send(&mut writer, &wire::ToStepHost { body: Some(body) }).await.unwrap();
    }
    let mut incoming = Incoming::new(read);
    let status = loop {
        let said: wire::FromStepHost = incoming.next().await.unwrap().expect("the host lives");
        if let Some(from_step_host::Body::Status(status)) = said.body {
            break status;
        }
    };
    assert_eq!((status.step, lines(&world.path("counter"))), (None, 1));
}

#[tokio::test]
async fn twelve_steps_under_a_dying_executor_run_once_each() {
    let mut world = World::running();
    let counter = world.path("counter");
    let scripts: Vec<String> =
        (0..12).map(|n| format!("echo {n} >> {}; sleep 0.05; echo done {n}", counter.display())).collect();
    let run = world.shell_run(&scripts.iter().map(String::as_str).collect::<Vec<_>>());
    let mut link = world.link().await;
    link.accepted(&run).await;
    link.permit(permit(&run, 0, 11)).await;
    link.until_started(0).await;
    let mut pause = 3;
    while lines(&counter) < 12 {
        tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
        pause = (pause * 7) % 101;
        world.kill_executor();
        world.start_executor();
        drop(world.link().await);
    }
    let mut link = world.link().await;
    link.follow(run.run, 0).await;
    let (events, ended) = link.events_until_range_end().await;
    assert_eq!(ended.end(), RangeEnd::Completed);
    assert_eq!(results(&events), (0..12).map(|n| (n, 1, StepOutcome::Succeeded)).collect::<Vec<_>>());
    let counted: Vec<String> = (0..12).map(|n| n.to_string()).collect();
    assert_eq!(std::fs::read_to_string(&counter).unwrap().lines().collect::<Vec<_>>(), counted);
    for n in 0..12 {
        assert_eq!(world.spool(run.run, n, 1), format!("done {n}\n").as_bytes());
    }
}

#[tokio::test]
async fn a_restarted_executor_opens_the_secrets_of_its_range_again() {
    let mut world = World::running();
    let password = secret("db/password");
    let counting = counting(&world);
    let check = format!("test \"$PW\" = canary-4711 && echo right >> {}", world.path("after").display());
    let steps = vec![crate::world::shell(&counting), shell_with_secret(&check, "PW", &password)];
    let plan = world.plan(hydron_proto::plan::PlanKind::Provisioning, steps);
    let run = world.sign(&plan);
    let mut link = world.link().await;
    link.accepted(&run).await;
    let secrets = vec![world.sealed(run.run, &password, "canary-4711")];
    link.permit(wire::Permit { secrets, ..permit(&run, 0, 1) }).await;
    link.until_started(0).await;
    world.kill_executor();
    world.start_executor();
    std::fs::write(world.path("go"), "").unwrap();
    let mut link = world.link().await;
    link.follow(run.run, 0).await;
    let (events, ended) = link.events_until_range_end().await;
    assert_eq!(ended.end(), RangeEnd::Completed, "{events:?}");
    assert_eq!(std::fs::read_to_string(world.path("after")).unwrap(), "right\n");
}

#[tokio::test]
async fn a_hold_survives_the_death_of_the_executor() {
    let mut world = World::running();
    let (run, mut link) = counting_run(&mut world).await;
    link.send(to_executor::Body::Hold(wire::Hold { run_id: run.run.to_string(), epoch: 1 })).await;
    link.send(to_executor::Body::Hold(wire::Hold { run_id: run.run.to_string(), epoch: 0 })).await;
    assert_eq!(link.decision().await.code, "STALE_EPOCH");
    world.kill_executor();
    world.start_executor();
    std::fs::write(world.path("go"), "").unwrap();
    let mut link = world.link().await;
    link.follow(run.run, 0).await;
    let (_, ended) = link.events_until_range_end().await;
    assert_eq!((ended.end(), ended.next_step), (RangeEnd::Held, 1));
    assert!(!world.path("after").exists());
}

#[tokio::test]
async fn a_torn_journal_tail_is_forgotten_and_the_run_goes_on() {
    let mut world = World::running();
    let run = world.shell_run(&["true", "true"]);
    let mut link = world.link().await;
    link.accepted(&run).await;
    link.permit(permit(&run, 0, 0)).await;
    link.events_until_range_end().await;
    world.kill_executor();
    let mut journal = std::fs::File::options().append(true).open(world.journal(run.run)).unwrap();
    journal.write_all(&[0, 0, 0, 40, 1, 2, 3, 4, 5, 6]).unwrap();
    world.start_executor();
    let mut link = world.link().await;
    link.follow(run.run, 0).await;
    link.events_until_range_end().await;
    link.permit(permit(&run, 1, 1)).await;
    let (_, ended) = link.events_until_range_end().await;
    assert_eq!(ended.end(), RangeEnd::Completed);
}

#[tokio::test]
async fn a_damaged_journal_is_set_aside_and_said_and_other_runs_go_on() {
    let mut world = World::running();
    let damaged = world.shell_run(&["true", "true"]);
    let healthy = world.shell_run(&["true"]);
    let mut link = world.link().await;
    link.accepted(&damaged).await;
    link.permit(permit(&damaged, 0, 0)).await;
    link.events_until_range_end().await;
    link.accepted(&healthy).await;
    world.kill_executor();
    let path = world.journal(damaged.run);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[12] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    world.start_executor();
    let mut link = world.link().await;
    let status = link.status().await;
    assert_eq!(status.runs.len(), 1);
    let told = link.decision().await;
    assert_eq!((told.run_id, told.code.as_str()), (damaged.run.to_string(), "JOURNAL_LOST"));
    link.permit(permit(&damaged, 1, 1)).await;
    assert_eq!(link.decision().await.code, "JOURNAL_LOST");
    assert_eq!(link.offer(&damaged).await.code, "JOURNAL_LOST");
    link.follow(healthy.run, 1).await;
    link.permit(permit(&healthy, 0, 0)).await;
    let (_, ended) = link.events_until_range_end().await;
    assert_eq!(ended.end(), RangeEnd::Completed);
}

#[tokio::test]
async fn a_second_executor_of_the_same_root_gives_up() {
    let world = World::running();
    world.link().await;
    let output = std::process::Command::new(crate::world::BINARY)
        .arg("--root")
        .arg(world.directory.path())
        .arg("exec")
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("another executor"));
}
