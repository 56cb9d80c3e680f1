//! Arbitrary text for the parser `command`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    hydron_analysis::parsers::run("command", text);
});
