//! A crash at every durable write of a run: each process of the product is killed at its N-th write, sync, rename or message.
//!
//! Rule: an unharmed run says how many there are; the short form takes some by chance, spread over all kinds of calls, the
//! long form takes every one, from `HYDRON_FAULT_FROM` on. `HYDRON_FAULT_SEED` repeats the choice.

use std::collections::BTreeMap;
use std::time::Duration;

use hydron_store::testing::{Engine, fresh_location};

use crate::counting_runs::{self, CountingRun, STEPS};
use crate::world::{Setup, World};

use super::dice::{Dice, first_place, soaking};
use super::round::{Round, Struck};
use super::strace::{DISK, DISK_AND_SOCKET, Injection, SOCKET, Strace, Watch};

const SEED: &str = "HYDRON_FAULT_SEED";
/// Runs that are made at once; each has a step host that goes when it has nothing to do for two minutes.
const BATCH: usize = 15;

/// How long a process that was killed may take to be gone.
const ENDING: Duration = Duration::from_secs(20);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Link,
    Executor,
    StepHost,
    Coordinator(Engine),
}

/// Which call of whom is the last one.
#[derive(Debug, Clone)]
struct Crash {
    victim: Victim,
    call: String,
    number: u32,
}

#[tokio::test]
async fn a_crash_at_any_write_of_the_executor_loses_nothing_and_runs_nothing_twice() {
    crashes(World::start().await, Victim::Executor, 6).await;
}

#[tokio::test]
async fn a_crash_at_any_write_of_a_step_host_is_told_or_honestly_unknown() {
    crashes(World::start().await, Victim::StepHost, 6).await;
}

#[tokio::test]
async fn a_crash_at_any_write_of_the_link_loses_nothing() {
    crashes(World::start().await, Victim::Link, 4).await;
}

#[tokio::test]
async fn a_crash_at_any_write_of_a_coordinator_on_sqlite_takes_nothing_back() {
    crashes(World::start().await, Victim::Coordinator(Engine::Sqlite), 6).await;
}

#[tokio::test]
async fn a_crash_at_any_message_of_a_coordinator_on_postgresql_takes_nothing_back() {
    let Some((database, _dir)) = fresh_location(Engine::Postgres).await else {
        eprintln!("skipped: HYDRON_TEST_POSTGRES_URL is not set");
        return;
    };
    let world = World::start_with(Setup::on(database)).await;
    crashes(world, Victim::Coordinator(Engine::Postgres), 6).await;
}

/// Looks at one unharmed run, then crashes as many as are wanted, or one at every call.
async fn crashes(mut world: World, victim: Victim, wanted: usize) {
    let mut dice = Dice::seeded(SEED);
    let calls = calls_of_a_run(&mut world, victim).await;
    let mut crashes = every(victim, &calls);
    println!("{victim:?}: {} places to crash: {calls:?}", crashes.len());
    if soaking() {
        crashes.drain(..first_place().min(crashes.len()));
    } else {
        crashes = some(crashes, wanted, &mut dice);
    }
    let (mut killed, mut compared) = (0, 0);
    for batch in crashes.chunks(BATCH) {
        let runs = counting_runs::waiting(&mut world, batch.len()).await;
        for (crash, run) in batch.iter().zip(runs) {
            let answer = if dice.below(2) == 0 { "rerun" } else { "adopt_result" };
            println!("{}: {crash:?}, {answer}", run.id);
            let (fell, logs) = round(&mut world, run, crash, answer).await;
            if !fell {
                println!("not reached");
            }
            killed += usize::from(fell);
            compared += logs;
        }
    }
    println!("{killed} of {} crashed, {compared} logs compared with their spools", crashes.len());
    // The number of messages is not the same in every run, and what the first run makes once is made.
    assert!(killed * 3 >= crashes.len(), "only {killed} of {} crashed", crashes.len());
    assert!(
        compared > 0 && compared * 3 > crashes.len() * STEPS as usize,
        "only {compared} logs were compared"
    );
}

