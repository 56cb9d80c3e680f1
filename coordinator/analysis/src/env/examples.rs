//! Example files (`.env.example` and its many spellings) and committed `.env` files.
//!
//! One rule: an example's secret is a placeholder, a committed `.env`'s secret is a leak: flagged, never kept.

use std::collections::BTreeSet;

use hydron_domain::analysis::{EnvSource, Finding, FindingCode, ServiceKind, Severity};

use super::{Seen, collect, secret};
use crate::draft::Draft;
use crate::field::At;
use crate::formats::dotenv::{self, Assignment};
use crate::path;
use crate::repo::{File, Repo, Role};

/// Applies all example files.
pub(crate) fn apply(repo: &Repo<'_>, drafts: &mut [Draft]) {
    let stack = crate::overlay::compose_file::interpolated(repo);
    for file in repo.files().iter().filter(|f| f.role == Role::Normal) {
        let Some(kind) = kind(file) else { continue };
        let Some(text) = repo.text(file) else { continue };
        let all = dotenv::parse(text);
        if kind == Kind::Committed {
            leaks(repo, file, &all);
        }
        let owners = owners(drafts, file);
        for index in owners {
            let Some(draft) = drafts.get_mut(index) else { continue };
            let near = draft.dir == home(file) || alone(file, draft);
            for one in &all {
                let known = draft.env.contains_key(&one.name);
                if !known && (!near || stack.contains(&one.name)) {
                    continue;
                }
                give(draft, one, file, kind);
            }
        }
    }
}

fn give(draft: &mut Draft, one: &Assignment, file: &File, kind: Kind) {
    if one.commented && kind == Kind::Committed && one.value.is_empty() {
        return;
    }
    let mut seen = Seen::new(&one.name, EnvSource::Example, 0);
    seen.default = (!secret::is_placeholder(&one.value)).then(|| one.value.clone());
    let at = At::line(&file.path, one.line);
    if secret::is_secret(&one.name, Some(&one.value))
        && let Some(entry) = draft.env.get_mut(&one.name)
    {
        entry.secret = true;
    }
    if !one.commented {
        draft.given.entry(one.name.clone()).or_insert_with(|| one.value.clone());
    }
    collect::add(draft, seen, &at);
    if let Some(entry) = draft.env.get_mut(&one.name) {
        entry.secret |= secret::is_secret(&one.name, Some(&one.value));
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Example,
    Committed,
}

fn kind(file: &File) -> Option<Kind> {
    let name = file.name().to_lowercase();
    if name == ".env"
        || matches!(
            name.as_str(),
            ".env.development"
                | ".env.production"
                | ".env.local"
                | ".env.defaults"
                | ".env.docker"
                | ".env.dev"
                | ".env.prod"
        )
    {
        return Some(Kind::Committed);
    }
    if !name.contains("env") && !name.contains("secret") {
        return None;
    }
    let words: BTreeSet<String> = path::words(&name).collect();
    let example = ["example", "sample", "template", "dist", "default", "defaults", "demo", "tpl"]
        .iter()
        .any(|w| words.contains(*w));
    let about = words.contains("env")
        || words.contains("envrc")
        || (words.contains("secret") && name.starts_with('.'));
    let code = matches!(
        file.extension(),
        "js" | "ts" | "py" | "rb" | "md" | "yml" | "yaml" | "json" | "toml" | "go" | "rs" | "php" | "tf"
    );
    (example && about && !code && !words.contains("test")).then_some(Kind::Example)
}

/// The directory that an example speaks for.
fn home(file: &File) -> &str {
    let dir = file.dir();
    if matches!(
        path::base(dir),
        "docker" | "config" | "env" | "envs" | ".envs" | "deploy" | "dockerfiles" | ".docker"
    ) {
        path::parent(dir)
    } else {
        dir
    }
}

/// The drafts that an example may concern: those in its directory, else those below it.
fn owners(drafts: &[Draft], file: &File) -> Vec<usize> {
    let home = home(file);
    let here: Vec<usize> = drafts.iter().enumerate().filter(|(_, d)| d.dir == home).map(|(i, _)| i).collect();
    let dirs: BTreeSet<&str> = drafts.iter().map(|d| d.dir.as_str()).collect();
    if !here.is_empty() && dirs.len() == 1 {
        return here;
    }
    let inside = drafts.iter().enumerate().filter(|(_, d)| path::within(&d.dir, home) || d.owns(&file.path));
    inside.map(|(i, _)| i).collect()
}

/// Whether an example above a service speaks for that service alone.
fn alone(file: &File, draft: &Draft) -> bool {
    draft.kind != ServiceKind::Static
        && (draft.owns(&file.path)
            || draft.sources.len() == 1
                && draft.dir.starts_with(home(file))
                && path::depth(&draft.dir) <= path::depth(home(file)) + 1)
}

fn leaks(repo: &Repo<'_>, file: &File, all: &[Assignment]) {
    for one in all.iter().filter(|a| !a.commented && a.value.len() >= 8) {
        let default = file.name() != ".env" && !file.name().ends_with("production");
        if default || secret::is_placeholder(&one.value) || !secret::is_secret(&one.name, Some(&one.value)) {
            continue;
        }
        repo.note(Finding {
            severity: Severity::Warning,
            code: FindingCode::CommittedSecret,
            service: None,
            message: format!(
                "{} holds a value for {}, which everyone with the repository can read",
                file.path, one.name
            ),
            advice: "It was not taken over. Make a new value, and remove this one from the repository."
                .to_owned(),
            file: Some(file.path.clone()),
            line: Some(one.line),
        });
    }
}
