//! Steps against a real Docker Engine and a real nginx, as the step host calls them.
//!
//! Rule: every test has its own root, networks and names, and removes what it made by those names.
//! No engine, no nginx: the tests fail and say how to start one. Neighbours: `world` (the harness), one file a subject.

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

mod app;
mod build;
mod client;
mod crash;
mod edge;
mod files;
mod git;
// The tests' git host, without the rest of that crate: it builds on this one.
#[path = "../../../tests/src/git_host/mod.rs"]
#[expect(unreachable_pub, dead_code, unused_imports, reason = "it is written to be a library")]
mod git_host;
mod operate;
mod release;
mod world;