async fn calls_of_a_run(world: &mut World, victim: Victim) -> BTreeMap<String, u32> {
    let run = counting_runs::waiting(world, 1).await.remove(0);
    let strace = victim.traced(world, &run, None);
    let mut round = Round::new(world, run, "rerun");
    round.play(async |_, _| Struck::Perhaps).await;
    round.each_step_ran_once(0);
    round.each_log_is_its_spool().await;
    strace.detach()
}

/// Whether it was reached, and how many logs were compared.
async fn round(world: &mut World, run: CountingRun, crash: &Crash, answer: &'static str) -> (bool, usize) {
    world.agent_again().await;
    let mut strace = Some(crash.victim.traced(world, &run, Some(Injection::Kill(&crash.call, crash.number))));
    let mut round = Round::new(world, run, answer);
    round
        .play(async |world, _| {
            if strace.as_ref().is_some_and(|strace| !strace.has_killed()) {
                return Struck::Perhaps;
            }
            drop(strace.take());
            crash.victim.is_gone(world);
            crash.victim.comes_back(world).await;
            Struck::Yes
        })
        .await;
    let at_the_end = strace.as_ref().is_some_and(Strace::has_killed);
    let killed = strace.is_none() || at_the_end;
    drop(strace);
    if at_the_end {
        crash.victim.is_gone(round.world());
    }
    crash.victim.comes_back(round.world()).await;
    round.each_step_ran_once(1);
    (killed, round.each_log_is_its_spool().await)
}

/// Every call of an unharmed run.
fn every(victim: Victim, calls: &BTreeMap<String, u32>) -> Vec<Crash> {
    let numbered = |(call, count): (&String, &u32)| {
        let call = call.clone();
        (1..=*count).map(move |number| Crash { victim, call: call.clone(), number }).collect::<Vec<_>>()
    };
    calls.iter().flat_map(numbered).collect()
}

/// As many as are wanted: the kinds of calls take turns, each gives one by chance.
fn some(all: Vec<Crash>, wanted: usize, dice: &mut Dice) -> Vec<Crash> {
    let mut kinds = BTreeMap::<String, Vec<Crash>>::new();
    for crash in all {
        kinds.entry(crash.call.clone()).or_default().push(crash);
    }
    let mut chosen = Vec::new();
    while chosen.len() < wanted && kinds.values().any(|left| !left.is_empty()) {
        for left in kinds.values_mut().filter(|left| !left.is_empty()) {
            // Not among the last ones: another run may make fewer.
            let likely = (left.len() * 4 / 5).max(1);
            let place = usize::try_from(dice.below(likely as u64)).unwrap();
            chosen.push(left.remove(place));
        }
    }
    chosen.truncate(wanted);
    chosen
}

impl Victim {
    fn traced(self, world: &mut World, run: &CountingRun, kill: Option<Injection<'_>>) -> Strace {
        let pid = match self {
            Self::Link => world.agent.pids("link")[0],
            Self::Executor => world.agent.pids("exec")[0],
            Self::StepHost => run.host(world),
            Self::Coordinator(_) => world.coordinator.process_mut().pid(),
        };
        let watch = match self {
            Self::Link | Self::Executor | Self::StepHost => Watch { calls: DISK_AND_SOCKET, threads: false },
            Self::Coordinator(Engine::Sqlite) => Watch { calls: DISK, threads: true },
            Self::Coordinator(Engine::Postgres) => Watch { calls: SOCKET, threads: true },
        };
        Strace::attach(pid, watch, kill, &world.dir.join("trace"))
    }

    /// Waits for the end of a coordinator that was killed: its first thread is dead before the last one is.
    fn is_gone(self, world: &mut World) {
        if let Self::Coordinator(_) = self {
            world.coordinator.process_mut().ends_within(ENDING).unwrap();
        }
    }

    /// The agent's supervisor starts what ended; the coordinator has none here.
    async fn comes_back(self, world: &mut World) {
        if world.coordinator.process_mut().must_run().is_err() {
            world.coordinator.restart().await.unwrap();
        }
    }
}
