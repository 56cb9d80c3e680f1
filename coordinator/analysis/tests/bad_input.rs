//! Trees that are empty, odd or hostile: each ends with a finding that says what to do.

use std::fmt::Write as _;

use hydron_analysis::{Caps, Entry, EntryKind, FileTree, MemoryTree, Options, TreeError, analyze};
use hydron_domain::analysis::FindingCode;

use crate::{has_finding, read};

#[test]
fn trees_without_services_say_why() {
    for (files, code) in [
        (&[][..], FindingCode::EmptyRepository),
        (&[("README.md", "# x"), ("LICENSE", "MIT")][..], FindingCode::OnlyDocs),
        (&[("main.c", "int main() {}")][..], FindingCode::UnknownLanguage),
        (&[("lib.py", "x = 1")][..], FindingCode::NoService),
        (&[("photo.png", "\0\0")][..], FindingCode::OnlyBinary),
    ] {
        let analysis = read(files);
        assert!(analysis.services.is_empty());
        assert!(has_finding(&analysis, code), "{code:?}: {:?}", analysis.findings);
        assert!(analysis.findings.iter().all(|f| !f.advice.is_empty()));
    }
}

#[test]
fn manifests_that_do_not_parse_are_named() {
    let analysis = read(&[
        ("package.json", "{ not json"),
        ("api/pyproject.toml", "[project\n"),
        ("compose.yaml", "services: [\n"),
        ("app.py", "x"),
    ]);
    let files: Vec<&str> = analysis
        .findings
        .iter()
        .filter(|f| f.code == FindingCode::UnreadableManifest)
        .filter_map(|f| f.file.as_deref())
        .collect();
    assert_eq!(files, ["api/pyproject.toml", "compose.yaml", "package.json"]);
}

