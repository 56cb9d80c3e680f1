//! Arbitrary text for the parser `dockerfile`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    hydron_analysis::parsers::run("dockerfile", text);
});
