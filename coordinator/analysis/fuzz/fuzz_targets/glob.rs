//! Arbitrary text for the parser `glob`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    hydron_analysis::parsers::run("glob", text);
});
