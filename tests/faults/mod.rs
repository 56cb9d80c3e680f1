//! Faults: real processes lose their life, their disk, their database or their network in the middle of a run.
//!
//! Rule: whatever happens, nothing that was told is taken back, no step runs twice, the stored log is the spool, and a run
//! ends completed or honestly unknown. Seeds are printed. The short forms are part of every test run; `make soak` sets
//! `HYDRON_SOAK`, and the same tests take their long form.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "seeds, measured times and skips are said")]

mod broken_disk;
mod coordinators;
mod database;
pub(crate) mod dice;
mod durable_writes;
mod flood;
mod full_disk;
mod journal;
mod lab_server;
mod memory;
mod network;
mod proxy;
mod relay;
pub(crate) mod round;
mod small_disk;
mod stops;
mod strace;
mod wire;
