//! One run of counting steps, what happens to it, and what must hold whatever that was.
//!
//! Rule: what was once told is never taken back, no step runs twice, what nobody can know is said to be unknown, and the
//! stored log is the spool. Neighbours: `counting_runs` (makes the runs), `kill_loop` and this folder's tests (strike).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use hydron_tests::stack::pipeline::steps;
use serde_json::{Value, json};

use crate::counting_runs::{self, CountingRun, STEPS};
use crate::world::World;

use super::dice::soaking;

/// Longest wait for one round; a machine that is busy for hours may stand still for minutes.
fn patience() -> Duration {
    Duration::from_mins(if soaking() { 15 } else { 2 })
}

/// Whether something has happened to a run yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Struck {
    /// It is over.
    Yes,
    /// Not yet; the run may not be called finished.
    NotYet,
    /// Not yet, and perhaps never: the run may end without it.
    Perhaps,
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
pub(crate) struct Round<'a> {
    world: &'a mut World,
    run: CountingRun,
    told: Told,
    /// Steps whose outcome was unknown, and what was answered.
    unknown: BTreeMap<u32, &'static str>,
    /// What a person answers, should an outcome be unknown.
    answer: &'static str,
    /// Whether a log may lack output of its step.
    cut: bool,
}

impl<'a> Round<'a> {
    /// A round of a run that waits to be resumed.
    pub(crate) fn new(world: &'a mut World, run: CountingRun, answer: &'static str) -> Self {
        Self { world, run, told: Told::default(), unknown: BTreeMap::new(), answer, cut: false }
    }

    /// There was no room for all that the steps wrote.
    pub(crate) fn with_output_that_may_be_cut(self) -> Self {
        Self { cut: true, ..self }
    }

    /// Lets the run go and answers until it is completed; `strike` is called again and again.
    pub(crate) async fn play(&mut self, mut strike: impl AsyncFnMut(&mut World, &CountingRun) -> Struck) {
        let mut resumed = false;
        let deadline = Instant::now() + patience();
        let mut struck = Struck::NotYet;
        let mut last = Value::Null;
        loop {
            assert!(Instant::now() < deadline, "{struck:?}: {last:#}\n{}", self.world.logs());
            if !resumed {
                resumed = self.resume().await;
            }
            if struck != Struck::Yes {
                struck = strike(self.world, &self.run).await;
            }
            if let Ok(run) = self.world.client.get(&format!("/runs/{}", self.run.id)).await {
                self.told.hear(&run);
                if struck == Struck::Yes {
                    self.answer(&run).await;
                }
                if run["state"] == "completed" && struck != Struck::NotYet {
                    return;
                }
                last = run;
            }
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
    }

    /// Whether it goes. Who gets no answer, because just that was the fault, asks again.
    async fn resume(&self) -> bool {
        let path = format!("/runs/{}", self.run.id);
        if self.world.client.post(&format!("{path}/resume"), json!({})).await.is_ok() {
            return true;
        }
        self.world.client.get(&path).await.is_ok_and(|run| run["state"] != "paused")
    }

    /// The world it happens in.
    pub(crate) fn world(&mut self) -> &mut World {
        self.world
    }

    /// A person answers what the machine cannot know.
    async fn answer(&mut self, run: &Value) {
        let Some(step) = steps(run).find(|step| step["state"] == "unknown") else { return };
        let index = index_of(step);
        if run["state"] != "paused" || self.unknown.contains_key(&index) {
            return;
        }
        let body = json!({ "server_id": self.world.server, "step": index, "decision": self.answer });
        self.world.client.post(&format!("/runs/{}/resolve", self.run.id), body).await.unwrap();
        self.unknown.insert(index, self.answer);
    }

    /// No step ran twice, and at most so many had to be asked about.
    pub(crate) fn each_step_ran_once(&self, unknown: usize) {
        for step in 0..STEPS {
            let attempts = self.told.0[&step].0;
            let (most, least) = match self.unknown.get(&step) {
                None => (1, 1),
                // The first attempt may have died before it counted.
                Some(&"rerun") => (2, 1),
                Some(_adopted) => (1, 0),
            };
            assert!(attempts <= most, "step {step} has {attempts} attempts: {:?}", self.unknown);
            let counted = self.run.counted(step) as u64;
            assert!((least..=most).contains(&counted), "step {step} counted {counted}: {:?}", self.unknown);
        }
        assert!(self.unknown.len() <= unknown, "too much is unknown: {:?}", self.unknown);
    }

    /// How many attempts could be compared.
    pub(crate) async fn each_log_is_its_spool(&self) -> usize {
        let mut compared = 0;
        for step in 0..STEPS {
            let attempts = self.told.0[&step].0;
            for attempt in 1..=attempts {
                // Read before the log is asked for: the spool of an attempt that is over does not grow.
                let spool = std::fs::read(self.spool(step, attempt)).ok();
                compared += usize::from(spool.is_some());
                let whole =
                    !self.cut && attempt == attempts && self.unknown.get(&step) != Some(&"adopt_result");
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
        let deadline = Instant::now() + patience();
        loop {
            let stored = self.world.log(&self.run.id.to_string(), u64::from(step), attempt).await;
            if stored == expected {
                return;
            }
            assert!(
                expected.starts_with(&stored),
                "step {step}.{attempt} stores what is not its spool:\n{stored}"
            );
            assert!(
                Instant::now() < deadline,
                "step {step}.{attempt} lacks output:\n{stored}\n{}",
                self.world.logs()
            );
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
