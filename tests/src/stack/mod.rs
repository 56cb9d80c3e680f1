//! A whole Hydron on this machine: real coordinator, real agent, real git host, each a process of its own.
//!
//! Rule: shared by the demo, the end-to-end tests and the benchmarks, so that all three exercise what people run.
//! Neighbours: `git_host` (where sources come from), `tests/lab` (engine and images).

#![expect(clippy::indexing_slicing, reason = "indexing a JSON value by name gives null, it never panics")]

pub mod agent;
pub mod client;
pub mod coordinator;
pub mod pipeline;
pub mod process;
pub mod server;
pub mod site;
