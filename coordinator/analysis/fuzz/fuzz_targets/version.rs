//! Arbitrary text for the parser `version`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    hydron_analysis::parsers::run("version", text);
});
