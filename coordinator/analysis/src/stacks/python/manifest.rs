//! Python's many manifests in one directory, read into one set of distribution names.
//!
//! One rule: names are normalised and compared exactly; a comment, a dev group or a test file gives no dependency.

use std::collections::{BTreeMap, BTreeSet};

use hydron_domain::analysis::{Finding, FindingCode, Severity};

use crate::field::{At, Field};
use crate::path;
use crate::repo::{Repo, Role, line_at, line_of};
use crate::stacks::node::version::{first_line, tool_versions};

/// The project of one directory.
#[derive(Debug, Clone, Default)]
pub(crate) struct Manifest {
    pub(crate) dir: String,
    /// Normalised name → the file that names it.
    pub(crate) deps: BTreeMap<String, String>,
    pub(crate) manager: Field<String>,
    pub(crate) version: Field<String>,
    pub(crate) name: Option<String>,
    pub(crate) scripts: Vec<String>,
    /// Files that the installer needs, relative to `dir`.
    pub(crate) install: Vec<String>,
    /// Root of the uv workspace that locks it, and the manifests that the installer wants to see there.
    pub(crate) workspace: Option<(String, Vec<String>)>,
    /// Whether any manifest was there at all.
    pub(crate) present: bool,
    /// Whether the project itself is installable (has a build backend).
    pub(crate) installable: bool,
}

impl Manifest {
    /// Whether a distribution is a run-time dependency.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.deps.contains_key(name)
    }

    fn add(&mut self, requirement: &str, file: &str) {
        let end = requirement
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))
            .unwrap_or(requirement.len());
        let name = normal(requirement.split_at(end).0);
        if name.is_empty() || name.starts_with('-') {
            return;
        }
        if let Some(extras) =
            requirement.split_once('[').and_then(|(n, rest)| (n.trim().len() == end).then_some(rest))
        {
            for extra in extras.split(']').next().unwrap_or_default().split(',') {
                self.deps.entry(format!("{name}[{}]", extra.trim())).or_insert_with(|| file.to_owned());
            }
        }
        self.deps.entry(name).or_insert_with(|| file.to_owned());
    }
}

/// `Flask_Cors` → `flask-cors`.
pub(crate) fn normal(name: &str) -> String {
    name.trim().to_lowercase().replace(['_', '.'], "-")
}

/// Reads all manifests of a directory.
pub(crate) fn read(repo: &Repo<'_>, dir: &str) -> Manifest {
    let mut manifest = Manifest { dir: dir.to_owned(), ..Manifest::default() };
    pyproject(repo, &mut manifest);
    pipfile(repo, &mut manifest);
    requirements(repo, &mut manifest);
    setup(repo, &mut manifest);
    locks(repo, &mut manifest);
    versions(repo, &mut manifest);
    manifest
}

fn pyproject(repo: &Repo<'_>, manifest: &mut Manifest) {
    let file = path::join(&manifest.dir, "pyproject.toml");
    let Some(text) = repo.read(&file) else { return };
    let table = match text.parse::<toml::Table>() {
        Ok(table) => table,
        Err(problem) => return repo.note_unreadable(&file, &toml_problem(text, &problem)),
    };
    let project = table.get("project");
    let poetry = table.get("tool").and_then(|t| t.get("poetry"));
    manifest.installable = table.get("build-system").is_some();
    let line = |needle: &str| At { file: Some(file.clone()), line: line_of(text, needle) };
    for requirement in strings(project.and_then(|p| p.get("dependencies"))) {
        manifest.add(&requirement, &file);
    }
    for (group, list) in project
        .and_then(|p| p.get("optional-dependencies"))
        .and_then(toml::Value::as_table)
        .into_iter()
        .flatten()
    {
        if !is_dev_group(group) {
            for requirement in strings(Some(list)) {
                manifest.add(&requirement, &file);
            }
        }
    }
    for (name, value) in
        poetry.and_then(|p| p.get("dependencies")).and_then(toml::Value::as_table).into_iter().flatten()
    {
        if name == "python" {
            let range = value
                .as_str()
                .or_else(|| value.get("version").and_then(toml::Value::as_str))
                .unwrap_or_default();
            manifest.version.offer(range, 0.85, "python.version.poetry", line("python ="));
            continue;
        }
        // An optional package is an extra that somebody may ask for, and the lock file does not install it.
        if value.get("optional").and_then(toml::Value::as_bool) == Some(true) {
            continue;
        }
        let extras = strings(value.get("extras"));
        manifest.add(
            &if extras.is_empty() { name.clone() } else { format!("{name}[{}]", extras.join(",")) },
            &file,
        );
    }
    let text_of = |v: Option<&toml::Value>, key: &str| {
        v.and_then(|v| v.get(key)).and_then(toml::Value::as_str).map(str::to_owned)
    };
    if let Some(range) = text_of(project, "requires-python") {
        manifest.version.offer(range, 0.88, "python.version.requires", line("requires-python"));
    }
    manifest.name = text_of(project, "name").or_else(|| text_of(poetry, "name"));
    for group in [project, poetry].into_iter().flatten().filter_map(|g| g.get("scripts")) {
        manifest.scripts.extend(group.as_table().into_iter().flatten().map(|(k, _)| k.clone()));
    }
    if poetry.is_some_and(|p| p.get("dependencies").is_some()) {
        manifest.manager.offer("poetry", 0.85, "python.manager.pyproject", line("[tool.poetry"));
    }
    let tool = |name: &str| table.get("tool").and_then(|t| t.get(name)).is_some();
    if tool("uv") {
        manifest.manager.offer("uv", 0.86, "python.manager.pyproject", line("[tool.uv"));
    }
    if tool("pdm") {
        manifest.manager.offer("pdm", 0.84, "python.manager.pyproject", line("[tool.pdm"));
    }
    if project.and_then(|p| p.get("dependencies")).is_some()
        || poetry.and_then(|p| p.get("dependencies")).is_some()
    {
        manifest.present = true;
        manifest.install.push("pyproject.toml".to_owned());
        manifest.manager.offer("pip", 0.4, "python.manager.pyproject", At::file(&file));
    }
}