#[test]
fn conflicting_lock_files_are_reported_once() {
    let analysis = read(&[
        ("package.json", r#"{"name":"x","scripts":{"start":"node s.js"},"dependencies":{"express":"5"}}"#),
        ("s.js", "require('express')().listen(1)"),
        ("yarn.lock", ""),
        ("package-lock.json", "{}"),
    ]);
    assert_eq!(analysis.findings.iter().filter(|f| f.code == FindingCode::ConflictingLockfiles).count(), 1);
}

#[test]
fn two_services_on_one_host_port_and_a_circle_are_reported() {
    let dockerfile = "FROM node:22\nCOPY . .\nEXPOSE 1\nCMD [\"node\", \"s.js\"]\n";
    let analysis = read(&[
        (
            "compose.yaml",
            "services:\n  a:\n    build: a\n    ports: ['80:1']\n    depends_on: [b]\n  b:\n    build: b\n    ports: ['80:1']\n    depends_on: [a]\n",
        ),
        ("a/Dockerfile", dockerfile),
        ("b/Dockerfile", dockerfile),
        ("a/s.js", ""),
        ("b/s.js", ""),
    ]);
    assert!(has_finding(&analysis, FindingCode::PortConflict));
    assert!(has_finding(&analysis, FindingCode::CyclicDependencies));
}

/// A tree whose links point where they should not.
struct Links;

impl FileTree for Links {
    fn entries(&self) -> Result<Vec<Entry>, TreeError> {
        let link = |path: &str| Entry { path: path.to_owned(), kind: EntryKind::Link, size: 10 };
        Ok(vec![
            link("package.json"),
            link("a/Dockerfile"),
            link("b"),
            Entry { path: "sub".to_owned(), kind: EntryKind::Submodule, size: 0 },
        ])
    }

    fn read(&self, path: &str, _cap: usize) -> Result<Vec<u8>, TreeError> {
        Ok(match path {
            "package.json" => b"../../etc/passwd".to_vec(),
            "a/Dockerfile" => b"Dockerfile".to_vec(),
            _ => b"b".to_vec(),
        })
    }
}

#[test]
fn links_that_leave_or_bite_their_tail_end_in_findings() {
    let analysis = analyze(&Links, &Options::default(), &mut |_| {}).unwrap();
    assert!(has_finding(&analysis, FindingCode::ForeignLink));
    assert!(has_finding(&analysis, FindingCode::Submodule));
}

#[test]
fn caps_hold_and_are_said() {
    let mut tree = MemoryTree::default();
    for i in 0..500 {
        tree.insert(&format!("f{i}.py"), "x = 1");
    }
    tree.insert("package.json", vec![b' '; 2_000_000]);
    tree.insert(&format!("{}deep.py", "d/".repeat(200)), "x");
    tree.insert("bad.py", vec![0xff, 0xfe, b'a']);
    let options = Options { caps: Caps { files: 400, ..Caps::default() }, ..Options::default() };
    let analysis = analyze(&tree, &options, &mut |_| {}).unwrap();
    assert!(has_finding(&analysis, FindingCode::CapReached));
    assert!(analysis.stats.bytes_read < 1_000_000);
}

#[test]
fn nested_brackets_and_yaml_bombs_do_not_end_the_reading() {
    let deep = "[".repeat(200_000);
    let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
    for i in 1..10 {
        writeln!(bomb, "a{i}: &a{i} [{}]", vec![format!("*a{}", i - 1); 9].join(",")).unwrap();
    }
    let analysis = read(&[("package.json", &deep), ("compose.yaml", &bomb), ("index.html", "<p>")]);
    assert!(has_finding(&analysis, FindingCode::UnreadableManifest));
}

#[test]
fn only_a_subdirectory_can_be_asked_for() {
    let tree = MemoryTree::new([
        ("a/index.html", "<p>"),
        ("services/auth/requirements.txt", "flask"),
        ("services/auth/app.py", "from flask import Flask\napp = Flask(__name__)\n"),
    ]);
    let options = Options { subdir: Some("/services/auth".to_owned()), ..Options::default() };
    let analysis = analyze(&tree, &options, &mut |_| {}).unwrap();
    assert_eq!(analysis.services.iter().map(|s| s.path.as_str()).collect::<Vec<_>>(), ["services/auth"]);
}

#[test]
fn a_directory_that_was_asked_for_is_not_judged_by_its_name() {
    let tree = MemoryTree::new([
        ("index.html", "<p>"),
        ("examples/auth/requirements.txt", "flask"),
        ("examples/auth/app.py", "from flask import Flask\napp = Flask(__name__)\n"),
    ]);
    let options = Options { subdir: Some("examples/auth".to_owned()), ..Options::default() };
    let analysis = analyze(&tree, &options, &mut |_| {}).unwrap();
    assert_eq!(analysis.services.iter().map(|s| s.path.as_str()).collect::<Vec<_>>(), ["examples/auth"]);
}

#[test]
fn a_service_is_called_the_same_when_only_its_directory_is_read() {
    let tree = MemoryTree::new([
        ("a/api/requirements.txt", "flask"),
        ("a/api/app.py", "from flask import Flask\napp = Flask(__name__)\n"),
        ("b/api/requirements.txt", "flask"),
        ("b/api/app.py", "from flask import Flask\napp = Flask(__name__)\n"),
    ]);
    let name = |subdir: Option<&str>| {
        let options = Options { subdir: subdir.map(str::to_owned), ..Options::default() };
        let analysis = analyze(&tree, &options, &mut |_| {}).unwrap();
        analysis.services.into_iter().find(|s| s.path == "b/api").unwrap().name
    };
    assert_eq!(name(None), "api-2");
    assert_eq!(name(Some("b/api")), "api-2");
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let tree = MemoryTree::new([("index.html", "<p>")]);
    let options = Options { subdir: Some("services/auth".to_owned()), ..Options::default() };
    let analysis = analyze(&tree, &options, &mut |_| {}).unwrap();
    let errors: Vec<_> = analysis.findings.iter().map(|f| (f.code, f.message.as_str())).collect();
    assert_eq!(errors, [(FindingCode::MissingPath, "the repository has no directory services/auth")]);
}
