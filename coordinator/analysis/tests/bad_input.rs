//! Trees that are empty, odd or hostile: each ends with a finding that says what to do.

use std::fmt::Write as _;

use hydron_analysis::{Caps, Entry, EntryKind, FileTree, MemoryTree, Options, TreeError, Unlisted, analyze};
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

/// Every finding of a kind, as people read it.
fn said(analysis: &hydron_domain::analysis::Analysis, code: FindingCode) -> Vec<String> {
    let found = analysis.findings.iter().filter(|f| f.code == code);
    found.map(|f| format!("{} | {}", f.message, f.advice)).collect()
}

#[test]
fn a_manifest_that_does_not_parse_is_the_reason_and_the_first_thing_to_do() {
    let analysis = read(&[
        ("package.json", r#"{"name":"shop","scripts":{"start":"node server.js"},"#),
        ("server.js", "require('express')().listen(3000)"),
        ("tests/fixtures/package.json", "{"),
    ]);
    let why = said(&analysis, FindingCode::NoService);
    assert_eq!(why.len(), 1, "{why:?}");
    assert!(why[0].contains("package.json does not parse | Correct package.json"), "{why:?}");
    assert_eq!(analysis.findings[0].code, FindingCode::NoService, "what to do first stands first");
}

#[test]
fn of_several_lock_files_it_is_said_which_one_counts() {
    let manifest = r#"{"name":"x","scripts":{"start":"node s.js"},"dependencies":{"express":"5"},"packageManager":"yarn@4.1.0"}"#;
    let js = read(&[
        ("package.json", manifest),
        ("s.js", "require('express')().listen(1)"),
        ("yarn.lock", ""),
        ("package-lock.json", "{}"),
    ]);
    let told = said(&js, FindingCode::ConflictingLockfiles);
    assert!(
        told[0].starts_with("the repository's root has") && told[0].contains("; yarn is used"),
        "{told:?}"
    );
    let python = read(&[
        ("api/pyproject.toml", "[project]\nname = \"a\"\ndependencies = [\"flask\"]\n"),
        ("api/app.py", "from flask import Flask\napp = Flask(__name__)\n"),
        ("api/uv.lock", "version = 1\n"),
        ("api/poetry.lock", ""),
    ]);
    let told = said(&python, FindingCode::ConflictingLockfiles);
    let used = python.services[0].package_manager.clone().unwrap_or_default();
    assert!(told[0].starts_with("api has") && told[0].contains(&format!("; {used} is used")), "{told:?}");
}

#[test]
fn a_circle_is_named_from_end_to_end_and_once() {
    let services = |edges: &[(&str, &str)]| {
        let mut compose = String::from("services:\n");
        for (from, to) in edges {
            writeln!(compose, "  {from}:\n    build: {from}\n    depends_on: [{to}]").unwrap();
        }
        compose
    };
    let compose = services(&[("a", "b"), ("b", "c"), ("c", "a"), ("k", "m"), ("m", "k"), ("z", "a")]);
    let mut tree = MemoryTree::new([("compose.yaml", compose.as_str())]);
    for name in ["a", "b", "c", "k", "m", "z"] {
        tree.insert(
            &format!("{name}/Dockerfile"),
            "FROM node:22\nCOPY . .\nEXPOSE 1\nCMD [\"node\", \"s.js\"]\n",
        );
        tree.insert(&format!("{name}/s.js"), "");
    }
    let analysis = analyze(&tree, &Options::default(), &mut |_| {}).unwrap();
    let told: Vec<&str> = analysis
        .findings
        .iter()
        .filter(|f| f.code == FindingCode::CyclicDependencies)
        .map(|f| f.message.as_str())
        .collect();
    let circle = "services wait for each other in a circle:";
    assert_eq!(told, [format!("{circle} a → b → c → a"), format!("{circle} k → m → k")]);
}

#[test]
fn a_secret_in_a_committed_file_is_flagged_and_its_value_is_nowhere() {
    let analysis = read(&[
        (".env", "STRIPE_SECRET_KEY=sk_live_51Habcdefghijklmnop\nPORT=3000\n"),
        ("package.json", r#"{"name":"x","scripts":{"start":"node s.js"},"dependencies":{"express":"5"}}"#),
        ("s.js", "const k = process.env.STRIPE_SECRET_KEY\nrequire('express')().listen(process.env.PORT)"),
    ]);
    assert!(analysis.findings.iter().any(|f| f.message.contains("STRIPE_SECRET_KEY") && f.line == Some(1)));
    assert!(!serde_json::to_string(&analysis).unwrap().contains("sk_live_"), "the value is not repeated");
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
        let link = |path: &str| Entry { path: path.to_owned(), kind: EntryKind::Link, size: Some(10) };
        Ok(vec![
            link("package.json"),
            link("a/Dockerfile"),
            link("b"),
            Entry { path: "sub".to_owned(), kind: EntryKind::Submodule, size: Some(0) },
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

/// A tree that does not know how large its files are, and could not list everything.
struct Unmeasured(MemoryTree);

impl FileTree for Unmeasured {
    fn entries(&self) -> Result<Vec<Entry>, TreeError> {
        let plain = |entry: Entry| Entry { size: None, ..entry };
        Ok(self.0.entries()?.into_iter().map(plain).collect())
    }

    fn unlisted(&self) -> Vec<Unlisted> {
        vec![Unlisted { path: "pgdata".to_owned(), reason: "permission denied".to_owned() }]
    }

    fn size(&self, path: &str) -> Option<u64> {
        let entry = self.0.entries().ok()?.into_iter().find(|entry| entry.path == path)?;
        entry.size
    }

    fn read(&self, path: &str, cap: usize) -> Result<Vec<u8>, TreeError> {
        self.0.read(path, cap)
    }
}

#[test]
fn a_tree_that_tells_no_sizes_reads_the_same_and_says_what_it_could_not_list() {
    let mut tree = MemoryTree::default();
    for i in 0..300 {
        tree.insert(&format!("api/f{i}.py"), format!("import os\nos.environ['V{i}']\n"));
    }
    tree.insert("api/requirements.txt", "flask");
    tree.insert("api/app.py", "from flask import Flask\napp = Flask(__name__)\n");
    tree.insert("api/generated.py", vec![b'#'; 70_000]);
    tree.insert("package.json", vec![b' '; 70_000]);
    for total_bytes in [1 << 27, 200_000, 5_000] {
        let caps = Caps { file_bytes: 65_536, total_bytes, ..Caps::default() };
        let options = Options { caps, ..Options::default() };
        let known = analyze(&tree, &options, &mut |_| {}).unwrap();
        let mut unknown = analyze(&Unmeasured(tree.clone()), &options, &mut |_| {}).unwrap();
        let unlisted = unknown.findings.iter().position(|f| f.message.contains("pgdata cannot be listed"));
        unknown.findings.remove(unlisted.unwrap());
        assert_eq!(serde_json::to_string(&known).unwrap(), serde_json::to_string(&unknown).unwrap());
    }
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

#[test]
fn a_command_that_a_repair_adds_listens_where_the_service_does() {
    let analysis = read(&[
        ("requirements.txt", "flask\ngunicorn\n"),
        ("app.py", "from flask import Flask\napp = Flask(__name__)\n"),
        ("Dockerfile", "FROM python:3.13-slim\nCOPY . .\nRUN pip install -r requirements.txt\nEXPOSE 8000\n"),
    ]);
    let service = &analysis.services[0];
    let content = service.dockerfile.content.as_deref().unwrap_or_default();
    assert_eq!(service.port, Some(8000));
    assert!(content.contains(r#""0.0.0.0:8000""#), "{content}");
    assert!(
        service.start.as_deref().is_some_and(|start| start.contains("0.0.0.0:8000")),
        "{:?}",
        service.start
    );
}

#[test]
fn a_manifest_that_is_too_large_is_the_first_thing_that_is_said() {
    let large = format!(r#"{{"name":"a","data":"{}"}}"#, "x".repeat(2_000_000));
    let analysis = read(&[("package.json", &large), ("requirements.txt", "flask\n"), ("README.md", "# a\n")]);
    let first = analysis.findings.first().unwrap();
    assert!(first.message.contains("package.json was not read"), "{:?}", analysis.findings);
    assert!(first.advice.contains("package.json"), "{first:?}");
    let lists = read(&[("requirements.txt", "flask\n"), ("README.md", "# a\n")]);
    assert!(!has_finding(&lists, FindingCode::OnlyDocs), "{:?}", lists.findings);
}

#[test]
fn a_broken_toml_file_names_its_line() {
    let analysis = read(&[("pyproject.toml", "[project]\nname = \"a\"\n\n[tool\n"), ("app.py", "x = 1\n")]);
    let finding = analysis.findings.iter().find(|f| f.code == FindingCode::UnreadableManifest).unwrap();
    assert!(finding.message.contains("line 4"), "{finding:?}");
}
