//! A tree of several files for a whole reading: names and contents are separated by lines that begin with `=== `.
#![no_main]

use hydron_analysis::{MemoryTree, Options, analyze};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let mut tree = MemoryTree::default();
    for part in text.split("=== ").skip(1) {
        let (name, content) = part.split_once('\n').unwrap_or((part, ""));
        tree.insert(name, content);
    }
    let _ = analyze(&tree, &Options::default(), &mut |_| {});
});
