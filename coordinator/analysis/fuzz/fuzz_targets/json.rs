//! Arbitrary text for the parser `json`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    hydron_analysis::parsers::run("json", text);
});
