//! Arbitrary text for the parser `manifests`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    hydron_analysis::parsers::run("manifests", text);
});
