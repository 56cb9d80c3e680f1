//! A disk that answers EIO: to the executor's journal, to what a step host writes, to the coordinator's SQLite.
//!
//! Rule: what could not be made durable is not told, and what was told is not taken back, also when the process then dies; a
//! sync that failed is not trusted afterwards (the journal is written anew, `agent/src/exec/journal.rs`). The logs name
//! the error. `HYDRON_FAULT_SEED` repeats the choice of the short form.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::counting_runs::{self, CountingRun, STEPS};
use crate::world::World;

use super::dice::{Dice, first_place, soaking};
use super::journal;
use super::round::{Round, Struck};
use super::strace::{Injection, Strace, Watch};

const SEED: &str = "HYDRON_FAULT_SEED";
/// What the kernel's EIO is called in logs.
const WORDS: [&str; 2] = ["os error 5", "disk I/O error"];
/// The disk breaks when this step has counted itself.
const BROKEN_AFTER: u32 = 3;
/// Runs that are made at once.
const BATCH: usize = 15;

/// Whose files fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Executor,
    StepHost,
    Coordinator,
}

#[tokio::test]
async fn an_executor_whose_journal_fails_at_any_call_tells_nothing_that_is_not_durable() {
    fails_at_some_calls(Victim::Executor, 4).await;
}

#[tokio::test]
async fn a_step_host_whose_files_fail_at_any_call_ends_its_step_or_leaves_it_honestly_unknown() {
    fails_at_some_calls(Victim::StepHost, 3).await;
}

#[tokio::test]
async fn a_coordinator_whose_database_fails_at_any_call_acknowledges_nothing_that_is_not_durable() {
    fails_at_some_calls(Victim::Coordinator, 3).await;
}

/// Like a full disk, but even what is allocated cannot be written; then it dies without another word.
#[tokio::test]
async fn a_coordinator_whose_disk_is_broken_for_a_while_starts_nothing_and_goes_on_when_it_is_well() {
    let broken_for = Duration::from_secs(if soaking() { 60 } else { 4 });
    let mut world = World::start().await;
    let run = counting_runs::waiting(&mut world, 1).await.remove(0);
    let mut round = Round::new(&mut world, run, "rerun");
    let mut broken: Option<(Strace, Instant, usize)> = None;
    let strike = async |world: &mut World, run: &CountingRun| {
        let Some((strace, since, counted)) = &broken else {
            if run.counted(BROKEN_AFTER) > 0 {
                let all = Injection::Fail("write,pwrite64,fsync,fdatasync");
                let strace = Victim::Coordinator.traced(world, run, Some(all));
                broken = Some((strace, Instant::now(), run.counted_in_all()));
            }
            return Struck::NotYet;
        };
        let now = run.counted_in_all();
        // A permit that was on its way, and the step that ran.
        assert!(now <= counted + 2, "{} steps were started without a record", now - counted);
        if since.elapsed() < broken_for {
            return Struck::NotYet;
        }
        assert!(strace.failed() > 0, "nothing was written meanwhile");
        world.coordinator.process_mut().kill().unwrap();
        broken = None;
        world.coordinator.restart().await.unwrap();
        Struck::Yes
    };
    round.play(strike).await;
    round.each_step_ran_once(0);
    assert!(round.each_log_is_its_spool().await > 0, "no log was compared with its spool");
    names_the_error(&[round.world().coordinator.data_dir().join("coordinator.log")]);
}

