//! Drivers among a service's own dependencies.
//!
//! One rule: development groups, comments and indirect requirements never propose anything.

use std::collections::BTreeSet;

use super::packages::{self, Driver};
use crate::draft::{Draft, Stack};
use crate::field::At;
use crate::overlay::image_facts;
use crate::path;
use crate::repo::{File, Repo, Role};
use crate::stacks::Scan;
use crate::stacks::go::imports;
use crate::stacks::rust::read_all;

/// Offers every driver of a draft.
pub(crate) fn offer(scan: &Scan<'_, '_>, draft: &mut Draft) {
    match draft.stack.clone() {
        Stack::Node(_) => node(scan, draft),
        Stack::Python(facts) => {
            for (name, file) in &facts.manifest.deps {
                offer_named(
                    packages::PYPI,
                    name,
                    At::find(scan.repo, file, name.split('[').next().unwrap_or(name)),
                    draft,
                );
            }
        }
        Stack::Ruby(facts) => {
            let file = path::join(&draft.dir, "Gemfile");
            for gem in &facts.gems {
                offer_named(packages::GEMS, gem, At::find(scan.repo, &file, gem), draft);
            }
        }
        Stack::Php(facts) => {
            let file = path::join(&facts.app_dir, "composer.json");
            for package in &facts.deps {
                offer_named(packages::COMPOSER, package, At::find(scan.repo, &file, package), draft);
            }
        }
        Stack::Java(facts) => {
            let file = path::join(&draft.dir, if facts.gradle { "build.gradle" } else { "pom.xml" });
            for dep in &facts.deps {
                let found = packages::MAVEN
                    .iter()
                    .find(|(n, _, _)| if n.contains(':') { dep == n } else { dep.contains(n) });
                if let Some(driver) = found {
                    propose(draft, driver, At::find(scan.repo, &file, dep.rsplit(':').next().unwrap_or(dep)));
                }
            }
        }
        Stack::Dotnet(facts) => {
            for package in &facts.packages {
                if let Some(driver) = packages::NUGET.iter().find(|(n, _, _)| package.starts_with(n)) {
                    propose(draft, driver, At::find(scan.repo, &facts.project, package));
                }
            }
        }
        Stack::Go(_) => {
            for (import, at) in go_imports(scan.repo, draft) {
                if let Some(driver) = packages::GO.iter().find(|(n, _, _)| import.starts_with(n)) {
                    propose(draft, driver, at);
                }
            }
        }
        Stack::Rust(_) => rust(scan.repo, draft),
        Stack::Image => {
            for (name, at) in image_facts::packages(scan.repo, &draft.dir) {
                offer_named(packages::NPM, &name, at.clone(), draft);
                offer_named(packages::PYPI, &name, at, draft);
            }
        }
        Stack::Site(_) => {}
    }
}

fn offer_named(drivers: &'static [Driver], name: &str, at: At, draft: &mut Draft) {
    if let Some(driver) = drivers.iter().find(|(n, _, _)| *n == name) {
        propose(draft, driver, at);
    }
}

fn propose(draft: &mut Draft, driver: &Driver, at: At) {
    let (package, kind, scheme) = driver;
    let orm = match &draft.stack {
        Stack::Python(facts) => ["sqlalchemy", "sqlmodel", "flask-sqlalchemy", "databases", "gino"]
            .iter()
            .any(|o| facts.manifest.deps.keys().any(|d| d == o || d.starts_with(&format!("{o}[")))),
        Stack::Node(_)
        | Stack::Ruby(_)
        | Stack::Go(_)
        | Stack::Rust(_)
        | Stack::Java(_)
        | Stack::Php(_)
        | Stack::Dotnet(_)
        | Stack::Site(_)
        | Stack::Image => true,
    };
    let need = draft.need(kind);
    need.driver = true;
    // A scheme with a driver in it is SQLAlchemy's; a bare driver wants the plain one.
    let plain = scheme.map(|s| if orm { s } else { s.split('+').next().unwrap_or(s) });
    if let Some(scheme) = plain {
        need.scheme = Some((*scheme).to_owned());
    }
    need.reasons.offer(*package, 0.7, "needs.driver", at);
}

/// Packages of the service and of the workspace libraries it uses.
fn node(scan: &Scan<'_, '_>, draft: &mut Draft) {
    let served = draft.kind != hydron_domain::analysis::ServiceKind::Static;
    if !served {
        return;
    }
    let sources = draft.sources.clone();
    for package in scan.packages.iter().filter(|p| sources.contains(&p.dir)) {
        for name in &package.deps {
            if let Some(driver) = packages::NPM.iter().find(|(n, _, _)| n == name) {
                propose(draft, driver, At::find(scan.repo, &package.file, &format!("\"{name}\"")));
            }
        }
    }
}

fn go_imports(repo: &Repo<'_>, draft: &Draft) -> Vec<(String, At)> {
    let dirs: BTreeSet<&str> = draft.sources.iter().map(String::as_str).collect();
    let own = |f: &&File| f.extension() == "go" && f.role == Role::Normal && dirs.contains(f.dir());
    let files: Vec<&File> = repo.files().iter().filter(own).collect();
    let known = |import: &str| packages::GO.iter().any(|(name, _, _)| import.starts_with(name));
    let found = repo.each_text(
        &files,
        |file| file,
        |file, text| {
            let drivers = imports(text).filter(|(_, import)| known(import));
            let placed = |(offset, import): (usize, &str)| {
                (import.to_owned(), At::line(&file.path, crate::repo::line_at(text, offset)))
            };
            drivers.map(placed).collect::<Vec<_>>()
        },
    );
    found.into_iter().flatten().flatten().collect()
}

fn rust(repo: &Repo<'_>, draft: &mut Draft) {
    let crates = read_all(repo);
    let own: Vec<_> = crates.iter().filter(|c| draft.sources.contains(&c.dir)).collect();
    for package in own {
        let file = path::join(&package.dir, "Cargo.toml");
        for name in &package.deps {
            if let Some(driver) = packages::CRATES.iter().find(|(n, _, _)| n == name) {
                propose(draft, driver, At::find(repo, &file, name));
            }
        }
        for session in ["actix-session", "actix-limitation", "tower-sessions"] {
            let features = package.table.get("dependencies").and_then(|d| d.get(session)?.get("features"));
            if features.is_some_and(|f| f.to_string().contains("redis")) {
                propose(draft, &(session, "redis", None), At::find(repo, &file, session));
            }
        }
        for orm in ["sqlx", "diesel", "sea-orm", "diesel-async"] {
            let Some(value) = package.table.get("dependencies").and_then(|d| d.get(orm)) else { continue };
            let inherited = repo.read("Cargo.toml").and_then(|t| t.parse::<toml::Table>().ok());
            let shared = inherited.as_ref().and_then(|t| t.get("workspace")?.get("dependencies")?.get(orm));
            let features = format!(
                "{} {}",
                value.get("features").map(ToString::to_string).unwrap_or_default(),
                shared.and_then(|s| s.get("features")).map(ToString::to_string).unwrap_or_default()
            );
            for (word, kind, scheme) in [
                ("postgres", "postgres", "postgres"),
                ("mysql", "mysql", "mysql"),
                ("sqlite", "sqlite", "sqlite"),
            ] {
                if features.contains(word) || features.contains("sqlx-all") {
                    propose(draft, &(orm, kind, Some(scheme)), At::find(repo, &file, orm));
                }
            }
        }
    }
}
