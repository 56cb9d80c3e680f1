//! Rust: packages with a binary that serves, in a workspace or alone.
//!
//! One rule: the framework must be a dependency of the binary's package or of a local crate it uses; other binaries are tools.

use std::collections::{BTreeMap, BTreeSet};

use hydron_domain::analysis::ServiceKind;

use super::python::manifest::toml_problem;
use super::{Scan, is_worker_name};
use crate::draft::{Draft, Found, Stack};
use crate::field::At;
use crate::path;
use crate::repo::{Repo, Role};

/// Frameworks by crate, most specific first, with default port.
const FRAMEWORKS: [(&str, &str, u16); 11] = [
    ("actix-web", "actix-web", 8080),
    ("rocket", "rocket", 8000),
    ("axum", "axum", 3000),
    ("poem", "poem", 3000),
    ("salvo", "salvo", 5800),
    ("warp", "warp", 3030),
    ("tide", "tide", 8080),
    ("gotham", "gotham", 7878),
    ("loco-rs", "loco", 5150),
    ("tonic", "grpc", 50051),
    ("hyper", "hyper", 3000),
];

/// What the recipe writer needs.
#[derive(Debug, Clone, Default)]
pub(crate) struct RustFacts {
    /// Directory of the workspace (or of the package alone).
    pub(crate) root: String,
    pub(crate) package: String,
    pub(crate) binary: String,
    pub(crate) has_lock: bool,
    /// Every manifest directory of the workspace, relative to `root`; empty for a package alone.
    pub(crate) members: Vec<String>,
    /// Debian packages needed to link and to run.
    pub(crate) libraries: Vec<(&'static str, &'static str)>,
    pub(crate) assets: Vec<String>,
}

/// A parsed package.
#[derive(Debug, Clone)]
pub(crate) struct Crate {
    pub(crate) dir: String,
    pub(crate) name: String,
    pub(crate) table: toml::Table,
    pub(crate) deps: BTreeSet<String>,
    pub(crate) local: BTreeSet<String>,
    pub(crate) bins: Vec<String>,
}

/// Finds Rust services.
pub(crate) fn find(scan: &Scan<'_, '_>, found: &mut Found) {
    let repo = scan.repo;
    let crates = read_all(repo);
    let by_dir: BTreeMap<&str, &Crate> = crates.iter().map(|c| (c.dir.as_str(), c)).collect();
    let mut many: Vec<(&Crate, String, BTreeSet<&str>)> = Vec::new();
    for package in crates.iter().filter(|c| !c.bins.is_empty()) {
        if !package.dir.is_empty() && repo.is_support(&package.dir) {
            found.reject(&package.dir, "rust.support", "a crate for tests, examples or tooling");
            continue;
        }
        if package.deps.contains("tauri") || path::base(&package.dir) == "src-tauri" {
            found.reject(&package.dir, "rust.desktop", "a desktop app (Tauri)");
            continue;
        }
        let reach = reach(&by_dir, package);
        let framework = framework(&by_dir, &reach);
        let worker = framework.is_none() && package.bins.iter().any(|b| is_worker_name(b));
        if framework.is_none() && !worker {
            found.reject(
                &package.dir,
                "rust.no_server",
                "a binary without a web framework: a command line program or library",
            );
            continue;
        }
        let wasm = package.deps.contains("yew")
            || package.deps.contains("leptos") && !package.deps.contains("axum")
            || package.deps.contains("wasm-bindgen") && !package.deps.contains("tokio");
        if wasm {
            found.reject(&package.dir, "rust.wasm", "a WebAssembly front end that another service embeds");
            continue;
        }
        let binary = main_binary(repo, package);
        many.push((package, binary, reach));
    }
    let direct: Vec<bool> =
        many.iter().map(|(p, _, _)| FRAMEWORKS.iter().any(|(c, _, _)| p.deps.contains(*c))).collect();
    let some_direct = direct.iter().any(|d| *d);
    for ((package, binary, reach), direct) in many.into_iter().zip(direct) {
        if some_direct && !direct && !is_worker_name(&package.name) {
            found.reject(
                &package.dir,
                "rust.indirect",
                "it reaches a web framework only through another crate: a tool beside the server",
            );
            continue;
        }
        let draft = draft(scan, &by_dir, package, &binary, &reach);
        found.drafts.push(draft);
    }
}

