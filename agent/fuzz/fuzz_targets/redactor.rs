//! Arbitrary bytes for the reading `redactor`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    hydron_agent::parsers::run("redactor", bytes).unwrap();
});
