//! `kill -9` again and again: rounds of a run of twelve counting steps on the real coordinator and the real agent, in
//! each of which one process dies at a random moment.
//!
//! Rule: what was once told is never taken back, no step runs twice, what nobody can know is said to be unknown, and the
//! stored log is the spool. The seed is printed; `HYDRON_KILL_SEED` repeats it, `HYDRON_KILL_ROUNDS` asks for more.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hydron_tests::stack::pipeline::steps;
use hydron_tests::stack::process::signal;
use serde_json::{Value, json};

use crate::counting_runs::{self, CountingRun, STEPS};
use crate::world::World;

/// Rounds when nobody asks for another number.
const ROUNDS: usize = 20;
/// Longest wait for one round.
const PATIENCE: Duration = Duration::from_mins(1);
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

/// SplitMix64: the same numbers for the same seed, whatever library is linked.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    fn blow(&mut self) -> Blow {
        let victim = match self.below(4) {
            0 => Victim::Link,
            1 => Victim::Executor,
            2 => Victim::StepHost,
            _ => Victim::Coordinator,
        };
        let step = u32::try_from(self.below(u64::from(STEPS))).unwrap();
        let after = Duration::from_millis(self.below(STEP_MS));
        let answer = if self.below(2) == 0 { "rerun" } else { "adopt_result" };
        Blow { victim, step, after, answer }
    }
}

/// What the interface has told about a run so far; it may never say less.
#[derive(Debug, Default)]
struct Told(BTreeMap<u32, (u64, u8)>);

impl Told {
    fn hear(&mut self, run: &Value) {
        for step in steps(run) {
            let rank = match step["state"].as_str().unwrap() {
                "pending" => 0,
                "running" => 1,
                "unknown" => 2,
                "completed" => 3,
                other => panic!("no step may be {other}: {step:#}"),
            };
            let (index, now) = (index_of(step), (step["attempt"].as_u64().unwrap(), rank));
            let before = self.0.insert(index, now).unwrap_or_default();
            assert!(before <= now, "step {index} was {before:?} and is {now:?}: a transition was lost");
        }
    }
}

/// One run and what happens to it.
struct Round<'a> {
    world: &'a mut World,
    run: CountingRun,
    told: Told,
    /// Steps whose outcome was unknown, and what was answered.
    unknown: BTreeMap<u32, &'static str>,
}

#[tokio::test]
async fn twenty_rounds_of_kill_9_lose_nothing_and_run_nothing_twice() {
    let seed = number("HYDRON_KILL_SEED").unwrap_or_else(now_ms);
    let rounds = number("HYDRON_KILL_ROUNDS").map_or(ROUNDS, |rounds| usize::try_from(rounds).unwrap());
    println!("HYDRON_KILL_SEED={seed} HYDRON_KILL_ROUNDS={rounds}");
    let mut dice = Dice(seed);
    let mut world = World::start().await;
    let runs = counting_runs::waiting(&mut world, rounds).await;
    let mut killed = BTreeMap::<Victim, u32>::new();
    let mut compared = 0;
    for (number, run) in runs.into_iter().enumerate() {
        let blow = dice.blow();
        println!("round {number}: {} {blow:?}", run.id);
        *killed.entry(blow.victim).or_default() += 1;
        let mut round = Round { world: &mut world, run, told: Told::default(), unknown: BTreeMap::new() };
        round.play(blow).await;
        round.each_step_ran_once();
        compared += round.each_log_is_its_spool().await;
    }
    println!("killed {killed:?}, {compared} logs compared with their spools");
    // A server forgets a run that is over when its link comes back: a late blow leaves no spool to compare.
    assert!(compared * 2 > rounds * STEPS as usize, "only {compared} logs were compared with their spools");
}