fn pipfile(repo: &Repo<'_>, manifest: &mut Manifest) {
    let file = path::join(&manifest.dir, "Pipfile");
    let Some(text) = repo.read(&file) else { return };
    let Ok(table) = text.parse::<toml::Table>() else { return repo.note_unreadable(&file, "it is not TOML") };
    for (name, _) in table.get("packages").and_then(toml::Value::as_table).into_iter().flatten() {
        manifest.add(name, &file);
    }
    let requires = table.get("requires");
    let version = requires
        .and_then(|r| r.get("python_full_version").or_else(|| r.get("python_version")))
        .and_then(toml::Value::as_str);
    if let Some(version) = version {
        manifest.version.offer(
            version,
            0.9,
            "python.version.pipfile",
            At { file: Some(file.clone()), line: line_of(text, "python_") },
        );
    }
    manifest.present = true;
    manifest.manager.offer("pipenv", 0.6, "python.manager.pipfile", At::file(&file));
}

fn requirements(repo: &Repo<'_>, manifest: &mut Manifest) {
    let dir = manifest.dir.clone();
    let names = [
        "requirements.txt",
        "requirements/production.txt",
        "requirements/prod.txt",
        "requirements/base.txt",
        "requirements/requirements.txt",
        "requirements/common.txt",
        "requirements-prod.txt",
        "requirements.prod.txt",
        "requirements/main.txt",
    ];
    let mut seen = BTreeSet::new();
    for name in names {
        let file = path::join(&dir, name);
        if !repo.has(&file) {
            continue;
        }
        if manifest.install.iter().all(|i| i.rsplit_once('.').is_none_or(|(_, e)| e != "txt")) {
            manifest.install.push(name.to_owned());
        }
        manifest.present = true;
        manifest.manager.offer("pip", 0.7, "python.manager.requirements", At::file(&file));
        include(repo, manifest, &file, &mut seen);
        if name == "requirements.txt" {
            break;
        }
    }
}

/// Reads one requirements file and those it includes by `-r`.
fn include(repo: &Repo<'_>, manifest: &mut Manifest, file: &str, seen: &mut BTreeSet<String>) {
    if seen.len() > 32 || !seen.insert(file.to_owned()) {
        return;
    }
    let Some(text) = repo.read(file) else { return };
    for line in text.lines() {
        let line = line.split(" #").next().unwrap_or_default().trim();
        let included = line.strip_prefix("-r").or_else(|| line.strip_prefix("--requirement"));
        if let Some(target) = included {
            if let Some(next) = path::resolve(path::parent(file), target.trim_start_matches('=').trim()) {
                include(repo, manifest, &next, seen);
            }
        } else if let Some(egg) = line.split_once("#egg=") {
            manifest.add(egg.1, file);
        } else if !line.starts_with(['#', '-', '.', '/']) && !line.contains("://") || line.contains(" @ ") {
            manifest.add(line, file);
        }
    }
}

