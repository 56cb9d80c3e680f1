//! Arbitrary text for the parser `yaml`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    hydron_analysis::parsers::run("yaml", text);
});