impl Round<'_> {
    /// Lets the run go, strikes once, and answers until the run is completed.
    async fn play(&mut self, blow: Blow) {
        self.world.client.post(&format!("/runs/{}/resume", self.run.id), json!({})).await.unwrap();
        let deadline = Instant::now() + PATIENCE;
        let mut struck = false;
        let mut last = Value::Null;
        loop {
            assert!(Instant::now() < deadline, "{blow:?}: {last:#}\n{}", self.world.logs());
            if !struck && self.counted(blow.step) > 0 {
                tokio::time::sleep(blow.after).await;
                self.strike(blow.victim).await;
                struck = true;
            }
            if let Ok(run) = self.world.client.get(&format!("/runs/{}", self.run.id)).await {
                self.told.hear(&run);
                self.answer(&run, blow.answer).await;
                if run["state"] == "completed" && struck {
                    return;
                }
                last = run;
            }
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
    }

    async fn strike(&mut self, victim: Victim) {
        let role = match victim {
            Victim::Coordinator => {
                self.world.coordinator.process_mut().kill().unwrap();
                return self.world.coordinator.restart().await.unwrap();
            }
            Victim::Link => "link",
            Victim::Executor => "exec",
            Victim::StepHost => "step-host",
        };
        let run = self.run.id.to_string();
        for pid in self.world.agent.pids(role) {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let of_run = line.split(|byte| *byte == 0).any(|word| word == run.as_bytes());
            if victim != Victim::StepHost || of_run {
                // It may have ended by itself a moment ago.
                let _ = signal(pid, "KILL");
            }
        }
    }

    /// A person answers what the machine cannot know.
    async fn answer(&mut self, run: &Value, answer: &'static str) {
        let Some(step) = steps(run).find(|step| step["state"] == "unknown") else { return };
        let index = index_of(step);
        if run["state"] != "paused" || self.unknown.contains_key(&index) {
            return;
        }
        let body = json!({ "server_id": self.world.server, "step": index, "decision": answer });
        self.world.client.post(&format!("/runs/{}/resolve", self.run.id), body).await.unwrap();
        self.unknown.insert(index, answer);
    }

    /// How often a step counted itself.
    fn counted(&self, step: u32) -> usize {
        let counter = std::fs::read_to_string(&self.run.counter).unwrap_or_default();
        counter.lines().filter(|line| *line == step.to_string()).count()
    }

    fn each_step_ran_once(&self) {
        for step in 0..STEPS {
            let attempts = self.told.0[&step].0;
            let (most, least) = match self.unknown.get(&step) {
                None => (1, 1),
                // The first attempt may have died before it counted.
                Some(&"rerun") => (2, 1),
                Some(_adopted) => (1, 0),
            };
            assert!(attempts <= most, "step {step} has {attempts} attempts: {:?}", self.unknown);
            let counted = self.counted(step) as u64;
            assert!((least..=most).contains(&counted), "step {step} counted {counted}: {:?}", self.unknown);
        }
        assert!(self.unknown.len() <= 1, "one death makes at most one step unknown: {:?}", self.unknown);
    }

    /// How many attempts could be compared.
    async fn each_log_is_its_spool(&self) -> usize {
        let mut compared = 0;
        for step in 0..STEPS {
            let attempts = self.told.0[&step].0;
            for attempt in 1..=attempts {
                // Read before the log is asked for: the spool of an attempt that is over does not grow.
                let spool = std::fs::read(self.spool(step, attempt)).ok();
                compared += usize::from(spool.is_some());
                let whole = attempt == attempts && self.unknown.get(&step) != Some(&"adopt_result");
                let expected = match (spool, whole) {
                    (Some(spool), true) => {
                        assert_eq!(spool, counting_runs::output(step), "step {step}");
                        spool
                    }
                    (None, true) => counting_runs::output(step),
                    (Some(spool), false) => spool,
                    (None, false) => continue,
                };
                self.stored_becomes(step, attempt, &expected).await;
            }
        }
        compared
    }

    /// Output follows the result; it may take a moment to arrive.
    async fn stored_becomes(&self, step: u32, attempt: u64, expected: &[u8]) {
        let expected = String::from_utf8_lossy(expected);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let stored = self.world.log(&self.run.id.to_string(), u64::from(step), attempt).await;
            if stored == expected {
                return;
            }
            assert!(
                expected.starts_with(&stored),
                "step {step}.{attempt} stores what is not its spool:\n{stored}"
            );
            assert!(Instant::now() < deadline, "step {step}.{attempt} lacks output:\n{stored}");
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    fn spool(&self, step: u32, attempt: u64) -> PathBuf {
        let steps = format!("var/lib/hydron/exec/runs/{}/steps/{step}.{attempt}/spool", self.run.id);
        self.world.agent.root().join(steps)
    }
}

fn index_of(step: &Value) -> u32 {
    u32::try_from(step["index"].as_u64().unwrap()).unwrap()
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable} is a number")))
}

fn now_ms() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}
