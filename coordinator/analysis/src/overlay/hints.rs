//! What CI files, Dockerfiles and the README say in passing: hints that decide only where statements contradict each other.
//!
//! One rule: a hint never outweighs a manifest or a single lock file.

use crate::field::At;
use crate::path;
use crate::pattern::patterns;
use crate::repo::{File, Repo, line_at};

patterns! {
    INSTALLS = r"\b(npm|pnpm|yarn|bun)\s+(?:ci|install|i|run|--frozen-lockfile|--immutable)\b|\b(yarn)\s*(?:\n|$|&&)";
}

/// Which tool the authors install with, by the files that say so, the strongest first.
pub(crate) fn node_manager(repo: &Repo<'_>, dir: &str) -> Option<(String, f32, At)> {
    let mut best: Option<(String, f32, At)> = None;
    for (file, weight) in speakers(repo, dir) {
        let Some(text) = repo.text(file) else { continue };
        let Some(found) = INSTALLS.captures(text) else { continue };
        let Some(name) = found.get(1).or_else(|| found.get(2)) else { continue };
        if best.as_ref().is_none_or(|(_, held, _)| weight > *held) {
            best =
                Some((name.as_str().to_owned(), weight, At::line(&file.path, line_at(text, name.start()))));
        }
    }
    best
}

/// The files that speak for a directory: its own Dockerfile and README, and the repository's CI.
fn speakers<'r>(repo: &'r Repo<'_>, dir: &'r str) -> Vec<(&'r File, f32)> {
    let weight = |file: &File| {
        let ci = file.path.starts_with(".github/workflows/")
            || file.path.starts_with(".circleci/")
            || matches!(file.path.as_str(), ".gitlab-ci.yml" | "azure-pipelines.yml" | ".travis.yml");
        let beside = file.dir() == dir;
        match file.name() {
            "Dockerfile" if beside => Some(0.03),
            _ if ci => Some(0.02),
            "README.md" | "readme.md" | "README" if beside || file.dir().is_empty() => Some(0.01),
            _ => None,
        }
    };
    let near = repo.in_dir(dir).chain(repo.under(".github")).chain(repo.under(".circleci"));
    let root = if dir.is_empty() { None } else { Some(repo.in_dir("")) };
    let all = near.chain(root.into_iter().flatten());
    all.filter(|f| path::depth(&f.path) <= path::depth(dir) + 3)
        .filter_map(|f| Some((f, weight(f)?)))
        .collect()
}
