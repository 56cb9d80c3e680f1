//! Arbitrary text for the parser `sources`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    hydron_analysis::parsers::run("sources", text);
});
