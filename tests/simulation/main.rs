//! A whole system in one thread and with a clock of its own: one agent (real link, executor, journal) and two coordinators
//! (real sessions, recorder, driver, SQLite), with everything between them going wrong. What must hold is looked at whenever
//! it could break: at every start of a step, every event on the wire, every acknowledgement, every death.
//!
//! Rule: what a seed decides is all that is decided, so a seed that failed fails again: `HYDRON_SIMULATION_SEED`. The short
//! form has 200 seeds, `HYDRON_SOAK` 10,000. Simulated are the network (turmoil; TLS is left out), the step host's
//! processes and the clocks. The invariants are those of the agent's protocol: I1 no attempt begins twice, I2 nothing begins
//! without a durable intent, its predecessors and the current epoch, I3 every attempt has one end, I4 the stored output
//! is the output, I7 an old epoch has no effect, I8 who is revoked is out. The others are of processes (`tests/e2e`).

#![expect(clippy::print_stderr, reason = "a seed that fails is said")]

mod agent;
mod coordinator;
mod dice;
mod journal;
mod link;
mod steps;
mod story;
mod template;
mod witness;
mod world;

use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use story::Told;
use template::Template;

/// Seeds of a test run, and of `make soak`.
const SEEDS: u64 = 200;
const SOAK_SEEDS: u64 = 10_000;

#[test]
fn whatever_is_cut_killed_delayed_or_repeated_no_step_runs_twice_and_nothing_told_is_lost() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("HYDRON_SIMULATION_SEED") {
        Some(seed) => seed..seed + 1,
        None if std::env::var_os("HYDRON_SOAK").is_some() => 0..SOAK_SEEDS,
        None => 0..number("HYDRON_SIMULATION_SEEDS").unwrap_or(SEEDS),
    };
    let template = Template::make();
    let next = AtomicU64::new(seeds.start);
    let tellers = std::thread::available_parallelism().map_or(1, NonZero::get);
    let told = std::thread::scope(|scope| {
        let tell = || tell_until(&template, &next, seeds.end);
        let tellers: Vec<_> = (0..tellers).map(|_| scope.spawn(tell)).collect();
        tellers.into_iter().map(|teller| teller.join().unwrap()).fold(Told::default(), |mut all, one| {
            all.add(&one);
            all
        })
    });
    eprintln!("{} seeds: {told:?}", seeds.end - seeds.start);
    // A simulation in which nothing goes wrong shows nothing.
    assert!(seeds.end - seeds.start < SEEDS || told.is_eventful(), "{told:?}");
}

/// One after the other, each with a world of this thread.
fn tell_until(template: &Template, next: &AtomicU64, end: u64) -> Told {
    let mut told = Told::default();
    loop {
        let seed = next.fetch_add(1, Ordering::SeqCst);
        if seed >= end {
            return told;
        }
        match catch_unwind(AssertUnwindSafe(|| story::tell(template, seed))) {
            Ok(one) => told.add(&one),
            Err(panic) => {
                eprintln!("HYDRON_SIMULATION_SEED={seed} fails");
                next.store(end, Ordering::SeqCst);
                std::panic::resume_unwind(panic);
            }
        }
    }
}
