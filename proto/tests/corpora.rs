//! Every reading over its seeds and over mutations of them: what the fuzz targets do, on stable and in seconds. What a target
//! falls over becomes a seed.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "these are tests: a failure should say where, at once"
)]

mod mutations;

use hydron_proto::parsers::{self, PARSERS};

const FUZZ: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz");

#[test]
fn every_reading_has_a_target_and_seeds() {
    mutations::have_targets_and_seeds(FUZZ, PARSERS);
    assert!(parsers::run("nonsense", b"").is_err());
}

#[test]
fn no_reading_falls_over_its_seeds_or_over_any_piece_of_them() {
    mutations::answer_pieces_of_seeds(FUZZ, PARSERS);
}

#[test]
fn no_reading_breaks_its_promise_over_mutations() {
    mutations::keep_their_promise_over_mutations(FUZZ, PARSERS, 4000);
}