fn setup(repo: &Repo<'_>, manifest: &mut Manifest) {
    for name in ["setup.py", "setup.cfg"] {
        let file = path::join(&manifest.dir, name);
        let Some(text) = repo.read(&file) else { continue };
        let Some((_, after)) = text.split_once("install_requires") else { continue };
        let body = after.split(['\u{5d}', '[']).nth(usize::from(name == "setup.py")).unwrap_or_default();
        for requirement in body.split([',', '\n']).map(|r| r.trim().trim_matches(['"', '\'', '='])) {
            manifest.add(requirement, &file);
        }
        manifest.present = true;
        manifest.manager.offer("pip", 0.45, "python.manager.setup", At::file(&file));
    }
}

fn locks(repo: &Repo<'_>, manifest: &mut Manifest) {
    let locks = [
        ("uv.lock", "uv", 0.95),
        ("poetry.lock", "poetry", 0.94),
        ("pdm.lock", "pdm", 0.93),
        ("Pipfile.lock", "pipenv", 0.68),
    ];
    let mut found = Vec::new();
    for (name, manager, confidence) in locks {
        let file = path::join(&manifest.dir, name);
        if repo.has(&file) {
            manifest.manager.offer(manager, confidence, "python.manager.lockfile", At::file(&file));
            manifest.install.push(name.to_owned());
            found.push(name);
        }
    }
    if found.is_empty() {
        workspace_lock(repo, manifest);
    }
    if found.len() > 1 {
        repo.note(Finding {
            severity: Severity::Warning,
            code: FindingCode::ConflictingLockfiles,
            service: None,
            message: format!(
                "{} has lock files of several package managers: {}; {} is used",
                path::called(&manifest.dir),
                found.join(", "),
                manifest.manager.value().map_or("the first", String::as_str)
            ),
            advice: "Keep the one that you use.".to_owned(),
            file: found.first().map(|name| path::join(&manifest.dir, name)),
            line: None,
        });
    }
}

/// A member of a uv workspace is locked at the workspace's root.
fn workspace_lock(repo: &Repo<'_>, manifest: &mut Manifest) {
    let mut dir = manifest.dir.as_str();
    while !dir.is_empty() && manifest.present {
        dir = path::parent(dir);
        let lock = path::join(dir, "uv.lock");
        let root = repo.read(&path::join(dir, "pyproject.toml")).unwrap_or_default();
        if repo.has(&lock) && root.contains("[tool.uv.workspace]") {
            manifest.manager.offer("uv", 0.93, "python.manager.workspace", At::file(&lock));
            let members =
                repo.under(dir).filter(|f| f.name() == "pyproject.toml" && f.role != Role::Vendored);
            let members = members.filter_map(|f| path::relative(&f.path, dir)).map(str::to_owned).collect();
            manifest.workspace = Some((dir.to_owned(), members));
            return;
        }
    }
}

fn versions(repo: &Repo<'_>, manifest: &mut Manifest) {
    let mut dir = manifest.dir.clone();
    let mut nearness = 0.0_f32;
    loop {
        let file = path::join(&dir, ".python-version");
        if let Some((version, line)) = repo.read(&file).and_then(first_line) {
            manifest.version.offer(version, 0.97 - nearness, "python.version.file", At::line(&file, line));
        }
        let file = path::join(&dir, "runtime.txt");
        if let Some((version, line)) = repo.read(&file).and_then(first_line) {
            let version = version.trim_start_matches("python-").to_owned();
            manifest.version.offer(version, 0.95 - nearness, "python.version.runtime", At::line(&file, line));
        }
        if let Some((version, at)) = tool_versions(repo, &dir, &["python"]) {
            manifest.version.offer(version, 0.93 - nearness, "python.version.tool_versions", at);
        }
        if dir.is_empty() {
            return;
        }
        dir = path::parent(&dir).to_owned();
        nearness += 0.01;
    }
}

fn strings(value: Option<&toml::Value>) -> Vec<String> {
    value
        .and_then(toml::Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|v| v.as_str().map(str::to_owned))
        .collect()
}

/// What is wrong with a TOML file, and in which line.
pub(crate) fn toml_problem(text: &str, problem: &toml::de::Error) -> String {
    let line = problem.span().map(|span| line_at(text, span.start));
    line.map_or_else(|| problem.message().to_owned(), |line| format!("{} at line {line}", problem.message()))
}

fn is_dev_group(name: &str) -> bool {
    path::words(name).any(|w| {
        matches!(
            w.as_str(),
            "dev"
                | "test"
                | "tests"
                | "testing"
                | "lint"
                | "docs"
                | "doc"
                | "develop"
                | "development"
                | "typing"
                | "ci"
        )
    })
}
