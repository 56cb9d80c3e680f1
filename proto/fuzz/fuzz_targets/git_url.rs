//! Arbitrary bytes for the reading `git_url`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    hydron_proto::parsers::run("git_url", bytes).unwrap();
});
