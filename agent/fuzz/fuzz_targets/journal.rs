//! Arbitrary bytes for the reading `journal`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    hydron_agent::parsers::run("journal", bytes).unwrap();
});
