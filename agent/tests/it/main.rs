//! The agent as real processes: executor, step host and link, against a fake link and a fake coordinator.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::wildcard_enum_match_arm,
    reason = "these are tests: a failure should say where, at once"
)]

mod admission;
mod agent;
mod coordinator;
mod corpora;
mod crash;
mod crash_points;
mod durability;
mod execution;
mod facts;
mod hostile;
mod link;
mod mandates;
mod permits;
mod secrets;
mod world;
