//! Trees made to hurt: each ends within the caps, in seconds, with a finding that says what was not looked at.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hydron_analysis::{Caps, Entry, EntryKind, FileTree, MemoryTree, Options, TreeError, analyze};
use hydron_domain::analysis::{Analysis, FindingCode};

use crate::has_finding;

/// A debug build of a loaded machine; an optimised one takes a tenth.
const MOST: Duration = Duration::from_mins(1);

fn within_time(tree: &dyn FileTree) -> Analysis {
    let began = Instant::now();
    let analysis = analyze(tree, &Options::default(), &mut |_| {}).unwrap();
    assert!(began.elapsed() < MOST, "it took {:?}", began.elapsed());
    analysis
}

/// A listing whose files are endless: what matters is how much of them is asked for.
struct Endless {
    entries: Vec<Entry>,
    read: AtomicU64,
}

impl Endless {
    fn new(entries: Vec<Entry>) -> Self {
        Self { entries, read: AtomicU64::new(0) }
    }
}

fn file(path: &str, size: u64) -> Entry {
    Entry { path: path.to_owned(), kind: EntryKind::File, size: Some(size) }
}

impl FileTree for Endless {
    fn entries(&self) -> Result<Vec<Entry>, TreeError> {
        Ok(self.entries.clone())
    }

    fn read(&self, _path: &str, cap: usize) -> Result<Vec<u8>, TreeError> {
        self.read.fetch_add(cap as u64, Ordering::Relaxed);
        Ok(vec![b'['; cap])
    }
}

#[test]
fn a_gigabyte_of_json_is_not_read() {
    let tree = Endless::new(vec![file("package.json", 1 << 30), file("data/big.json", 1 << 30)]);
    let analysis = within_time(&tree);
    assert_eq!(tree.read.load(Ordering::Relaxed), 0);
    assert!(has_finding(&analysis, FindingCode::CapReached), "{:?}", analysis.findings);
}

#[test]
fn a_file_that_lies_about_its_size_is_cut() {
    let caps = Caps::default();
    let tree = Endless::new(vec![file("package.json", 10)]);
    within_time(&tree);
    assert!(tree.read.load(Ordering::Relaxed) <= caps.file_bytes as u64 * 4);
}

#[test]
fn more_files_than_any_product_has_are_not_all_read() {
    let entries = (0..400_000).map(|i| file(&format!("d{}/f{i}.py", i % 1000), 500 * 1024)).collect();
    let tree = Endless::new(entries);
    let options = Options { caps: Caps { total_bytes: 4 << 20, ..Caps::default() }, ..Options::default() };
    let analysis = analyze(&tree, &options, &mut |_| {}).unwrap();
    assert!(tree.read.load(Ordering::Relaxed) <= 6 << 20, "{}", tree.read.load(Ordering::Relaxed));
    assert!(has_finding(&analysis, FindingCode::CapReached));
}

#[test]
fn deep_directories_are_left_out_and_said() {
    let mut tree = MemoryTree::default();
    tree.insert(&format!("{}package.json", "d/".repeat(5000)), "{}");
    tree.insert("index.html", "<p>");
    let analysis = within_time(&tree);
    assert_eq!(analysis.services.len(), 1);
    assert!(has_finding(&analysis, FindingCode::CapReached));
}

#[test]
fn invalid_utf8_and_binaries_are_read_as_far_as_they_are_text() {
    let mut tree = MemoryTree::default();
    tree.insert("package.json", b"\xff\xfe{\"name\":\"x\"}".to_vec());
    tree.insert("requirements.txt", b"flask\n\xff\xfe\n".to_vec());
    tree.insert("app.py", b"# \xe9\nfrom flask import Flask\napp = Flask(__name__)\n".to_vec());
    tree.insert("Dockerfile", b"FROM python\n\0\0\0".to_vec());
    tree.insert("\u{fffd}/x.py", "x");
    let analysis = within_time(&tree);
    assert_eq!(analysis.services[0].framework.as_deref(), Some("flask"));
    assert!(has_finding(&analysis, FindingCode::UnreadableManifest));
}

