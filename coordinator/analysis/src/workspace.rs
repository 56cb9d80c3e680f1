//! Monorepo roots: who declares members, and which library belongs to which application.
//!
//! One rule: a workspace is what a file declares; a directory layout alone is never one.

use std::collections::{BTreeMap, BTreeSet};

use hydron_domain::analysis::WorkspaceReading;

use crate::formats::{json, yaml};
use crate::path;
use crate::pattern::patterns;
use crate::repo::{Repo, Role};
use crate::stacks::node::package::Package;

patterns! {
    GRADLE_INCLUDE = r#"include\s*\(?\s*((?:['"][^'"]+['"]\s*,?\s*)+)"#;
    QUOTED = r#"['"]([^'"]+)['"]"#;
    MODULE = r"<module>\s*([^<\s]+)\s*</module>";
    GO_USE = r"(?m)^\s*(?:use\s+)?(\.[\w./-]*)\s*$";
    SLN = r#"Project\("[^"]*"\)\s*=\s*"[^"]*",\s*"([^"]+proj)""#;
    SLNX = r#"<Project\s+Path="([^"]+proj)""#;
}

/// More libraries than one application has.
const MOST_LIBRARIES: usize = 100;

/// All workspaces of a tree.
#[derive(Debug, Default)]
pub(crate) struct Workspaces {
    pub(crate) all: Vec<WorkspaceReading>,
}

impl Workspaces {
    /// Reads every declaration.
    pub(crate) fn read(repo: &Repo<'_>, packages: &[Package]) -> Self {
        let mut all = Vec::new();
        node(repo, packages, &mut all);
        for file in repo.files().iter().filter(|f| f.role == Role::Normal) {
            let members = match file.name() {
                "Cargo.toml" => cargo(repo, &file.path),
                "go.work" => listed(repo, &file.path, &GO_USE, file.dir()),
                "pom.xml" => listed(repo, &file.path, &MODULE, file.dir()),
                "settings.gradle" | "settings.gradle.kts" => gradle(repo, &file.path),
                "pyproject.toml" => uv(repo, &file.path),
                _ if file.extension() == "sln" => solution(repo, &file.path, &SLN),
                _ if file.extension() == "slnx" => solution(repo, &file.path, &SLNX),
                _ => continue,
            };
            let kind = match file.name() {
                "Cargo.toml" => "cargo",
                "go.work" => "go",
                "pom.xml" => "maven",
                "pyproject.toml" => "uv",
                "settings.gradle" | "settings.gradle.kts" => "gradle",
                _ => "dotnet",
            };
            push(&mut all, kind, file.dir(), &file.path, &members);
        }
        Self { all }
    }

    /// The root directory of the Node workspace that a package is a member of.
    pub(crate) fn node_root(&self, dir: &str) -> Option<&str> {
        let tools = ["pnpm", "npm", "yarn", "bun", "lerna"];
        let shown = path::shown(dir);
        let root = self
            .all
            .iter()
            .find(|w| tools.contains(&w.kind.as_str()) && (w.members.contains(&shown) || w.path == shown))?;
        Some(if root.path == "." { "" } else { &root.path })
    }

    /// Members of the workspace at a directory.
    pub(crate) fn members_of(&self, root: &str) -> Vec<String> {
        let shown = path::shown(root);
        let members = self.all.iter().filter(|w| {
            w.path == shown
                && !matches!(w.kind.as_str(), "cargo" | "go" | "maven" | "gradle" | "dotnet" | "uv")
        });
        let set: BTreeSet<String> = members.flat_map(|w| w.members.iter().cloned()).collect();
        set.into_iter().collect()
    }

    /// Directories of the workspace's packages that a package uses, directly or through others.
    pub(crate) fn local_libraries(&self, packages: &[Package], package: &Package) -> Vec<String> {
        if self.node_root(&package.dir).is_none() {
            return Vec::new();
        }
        let by_name: BTreeMap<&str, &Package> =
            packages.iter().filter_map(|p| Some((p.name.as_deref()?, p))).collect();
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let mut queue: Vec<&Package> = vec![package];
        while let Some(next) = queue.pop() {
            for dep in next.deps.iter().chain(&next.dev) {
                if let Some(local) = by_name.get(dep.as_str())
                    && local.dir != package.dir
                    && !local.dir.is_empty()
                    && seen.len() < MOST_LIBRARIES
                    && seen.insert(local.dir.clone())
                {
                    queue.push(local);
                }
            }
        }
        seen.into_iter().collect()
    }
}

fn push(all: &mut Vec<WorkspaceReading>, kind: &str, dir: &str, file: &str, members: &[String]) {
    if members.is_empty() {
        return;
    }
    let members: BTreeSet<String> = members.iter().map(|m| path::shown(m)).collect();
    let members = members.into_iter().collect();
    all.push(WorkspaceReading {
        kind: kind.to_owned(),
        path: path::shown(dir),
        file: file.to_owned(),
        members,
    });
}

