//! Arbitrary text for the parser `procfile`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    hydron_analysis::parsers::run("procfile", text);
});
