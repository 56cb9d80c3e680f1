//! End-to-end tests: real coordinator, real agent, real Docker Engine and nginx, through the public interface.
//!
//! Rule: each test has a world of its own (directories, ports, address pool, project) and removes it by the ids it made.
//! They need the engine and the base images: `tests/lab/docker-engine up && tests/lab/base-images`.

#![expect(clippy::indexing_slicing, reason = "indexing a JSON value by name gives null, it never panics")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod adopted;
mod bad_input;
mod canary;
mod confinement;
mod counting_runs;
mod crashes;
mod demo;
mod docker;
#[path = "../faults/mod.rs"]
mod faults;
mod fleet;
mod house;
mod kill_loop;
mod load;
mod main_job;
mod releases;
mod repository;
mod static_agent;
mod systemd;
mod viewers;
mod world;
