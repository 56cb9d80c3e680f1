//! Arbitrary bytes for the reading `envelope`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    hydron_proto::parsers::run("envelope", bytes).unwrap();
});
