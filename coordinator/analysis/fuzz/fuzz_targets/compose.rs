//! Arbitrary text for the parser `compose`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    hydron_analysis::parsers::run("compose", text);
});
