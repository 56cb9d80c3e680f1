//! The agent as real processes: executor, step host and link, against a fake link and a fake coordinator.

mod admission;
mod agent;
mod coordinator;
mod crash;
mod durability;
mod execution;
mod latency;
mod link;
mod permits;
mod secrets;
mod world;
