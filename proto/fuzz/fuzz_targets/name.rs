//! Arbitrary bytes for the reading `name`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    hydron_proto::parsers::run("name", bytes).unwrap();
});
