//! Arbitrary text for the parser `dotenv`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    hydron_analysis::parsers::run("dotenv", text);
});
