//! Arbitrary bytes for the reading `plan`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    hydron_proto::parsers::run("plan", bytes).unwrap();
});
