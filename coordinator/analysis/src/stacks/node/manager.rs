//! Which package manager installs a package, and which file locks it.
//!
//! One rule: the `packageManager` field is a statement, a lock file is a trace; the nearest one counts, up to the workspace root.

use hydron_domain::analysis::{Finding, FindingCode, Severity};

use super::package::Package;
use crate::field::{At, Field};
use crate::overlay::hints;
use crate::path;
use crate::repo::Repo;

/// Lock files and their managers, in the order they are believed.
const LOCKS: [(&str, &str); 6] = [
    ("pnpm-lock.yaml", "pnpm"),
    ("bun.lock", "bun"),
    ("bun.lockb", "bun"),
    ("yarn.lock", "yarn"),
    ("package-lock.json", "npm"),
    ("npm-shrinkwrap.json", "npm"),
];

/// The decision for one package.
#[derive(Debug, Clone, Default)]
pub(crate) struct Manager {
    pub(crate) field: Field<String>,
    /// Path of the lock file, if there is one.
    pub(crate) lock: Option<String>,
    /// Whether yarn is version 2 or later.
    pub(crate) berry: bool,
    /// The manager's exact version, if declared.
    pub(crate) version: Option<String>,
}

impl Manager {
    /// The manager's name.
    pub(crate) fn name(&self) -> &str {
        self.field.value().map_or("npm", String::as_str)
    }
}

/// Decides for a package, looking up to the workspace root (or the repository's root).
pub(crate) fn decide(repo: &Repo<'_>, packages: &[Package], package: &Package) -> Manager {
    let mut manager = Manager::default();
    let mut dir = package.dir.as_str();
    let mut nearness = 0.0_f32;
    loop {
        let at_dir = packages.iter().find(|p| p.dir == dir);
        if let Some(declared) = at_dir.and_then(|p| p.declared_manager.as_deref()) {
            let (name, version) = declared.split_once('@').unwrap_or((declared, ""));
            let file = at_dir.map(|p| p.file.as_str()).unwrap_or_default();
            manager.field.offer(
                name,
                0.98 - nearness,
                "node.manager.declared",
                At::find(repo, file, "packageManager"),
            );
            if manager.version.is_none() && !version.is_empty() {
                manager.version = Some(version.split('+').next().unwrap_or(version).to_owned());
            }
        }
        let locks: Vec<&(&str, &str)> = LOCKS.iter().filter(|(f, _)| repo.has(&path::join(dir, f))).collect();
        for (rank, (file, name)) in locks.iter().enumerate() {
            let confidence = if rank == 0 { 0.93 } else { 0.8 } - nearness;
            manager.field.offer(*name, confidence, "node.manager.lockfile", At::file(&path::join(dir, file)));
        }
        if locks.len() > 1 && manager.lock.is_none() {
            let hint = hints::node_manager(repo, dir);
            if let Some((name, weight, at)) = hint.filter(|(n, _, _)| locks.iter().any(|(_, m)| m == n)) {
                manager.field.offer(name, 0.93 + weight - nearness, "node.manager.hint", at);
            }
            note_conflict(repo, dir, &locks, manager.name());
        }
        if let Some(engine) =
            at_dir.and_then(|p| ["pnpm", "yarn"].into_iter().find(|m| p.engines.contains_key(*m)))
        {
            manager.field.offer(
                engine,
                0.7 - nearness,
                "node.manager.engines",
                At::file(&path::join(dir, "package.json")),
            );
        }
        if repo.has(&path::join(dir, ".yarnrc.yml")) {
            manager.berry = true;
            manager.field.offer(
                "yarn",
                0.75 - nearness,
                "node.manager.yarnrc",
                At::file(&path::join(dir, ".yarnrc.yml")),
            );
        }
        if manager.lock.is_none() {
            let name = manager.field.value().cloned();
            let own = locks.iter().find(|(_, m)| name.as_deref() == Some(*m)).or_else(|| locks.first());
            manager.lock = own.map(|(file, _)| path::join(dir, file));
        }
        if dir.is_empty() {
            break;
        }
        dir = path::parent(dir);
        nearness += 0.01;
    }
    script_hint(&mut manager, package);
    if let Some((name, weight, at)) = hints::node_manager(repo, &package.dir) {
        manager.field.offer(name, 0.6 + weight / 2.0, "node.manager.hint", at);
    }
    if manager.field.is_empty() {
        manager.field.offer("npm", 0.6, "node.manager.default", At::nowhere());
    }
    if manager.version.as_deref().is_some_and(|v| !v.starts_with("1.")) && manager.name() == "yarn" {
        manager.berry = true;
    }
    manager
}

/// Without a lock file, the scripts and the Procfile tell which tool the authors use.
fn script_hint(manager: &mut Manager, package: &Package) {
    for name in ["pnpm", "yarn", "bun"] {
        let uses = package.scripts.iter().find(|(_, s)| s.split(['&', ';', ' ']).any(|w| w == name));
        if let Some((script, _)) = uses {
            let at = At { file: Some(package.file.clone()), line: None };
            manager.field.offer(name, 0.62, &format!("node.manager.script.{script}"), at);
        }
    }
}

fn note_conflict(repo: &Repo<'_>, dir: &str, locks: &[&(&str, &str)], used: &str) {
    let managers: std::collections::BTreeSet<&str> = locks.iter().map(|(_, m)| *m).collect();
    if managers.len() < 2 {
        return;
    }
    let names: Vec<&str> = locks.iter().map(|(f, _)| *f).collect();
    let finding = Finding {
        severity: Severity::Warning,
        code: FindingCode::ConflictingLockfiles,
        service: None,
        message: format!(
            "{} has lock files of several package managers: {}; {used} is used",
            path::called(dir),
            names.join(", ")
        ),
        advice: "Keep the one that you use, or name the manager in package.json \"packageManager\"."
            .to_owned(),
        file: Some(path::join(dir, names.first().copied().unwrap_or_default())),
        line: None,
    };
    repo.note(finding);
}
