//! Tests of the coordinator as its users meet it: a real server on a port of its own, a real store, both engines.
//!
//! `harness` starts it and speaks to it; `matrix` walks every operation of the OpenAPI document with every role and with
//! another team's ids; the rest is one module an area. An area registers how its things are made in `harness::things`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "these are tests: a failure should say where, at once"
)]

mod chats;
mod foreign_ids;
mod harness;
mod identity;
mod matrix;
mod pipeline;
mod runs;