/// Every package manifest of the tree.
pub(crate) fn read_all(repo: &Repo<'_>) -> Vec<Crate> {
    let manifests = repo.files().iter().filter(|f| f.name() == "Cargo.toml" && f.role == Role::Normal);
    let mut list = Vec::new();
    for file in manifests {
        let Some(text) = repo.text(file) else { continue };
        match text.parse::<toml::Table>() {
            Ok(table) => list.extend(package(repo, file.dir(), table)),
            Err(problem) => repo.note_unreadable(&file.path, &toml_problem(text, &problem)),
        }
    }
    list
}

fn package(repo: &Repo<'_>, dir: &str, table: toml::Table) -> Option<Crate> {
    let name = table.get("package")?.get("name")?.as_str()?.to_owned();
    let mut deps = BTreeSet::new();
    let mut local = BTreeSet::new();
    for (alias, value) in table.get("dependencies").and_then(toml::Value::as_table).into_iter().flatten() {
        let real = value.get("package").and_then(toml::Value::as_str).unwrap_or(alias);
        deps.insert(real.to_owned());
        if let Some(target) =
            value.get("path").and_then(toml::Value::as_str).and_then(|p| path::resolve(dir, p))
        {
            local.insert(target);
        }
    }
    let mut bins: Vec<String> = Vec::new();
    for bin in table.get("bin").and_then(toml::Value::as_array).into_iter().flatten() {
        bins.extend(bin.get("name").and_then(toml::Value::as_str).map(str::to_owned));
    }
    if repo.has(&path::join(dir, "src/main.rs")) && bins.is_empty() {
        bins.push(name.clone());
    }
    for file in repo.under(&path::join(dir, "src/bin")) {
        if file.extension() == "rs" && (file.dir().ends_with("src/bin") || file.name() == "main.rs") {
            let stem = if file.name() == "main.rs" {
                path::base(file.dir())
            } else {
                file.name().trim_end_matches(".rs")
            };
            bins.push(stem.to_owned());
        }
    }
    bins.dedup();
    Some(Crate { dir: dir.to_owned(), name, table, deps, local, bins })
}

fn reach<'c>(by_dir: &BTreeMap<&'c str, &'c Crate>, package: &'c Crate) -> BTreeSet<&'c str> {
    let mut seen = BTreeSet::from([package.dir.as_str()]);
    let mut queue = vec![package];
    while let Some(next) = queue.pop() {
        let workspace =
            next.deps.iter().filter_map(|d| by_dir.values().find(|c| &c.name == d).map(|c| c.dir.as_str()));
        let paths = next.local.iter().filter_map(|d| by_dir.get_key_value(d.as_str()).map(|(k, _)| *k));
        for dir in workspace.chain(paths) {
            if seen.insert(dir) {
                queue.extend(by_dir.get(dir).copied());
            }
        }
    }
    seen
}

fn framework<'c>(
    by_dir: &BTreeMap<&'c str, &'c Crate>,
    reach: &BTreeSet<&str>,
) -> Option<&'static (&'static str, &'static str, u16)> {
    FRAMEWORKS
        .iter()
        .find(|(name, _, _)| reach.iter().filter_map(|d| by_dir.get(d)).any(|c| c.deps.contains(*name)))
}

fn main_binary(repo: &Repo<'_>, package: &Crate) -> String {
    let default =
        package.table.get("package").and_then(|p| p.get("default-run")).and_then(toml::Value::as_str);
    if let Some(run) = default {
        return run.to_owned();
    }
    let own = package.bins.iter().find(|b| **b == package.name).cloned();
    let server =
        package.bins.iter().find(|b| ["server", "api", "web", "main"].iter().any(|w| b.contains(w))).cloned();
    let main = repo.has(&path::join(&package.dir, "src/main.rs")).then(|| package.name.clone());
    own.or(server).or(main).or_else(|| package.bins.first().cloned()).unwrap_or_else(|| package.name.clone())
}

