//! Tests of the store on real databases of both engines. One module an aggregate; every test runs on every engine.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "these are tests: a failure should say where, at once"
)]

mod analyses;
mod identity;
mod team_rule;
mod timeline;
mod worlds;