/// Looks at one unharmed run, then lets some calls fail, or every one.
async fn fails_at_some_calls(victim: Victim, wanted: usize) {
    let mut world = World::start().await;
    let mut dice = Dice::seeded(SEED);
    let calls = calls_of_a_run(&mut world, victim).await;
    let mut places = places(&calls);
    println!("{victim:?}: {} places to fail: {calls:?}", places.len());
    if soaking() {
        places.drain(..first_place().min(places.len()));
    }
    while !soaking() && places.len() > wanted {
        places.remove(usize::try_from(dice.below(places.len() as u64)).unwrap());
    }
    let mut failed = 0;
    for batch in places.chunks(BATCH) {
        let runs = counting_runs::waiting(&mut world, batch.len()).await;
        for ((call, number), run) in batch.iter().zip(runs) {
            let answer = if dice.below(2) == 0 { "rerun" } else { "adopt_result" };
            let reached = round(&mut world, run, victim, Injection::FailOnce(call, *number), answer).await;
            println!(
                "{victim:?} {call} {number}, {answer}: {}",
                if reached { "failed" } else { "not reached" }
            );
            failed += usize::from(reached);
        }
    }
    println!("{victim:?}: {failed} of {} failed", places.len());
    assert!(failed * 3 >= places.len(), "only {failed} of {} failed", places.len());
    // A step host's log goes with its run, which says itself that a step is cut or unknown. The coordinator is killed at
    // the failed call, perhaps before it could write why, and SQLite keeps a failed checkpoint to itself.
    if victim == Victim::Executor {
        names_the_error(&[world.dir.join("a/agent.log")]);
    }
}

async fn calls_of_a_run(world: &mut World, victim: Victim) -> BTreeMap<String, u32> {
    let run = counting_runs::waiting(world, 1).await.remove(0);
    let strace = victim.traced(world, &run, None);
    let mut round = Round::new(world, run, "rerun");
    round.play(async |_, _| Struck::Perhaps).await;
    round.each_step_ran_once(0);
    strace.detach()
}

fn places(calls: &BTreeMap<String, u32>) -> Vec<(String, u32)> {
    calls.iter().flat_map(|(call, count)| (1..=*count).map(|number| (call.clone(), number))).collect()
}

/// Whether the call was reached.
async fn round(
    world: &mut World,
    run: CountingRun,
    victim: Victim,
    injection: Injection<'_>,
    answer: &'static str,
) -> bool {
    world.agent_again().await;
    let mut strace = Some(victim.traced(world, &run, Some(injection)));
    let mut round = Round::new(world, run, answer).with_output_that_may_be_cut();
    round
        .play(async |world, _| {
            if strace.as_ref().is_some_and(|strace| strace.failed() == 0) {
                return Struck::Perhaps;
            }
            strace = None;
            if victim == Victim::Coordinator {
                // What it has told by now must be in the files.
                world.coordinator.process_mut().kill().unwrap();
                world.coordinator.restart().await.unwrap();
            }
            Struck::Yes
        })
        .await;
    let failed = strace.as_ref().is_none_or(|strace| strace.failed() > 0);
    drop(strace);
    round.each_step_ran_once(1);
    round.each_log_is_its_spool().await;
    failed
}

impl Victim {
    fn traced(self, world: &mut World, run: &CountingRun, injection: Option<Injection<'_>>) -> Strace {
        let pid = match self {
            Self::Executor => world.agent.pids("exec")[0],
            Self::StepHost => run.host(world),
            Self::Coordinator => world.coordinator.process_mut().pid(),
        };
        let calls = "write,pwrite64,fsync,fdatasync";
        let watch = Watch { calls, threads: self == Self::Coordinator };
        Strace::attach_to_files(pid, watch, &self.files(world, run), injection, &world.dir.join("trace"))
    }

    fn files(self, world: &World, run: &CountingRun) -> Vec<PathBuf> {
        let journal = journal::path(world, run.id);
        let directory = journal.parent().unwrap();
        match self {
            Self::Executor => vec![journal],
            Self::StepHost => {
                let spools = (0..STEPS).map(|step| directory.join(format!("steps/{step}.1/spool")));
                std::iter::once(directory.join("attempts.log")).chain(spools).collect()
            }
            Self::Coordinator => {
                let database = world.coordinator.data_dir().join("hydron.db");
                vec![database.with_extension("db-wal"), database]
            }
        }
    }
}

/// Somebody who looks for the reason finds it in a log.
fn names_the_error(logs: &[PathBuf]) {
    let text: String = logs.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    assert!(WORDS.iter().any(|word| text.contains(word)), "nobody says why:\n{text}");
}
