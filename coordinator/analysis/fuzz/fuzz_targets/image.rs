//! Arbitrary text for the parser `image`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    hydron_analysis::parsers::run("image", text);
});
