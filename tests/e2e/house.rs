//! Rules of the house that no compiler holds: one place starts a shell; what a document says a test proves, a test of that
//! name proves.
//!
//! Rule: it reads the sources, and first sees that it finds what must be there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Programs that take a text for a command.
const SHELLS: [&str; 8] = ["sh", "bash", "dash", "zsh", "/bin/sh", "/bin/bash", "/usr/bin/env", "eval"];

/// Every sink of command injection that the peers had was a text glued into a shell's command (bug classes B1 to B4).
#[test]
fn only_the_shell_step_starts_a_shell() {
    let mut starts = BTreeSet::new();
    for root in ["agent/src", "coordinator/src", "coordinator/store/src", "installer/src"] {
        for path in files(&repository().join(root), &["rs"]) {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            let starts_one = |shell: &&str| {
                ["Command::new(", ".command(", ".arg(", ".args(["]
                    .iter()
                    .any(|call| code.contains(&format!("{call}\"{shell}\"")))
            };
            if SHELLS.iter().any(starts_one) {
                starts.insert(path.strip_prefix(repository()).unwrap().to_owned());
            }
        }
    }
    assert_eq!(starts, BTreeSet::from([PathBuf::from("agent/src/steps/shell.rs")]));
}

#[test]
fn every_test_that_a_bug_class_names_is_there() {
    let document = std::fs::read_to_string(repository().join("tests/bug-classes.md")).unwrap();
    let named: BTreeSet<&str> =
        document.split('`').skip(1).step_by(2).filter(|name| is_a_test(name)).collect();
    assert!(named.len() > 40, "only {} tests are named", named.len());
    let tests = tests();
    let missing: Vec<_> = named.iter().filter(|name| !tests.contains(last(name))).collect();
    assert!(missing.is_empty(), "no such test: {missing:?}");
    for class in 1..=30 {
        assert!(document.contains(&format!("| B{class} |")), "B{class} is not spoken of");
    }
}

#[test]
fn every_named_mutant_says_which_test_must_fail_and_the_test_is_there() {
    let patches = files(&repository().join("tests/lab/mutants.d"), &["patch"]);
    assert!(patches.len() >= 40, "only {} mutants", patches.len());
    let tests = tests();
    for path in patches {
        let text = std::fs::read_to_string(&path).unwrap();
        let named = text.lines().find_map(|line| line.strip_prefix("Must fail: "));
        let test = named.and_then(|named| named.split(' ').nth(2)).unwrap_or_default();
        assert!(tests.contains(last(test)), "{}: no test {test:?}", path.display());
    }
}

/// Names of functions in Rust tests, and titles in the browser's and the web's.
fn tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for root in ["proto", "agent", "coordinator", "installer", "tests"] {
        for path in files(&repository().join(root), &["rs", "ts", "tsx", "mjs"]) {
            let text = std::fs::read_to_string(&path).unwrap();
            names.extend(
                text.split("fn ").skip(1).filter_map(|rest| rest.split(['(', '<']).next()).map(str::to_owned),
            );
            let titles = ["it(\"", "test(\""].into_iter().flat_map(|call| text.split(call).skip(1));
            names.extend(titles.filter_map(|rest| rest.split('"').next()).map(str::to_owned));
        }
    }
    assert!(names.len() > 500, "only {} names", names.len());
    names
}

/// A path of modules with a sentence at its end.
fn is_a_test(name: &str) -> bool {
    name.contains("::") && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_:".contains(&b))
}

fn last(name: &str) -> &str {
    name.rsplit("::").next().unwrap_or_default()
}

fn files(directory: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        let kept_out =
            ["node_modules", "target", "dist", "out"].contains(&entry.file_name().to_str().unwrap_or(""));
        if path.is_dir() && !kept_out {
            found.extend(files(&path, extensions));
        } else if path.extension().is_some_and(|kind| extensions.iter().any(|one| kind == *one)) {
            found.push(path);
        }
    }
    found
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}
