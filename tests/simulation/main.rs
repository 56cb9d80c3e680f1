//! A whole system in one thread and with a clock of its own: one agent (real link, executor, journal) and two coordinators
//! (real sessions, recorder, driver, SQLite), with everything between them going wrong. What must hold is looked at whenever
//! it could break: at every start of a step, every event on the wire, every acknowledgement, every death.
//!
//! Rule: faults, delays, clocks and ids are the seed's. Two things are not: in which order tokio's `select!` looks at what is
//! ready at once (turmoil seeds that too when everything is built with `--cfg tokio_unstable`), and the threads of SQLite.
//! So `HYDRON_SIMULATION_SEED` tells its story [`TIMES`] times. The short form has 200 seeds, `HYDRON_SOAK` 10,000. Simulated
//! are the network (turmoil; TLS is left out), the step hosts' processes and the clocks; a database that answers takes no
//! time, and a coordinator dies before or after any of its statements. The invariants are those of the agent's protocol: I1 no attempt begins twice, I2 nothing begins
//! without a durable intent, its predecessors and the current epoch, I3 every attempt has one end, I4 the stored output
//! is the output, I7 an old epoch has no effect, I8 who is revoked is out. The others are of processes (`tests/e2e`).

#![expect(clippy::print_stderr, reason = "a seed that fails is said")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "small numbers of dice"
)]

mod agent;
mod auditor;
mod coordinator;
mod dice;
mod fencing;
mod history;
mod journal;
mod line;
mod link;
mod needle;
mod person;
mod persons;
mod steps;
mod story;
mod sweep;
mod template;
mod told;
mod witness;
mod world;

use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use template::Template;
use told::Told;

/// Seeds of a test run, and of `make soak`.
const SEEDS: u64 = 200;
const SOAK_SEEDS: u64 = 10_000;
/// Of the sweep, every so many places.
const STRIDE: u64 = 1;
/// How often one seed is told that somebody names.
const TIMES: u64 = 20;

#[test]
fn whatever_is_cut_killed_delayed_or_repeated_no_step_runs_twice_and_nothing_told_is_lost() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let one = number("HYDRON_SIMULATION_SEED");
    let count = match number("HYDRON_SIMULATION_SEEDS") {
        Some(count) => count,
        None if one.is_some() => TIMES,
        None if std::env::var_os("HYDRON_SOAK").is_some() => SOAK_SEEDS,
        None => SEEDS,
    };
    let stories = Stories { one, count, next: AtomicU64::new(0), template: Template::make(2) };
    let tellers = std::thread::available_parallelism().map_or(1, NonZero::get);
    let told = std::thread::scope(|scope| {
        let tellers: Vec<_> = (0..tellers).map(|_| scope.spawn(|| stories.tell())).collect();
        tellers.into_iter().map(|teller| teller.join().unwrap()).fold(Told::default(), |mut all, one| {
            all.add(&one);
            all
        })
    });
    eprintln!("{count} stories: {told:?}");
    // A simulation in which nothing goes wrong shows nothing.
    assert!(one.is_some() || count < SEEDS || told.is_eventful(), "{told:?}");
}

#[test]
fn wherever_the_agent_dies_and_wherever_its_connection_is_cut_the_run_completes() {
    let stride = if std::env::var_os("HYDRON_SOAK").is_some() { 1 } else { STRIDE };
    let offset = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let places = sweep::everywhere(&Template::make(1), stride, offset);
    assert!(places * stride > 100, "only {places} places");
}

struct Stories {
    /// The only seed, if somebody named one.
    one: Option<u64>,
    count: u64,
    next: AtomicU64,
    template: Template,
}

impl Stories {
    /// One after the other, each with a world of this thread.
    fn tell(&self) -> Told {
        let mut told = Told::default();
        loop {
            let number = self.next.fetch_add(1, Ordering::SeqCst);
            if number >= self.count {
                return told;
            }
            let seed = self.one.unwrap_or(number);
            match catch_unwind(AssertUnwindSafe(|| story::tell(&self.template, seed, None))) {
                Ok(one) => told.add(&one),
                Err(panic) => {
                    eprintln!("HYDRON_SIMULATION_SEED={seed} fails");
                    world::print_history();
                    self.next.store(self.count, Ordering::SeqCst);
                    std::panic::resume_unwind(panic);
                }
            }
        }
    }
}
