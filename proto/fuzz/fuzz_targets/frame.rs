//! Arbitrary bytes for the reading `frame`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    hydron_proto::parsers::run("frame", bytes).unwrap();
});
