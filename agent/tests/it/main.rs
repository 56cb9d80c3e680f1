//! The agent as real processes: executor, step host and link, against a fake link and a fake coordinator.

mod admission;
mod crash;
mod execution;
mod permits;
mod secrets;
mod world;
