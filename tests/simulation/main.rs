//! A whole system in one thread and with a clock of its own: one agent (real link, executor, journal, redactor) and two
//! coordinators (real sessions, recorder, driver, SQLite), with everything between them going wrong. What must hold is looked at
//! whenever it could break: at every start of a step, every frame, every acknowledgement, every death, and journals at every tick.
//!
//! Two tests: stories of a storm, each from a seed (200, with `HYDRON_SOAK` 10,000), and one simple story with a single fault in
//! every place there is (`sweep`): the agent dies before and after each of its durable acts, alone or with its machine, and its
//! connection is cut before each frame of either way.
//!
//! `HYDRON_SIMULATION_SEEDS` tells so many, `HYDRON_SIMULATION_FROM` begins with a later one.
//!
//! Rule: faults, delays, clocks and ids are the seed's. Two things are not: in which order tokio's `select!` looks at what is
//! ready at once (turmoil seeds that too when everything is built with `--cfg tokio_unstable`), and the threads of SQLite.
//! So `HYDRON_SIMULATION_SEED` tells its story [`TIMES`] times, and a failure prints its last frames. Simulated are the network
//! (turmoil; TLS is left out), the step hosts' processes and the clocks; a database that answers takes no time, and a coordinator
//! dies before or after any of its statements.
//!
//! The invariants are those of the agent's protocol:
//! I1 no attempt begins twice. I2 nothing begins without a durable intent, its predecessors, the current epoch, and, after an
//! interruption or a failure, the plan's or a person's word. I3 every attempt has one end; what is acknowledged is stored, and
//! what comes twice is no gap. I4 the stored output is the output. I5 every step has a secret, sealed in every permit, and prints
//! it as programs do: it is in no frame of either way, no file of the agent and no stored output. I6 what is told to have ended
//! does not work, and once a run is stored as stopped or completed nothing of it works or begins; only runs that a person stopped
//! end so. (No coordinator sends a cancel yet: no step host may hear one.) I7 an old epoch has no effect: deposed coordinators send
//! permits, holds and cancels, and what the executor once said or refused binds it after every death. I8 who is revoked is out.
//! I10 over a slow line, with up to 600 KB of output waiting, a ping of the coordinator is answered after at most one frame of
//! output, and within that frame's time on the line plus 200 ms. I9, a runnable version of the agent, has nothing to be
//! checked on: agents do not update themselves yet.

#![expect(clippy::print_stderr, reason = "a seed that fails is said")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]
#![expect(clippy::wildcard_enum_match_arm, reason = "most frames are nothing to a check")]
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
mod way;
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
/// Seeds between two lines of progress.
const PROGRESS: u64 = 500;
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
    let from = number("HYDRON_SIMULATION_FROM").unwrap_or(0);
    let stories = Stories { one, end: from + count, next: AtomicU64::new(from), template: Template::make(2) };
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
    let places = sweep::everywhere(&Template::make(1));
    assert!(places > 100, "only {places} places");
}

struct Stories {
    /// The only seed, if somebody named one.
    one: Option<u64>,
    /// After the last one.
    end: u64,
    next: AtomicU64,
    template: Template,
}

impl Stories {
    /// One after the other, each with a world of this thread.
    fn tell(&self) -> Told {
        let mut told = Told::default();
        loop {
            let number = self.next.fetch_add(1, Ordering::SeqCst);
            if number >= self.end {
                return told;
            }
            if number > 0 && number.is_multiple_of(PROGRESS) {
                eprintln!("told up to story {number} of {}", self.end);
            }
            let seed = self.one.unwrap_or(number);
            match catch_unwind(AssertUnwindSafe(|| story::tell(&self.template, seed, None))) {
                Ok(one) => told.add(&one),
                Err(panic) => {
                    eprintln!("HYDRON_SIMULATION_SEED={seed} fails");
                    world::print_history();
                    self.next.store(self.end, Ordering::SeqCst);
                    std::panic::resume_unwind(panic);
                }
            }
        }
    }
}