fn draft(
    scan: &Scan<'_, '_>,
    by_dir: &BTreeMap<&str, &Crate>,
    package: &Crate,
    binary: &str,
    reach: &BTreeSet<&str>,
) -> Draft {
    let repo = scan.repo;
    let file = path::join(&package.dir, "Cargo.toml");
    let found = framework(by_dir, reach);
    let kind = if found.is_none() { ServiceKind::Worker } else { ServiceKind::Web };
    let mut draft = Draft::new(&package.dir, kind, "rust", Stack::Image);
    draft.name.offer(binary, 0.7, "rust.name.binary", At::find(repo, &file, "name"));
    if let Some((name, id, port)) = found {
        draft.framework.offer(*id, 0.95, &format!("rust.{id}.dependency"), At::find(repo, &file, name));
        draft.port.offer(*port, 0.3, "rust.port.default", At::nowhere());
    }
    for orm in ["diesel", "sqlx", "sea-orm"] {
        if package.deps.contains(orm) {
            draft.also.insert(orm.to_owned());
        }
    }
    draft.package_manager.offer("cargo", 0.98, "rust.cargo", At::file(&file));
    let root = scan.workspaces.all.iter().find(|w| {
        w.kind == "cargo"
            && (w.members.contains(&path::shown(&package.dir)) || w.path == path::shown(&package.dir))
    });
    let root =
        root.map_or(package.dir.clone(), |w| if w.path == "." { String::new() } else { w.path.clone() });
    version(repo, package, &root, &file, &mut draft);
    draft.build.offer(
        format!("cargo build --release --locked -p {} --bin {binary}", package.name),
        0.8,
        "rust.build",
        At::file(&file),
    );
    draft.start.offer(format!("./{binary}"), 0.6, "rust.start", At::nowhere());
    draft.why.offer("a binary with a web framework", 0.9, "rust.service", At::file(&file));
    draft.sources = reach.iter().map(|d| (*d).to_owned()).collect();
    let below = by_dir.keys().filter_map(|d| path::relative(d, &root)).map(str::to_owned);
    let members: Vec<String> =
        below.filter(|member| !member.is_empty() && root_lists_members(repo, &root)).collect();
    // A package at the root of its own workspace is one more place for an empty program.
    let members = if members.is_empty() || root != package.dir {
        members
    } else {
        members.into_iter().chain([".".to_owned()]).collect()
    };
    draft.stack = Stack::Rust(RustFacts {
        has_lock: repo.has(&path::join(&root, "Cargo.lock")),
        root,
        package: package.name.clone(),
        binary: binary.to_owned(),
        members,
        libraries: libraries(by_dir, reach),
        assets: assets(repo, &package.dir),
    });
    draft
}

fn root_lists_members(repo: &Repo<'_>, root: &str) -> bool {
    let manifest = repo.read(&path::join(root, "Cargo.toml")).and_then(|t| t.parse::<toml::Table>().ok());
    manifest.is_some_and(|table| table.contains_key("workspace"))
}

fn libraries(by_dir: &BTreeMap<&str, &Crate>, reach: &BTreeSet<&str>) -> Vec<(&'static str, &'static str)> {
    let text: String = reach
        .iter()
        .filter_map(|d| by_dir.get(d))
        .map(|c| c.table.get("dependencies").map(ToString::to_string).unwrap_or_default())
        .collect();
    let mut list = Vec::new();
    if text.contains("diesel") && text.contains("postgres") {
        list.push(("libpq-dev", "libpq5"));
    }
    if text.contains("diesel") && text.contains("mysql") {
        list.push(("default-libmysqlclient-dev", "libmariadb3"));
    }
    if text.contains("diesel") && text.contains("sqlite") {
        list.push(("libsqlite3-dev", "libsqlite3-0"));
    }
    if text.contains("native-tls")
        || text.contains("openssl")
        || (text.contains("reqwest") && !text.contains("rustls"))
    {
        list.push(("libssl-dev", "libssl3"));
    }
    list
}

fn assets(repo: &Repo<'_>, dir: &str) -> Vec<String> {
    let names = ["templates", "static", "public", "migrations", "assets", "configuration", "config"];
    names.iter().filter(|n| repo.has_dir(&path::join(dir, n))).map(|n| (*n).to_owned()).collect()
}

fn version(repo: &Repo<'_>, package: &Crate, root: &str, file: &str, draft: &mut Draft) {
    for dir in [package.dir.as_str(), root] {
        let pinned = path::join(dir, "rust-toolchain.toml");
        if let Some(channel) = repo
            .read(&pinned)
            .and_then(|t| t.parse::<toml::Table>().ok())
            .and_then(|t| Some(t.get("toolchain")?.get("channel")?.as_str()?.to_owned()))
        {
            draft.version.offer(channel, 0.97, "rust.version.toolchain", At::find(repo, &pinned, "channel"));
        }
        let plain = path::join(dir, "rust-toolchain");
        if let Some((version, line)) =
            repo.read(&plain).filter(|t| !t.contains('[')).and_then(super::node::version::first_line)
        {
            draft.version.offer(version, 0.97, "rust.version.toolchain", At::line(&plain, line));
        }
    }
    if let Some(minimum) =
        package.table.get("package").and_then(|p| p.get("rust-version")).and_then(toml::Value::as_str)
    {
        draft.version.offer(minimum, 0.9, "rust.version.minimum", At::find(repo, file, "rust-version"));
    }
}