fn node(repo: &Repo<'_>, packages: &[Package], all: &mut Vec<WorkspaceReading>) {
    for file in repo.files().iter().filter(|f| f.role != Role::Vendored) {
        match file.name() {
            "pnpm-workspace.yaml" => {
                let value = repo.text(file).and_then(|t| yaml::parse(t).ok()).unwrap_or_default();
                let members = expand(packages, file.dir(), &json::strings(&value, "packages"));
                push(all, "pnpm", file.dir(), &file.path, &members);
            }
            "lerna.json" => {
                let value = repo.text(file).and_then(|t| json::parse(t).ok()).unwrap_or_default();
                let members = expand(packages, file.dir(), &json::strings(&value, "packages"));
                push(all, "lerna", file.dir(), &file.path, &members);
            }
            "nx.json" | "turbo.json" => {
                let kind = if file.name() == "nx.json" { "nx" } else { "turbo" };
                let below = packages
                    .iter()
                    .filter(|p| path::within(&p.dir, file.dir()) && p.dir != file.dir() && !p.role_aux);
                let projects =
                    repo.under(file.dir()).filter(|f| f.name() == "project.json" && f.role != Role::Vendored);
                let members = below
                    .map(|p| p.dir.clone())
                    .chain(projects.map(|f| f.dir().to_owned()))
                    .collect::<Vec<_>>();
                push(all, kind, file.dir(), &file.path, &members);
            }
            _ => {}
        }
    }
    for package in packages.iter().filter(|p| !p.workspaces.is_empty()) {
        let yarn = repo.has(&path::join(&package.dir, "yarn.lock"))
            || package.declared_manager.as_deref().is_some_and(|m| m.starts_with("yarn"));
        let members = expand(packages, &package.dir, &package.workspaces);
        push(all, if yarn { "yarn" } else { "npm" }, &package.dir, &package.file, &members);
    }
}

fn expand(packages: &[Package], root: &str, globs: &[String]) -> Vec<String> {
    let (out, keep): (Vec<&String>, Vec<&String>) = globs.iter().partition(|g| g.starts_with('!'));
    let fits = |dir: &str| {
        keep.iter().any(|g| path::glob(g.trim_start_matches("./"), dir))
            && !out.iter().any(|g| path::glob(g.trim_start_matches(['!', '.']), dir))
    };
    let inside = packages.iter().filter_map(|p| Some((p, path::relative(&p.dir, root)?)));
    inside.filter(|(_, rel)| !rel.is_empty() && fits(rel)).map(|(p, _)| p.dir.clone()).collect()
}

fn cargo(repo: &Repo<'_>, file: &str) -> Vec<String> {
    let Some(value) = repo.read(file).and_then(|t| t.parse::<toml::Table>().ok()) else { return Vec::new() };
    let Some(workspace) = value.get("workspace").and_then(toml::Value::as_table) else { return Vec::new() };
    let list = |key: &str| -> Vec<String> {
        let items = workspace.get(key).and_then(toml::Value::as_array).into_iter().flatten();
        items.filter_map(toml::Value::as_str).map(str::to_owned).collect()
    };
    manifest_dirs(repo, path::parent(file), &list("members"), "Cargo.toml")
}

fn uv(repo: &Repo<'_>, file: &str) -> Vec<String> {
    let Some(value) = repo.read(file).and_then(|t| t.parse::<toml::Table>().ok()) else { return Vec::new() };
    let members = value
        .get("tool")
        .and_then(|t| t.get("uv"))
        .and_then(|u| u.get("workspace"))
        .and_then(|w| w.get("members"));
    let globs: Vec<String> = members
        .and_then(toml::Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|m| m.as_str().map(str::to_owned))
        .collect();
    manifest_dirs(repo, path::parent(file), &globs, "pyproject.toml")
}

fn manifest_dirs(repo: &Repo<'_>, root: &str, globs: &[String], manifest: &str) -> Vec<String> {
    if globs.is_empty() {
        return Vec::new();
    }
    let dirs = repo.under(root).filter(|f| f.name() == manifest).map(|f| f.dir().to_owned());
    dirs.filter(|d| path::relative(d, root).is_some_and(|rel| globs.iter().any(|g| path::glob(g, rel))))
        .collect()
}

fn listed(repo: &Repo<'_>, file: &str, pattern: &regex::Regex, dir: &str) -> Vec<String> {
    let text = repo.read(file).unwrap_or_default();
    pattern.captures_iter(text).filter_map(|c| path::resolve(dir, c.get(1)?.as_str())).collect()
}

fn gradle(repo: &Repo<'_>, file: &str) -> Vec<String> {
    let text = repo.read(file).unwrap_or_default();
    let mut members = Vec::new();
    for include in GRADLE_INCLUDE.captures_iter(text).filter_map(|c| c.get(1)) {
        for name in QUOTED.captures_iter(include.as_str()).filter_map(|c| c.get(1)) {
            let relative = name.as_str().trim_start_matches(':').replace(':', "/");
            members.extend(path::resolve(path::parent(file), &relative));
        }
    }
    members
}

fn solution(repo: &Repo<'_>, file: &str, pattern: &regex::Regex) -> Vec<String> {
    let text = repo.read(file).unwrap_or_default();
    let projects =
        pattern.captures_iter(text).filter_map(|c| c.get(1)).map(|m| m.as_str().replace('\\', "/"));
    projects
        .filter_map(|p| path::resolve(path::parent(file), &p))
        .map(|p| path::parent(&p).to_owned())
        .collect()
}