#[test]
fn thousands_of_packages_become_a_capped_list() {
    let mut tree = MemoryTree::default();
    for i in 0..3000 {
        tree.insert(&format!("p{i}/package.json"), format!(r#"{{"name":"p{i}","scripts":{{"start":"node index.js"}},"dependencies":{{"express":"5","p{}":"*"}}}}"#, i + 1));
        tree.insert(&format!("p{i}/index.js"), "require('express')().listen(process.env.PORT || 3000)");
    }
    tree.insert("package.json", r#"{"private":true,"workspaces":["*"]}"#);
    let analysis = within_time(&tree);
    assert_eq!(analysis.services.len(), Caps::default().services);
    assert!(has_finding(&analysis, FindingCode::CapReached));
}

#[test]
fn nested_workspaces_do_not_multiply() {
    let mut tree = MemoryTree::default();
    let mut dir = String::new();
    for i in 0..30 {
        for j in 0..20 {
            tree.insert(&format!("{dir}w{j}/package.json"), r#"{"name":"a","workspaces":["**/**/**/**"]}"#);
            tree.insert(&format!("{dir}w{j}/nx.json"), "{}");
            tree.insert(&format!("{dir}w{j}/pnpm-workspace.yaml"), "packages: ['**']\n");
        }
        write!(dir, "n{i}/").unwrap();
    }
    within_time(&tree);
}

#[test]
fn one_file_with_every_read_in_it_is_linear() {
    let lines = |one: &str| one.repeat(400_000 / one.len());
    for (name, text) in [
        ("index.js", lines("process.env.A1;\n")),
        ("index.js", lines("const {")),
        ("index.js", format!("process.env; const s = z.object({{\n{}", lines("  AB: z.string(),\n"))),
        ("index.js", format!("@fastify/env properties {}", lines("\n AB: {"))),
        ("index.js", format!("class-validator EnvironmentVariables {}", lines("\n  AB: string"))),
        (
            "app.py",
            format!("from flask import Flask\napp = Flask(__name__)\n{}", lines("x = os.environ['A']\n")),
        ),
        ("app.py", lines("if a:\n    os.environ['A']\n")),
        ("app.py", lines("def f(n):\n    return os.getenv(n)\n")),
        ("app.py", lines("class A(BaseSettings):\n    a: str\n")),
        ("app.py", lines("@app.get('/a')\n")),
        ("index.js", lines("app.get('/a', x);")),
        ("index.js", lines("app.listen(1);")),
    ] {
        let mut tree = MemoryTree::new([
            (
                "package.json",
                r#"{"name":"x","scripts":{"start":"node index.js"},"dependencies":{"express":"5"}}"#,
            ),
            ("requirements.txt", "flask\n"),
        ]);
        let shown: String = text.chars().take(40).collect();
        tree.insert(name, text);
        let began = Instant::now();
        analyze(&tree, &Options::default(), &mut |_| {}).unwrap();
        assert!(began.elapsed() < MOST, "{shown:?} took {:?}", began.elapsed());
    }
}

/// A tree whose caller has no time.
struct Late(MemoryTree);

impl FileTree for Late {
    fn entries(&self) -> Result<Vec<Entry>, TreeError> {
        self.0.entries()
    }

    fn read(&self, path: &str, cap: usize) -> Result<Vec<u8>, TreeError> {
        self.0.read(path, cap)
    }

    fn in_time(&self) -> bool {
        false
    }
}

#[test]
fn when_the_time_is_over_it_ends_and_says_so() {
    let tree = Late(MemoryTree::new([("package.json", "{}"), ("index.html", "<p>")]));
    let analysis = analyze(&tree, &Options::default(), &mut |_| {}).unwrap();
    let said =
        analysis.findings.iter().any(|f| f.code == FindingCode::CapReached && f.message.contains("time"));
    assert!(said, "{:?}", analysis.findings);
    assert_eq!(analysis.stats.files_read, 0);
}
