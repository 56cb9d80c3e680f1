//! Arbitrary bytes for the reading `local`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    hydron_agent::parsers::run("local", bytes).unwrap();
});
