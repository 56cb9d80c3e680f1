//! `kill -9` again and again: rounds of a run of twelve counting steps on the real coordinator and the real agent, in
//! each of which one process dies at a random moment.
//!
//! Rule: what was once told is never taken back, no step runs twice, what nobody can know is said to be unknown, and the
//! stored log is the spool. The seed is printed; `HYDRON_KILL_SEED` repeats it, `HYDRON_KILL_ROUNDS` asks for more.

use std::collections::BTreeMap;
use std::time::Duration;

use hydron_tests::stack::process::signal;

use crate::counting_runs::{self, CountingRun, STEPS};
use crate::faults::dice::{Dice, number};
use crate::faults::round::{Round, Struck};
use crate::world::World;

/// Rounds when nobody asks for another number.
const ROUNDS: usize = 20;
/// A step takes about this long; a process dies somewhere in it.
const STEP_MS: u64 = 90;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Victim {
    Link,
    Executor,
    StepHost,
    Coordinator,
}

/// Who dies, and when.
#[derive(Debug, Clone, Copy)]
struct Blow {
    victim: Victim,
    /// After this step counted itself.
    step: u32,
    /// And so much later.
    after: Duration,
    /// What a person answers, should the outcome be unknown.
    answer: &'static str,
}

impl Blow {
    fn thrown(dice: &mut Dice) -> Self {
        let victim = match dice.below(4) {
            0 => Victim::Link,
            1 => Victim::Executor,
            2 => Victim::StepHost,
            _ => Victim::Coordinator,
        };
        let step = u32::try_from(dice.below(u64::from(STEPS))).unwrap();
        let after = Duration::from_millis(dice.below(STEP_MS));
        let answer = if dice.below(2) == 0 { "rerun" } else { "adopt_result" };
        Self { victim, step, after, answer }
    }

    async fn strike(self, world: &mut World, run: &CountingRun) -> Struck {
        if run.counted(self.step) == 0 {
            return Struck::NotYet;
        }
        tokio::time::sleep(self.after).await;
        self.victim.kill(world, run).await;
        Struck::Yes
    }
}

impl Victim {
    async fn kill(self, world: &mut World, run: &CountingRun) {
        let pids = match self {
            Self::Coordinator => {
                world.coordinator.process_mut().kill().unwrap();
                return world.coordinator.restart().await.unwrap();
            }
            Self::Link => world.agent.pids("link"),
            Self::Executor => world.agent.pids("exec"),
            Self::StepHost => run.hosts(world),
        };
        for pid in pids {
            // It may have ended by itself a moment ago.
            let _ = signal(pid, "KILL");
        }
    }
}

#[tokio::test]
async fn twenty_rounds_of_kill_9_lose_nothing_and_run_nothing_twice() {
    let rounds = number("HYDRON_KILL_ROUNDS").map_or(ROUNDS, |rounds| usize::try_from(rounds).unwrap());
    println!("HYDRON_KILL_ROUNDS={rounds}");
    let mut dice = Dice::seeded("HYDRON_KILL_SEED");
    let mut world = World::start().await;
    let runs = counting_runs::waiting(&mut world, rounds).await;
    let mut killed = BTreeMap::<Victim, u32>::new();
    let mut compared = 0;
    for (number, run) in runs.into_iter().enumerate() {
        let blow = Blow::thrown(&mut dice);
        println!("round {number}: {} {blow:?}", run.id);
        *killed.entry(blow.victim).or_default() += 1;
        let mut round = Round::new(&mut world, run, blow.answer);
        round.play(async |world, run| blow.strike(world, run).await).await;
        round.each_step_ran_once(1);
        compared += round.each_log_is_its_spool().await;
    }
    println!("killed {killed:?}, {compared} logs compared with their spools");
    // A server forgets a run that is over when its link comes back: a late blow leaves no spool to compare.
    assert!(compared * 2 > rounds * STEPS as usize, "only {compared} logs were compared with their spools");
}
