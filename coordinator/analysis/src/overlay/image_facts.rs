//! What the manifest beside a Dockerfile says about a program that no stack recognised: its packages, its tool, its version.
//!
//! One rule: the Dockerfile stays the recipe; a manifest only names what is inside.

use super::images;
use crate::draft::Draft;
use crate::field::At;
use crate::formats::dockerfile::Dockerfile;
use crate::formats::json;
use crate::overlay::dockerfiles::language_of;
use crate::path;
use crate::repo::Repo;
use crate::stacks::python::manifest;

/// Offers tool, version and framework.
pub(crate) fn offer(repo: &Repo<'_>, draft: &mut Draft, file: &str, parsed: &Dockerfile) {
    let language = draft.language.clone();
    for stage in &parsed.stages {
        let image = stage.image.split('@').next().unwrap_or_default();
        let tag = path::base(image).split_once(':').map_or("", |(_, tag)| tag);
        let number = tag.split('-').next().unwrap_or_default();
        let same = language_of(&images::base_name(&stage.image)).is_some_and(|l| l == language);
        if same && number.starts_with(|c: char| c.is_ascii_digit()) {
            draft.version.offer(number, 0.6, "dockerfile.base_version", At::line(file, stage.line));
        }
    }
    if let Some((tool, at)) = tool(repo, &draft.dir, &language) {
        draft.package_manager.offer(tool, 0.8, "dockerfile.manifest", at);
    }
    let grpc = packages(repo, &draft.dir)
        .into_iter()
        .find(|(name, _)| matches!(name.as_str(), "@grpc/grpc-js" | "grpcio" | "io.grpc"));
    if let Some((name, at)) = grpc {
        draft.framework.offer("grpc", 0.7, &format!("dockerfile.{name}"), at);
    }
}

/// The packages that a manifest in a directory names, for Node and Python.
pub(crate) fn packages(repo: &Repo<'_>, dir: &str) -> Vec<(String, At)> {
    let file = path::join(dir, "package.json");
    let node = repo.read(&file).and_then(|text| json::parse(text).ok()).unwrap_or_default();
    let mut list: Vec<(String, At)> = json::keys(&node, "dependencies")
        .into_iter()
        .map(|name| {
            let at = At::find(repo, &file, &format!("\"{name}\""));
            (name, at)
        })
        .collect();
    for (name, file) in manifest::read(repo, dir).deps {
        let at = At::find(repo, &file, &name);
        list.push((name, at));
    }
    list
}

fn tool(repo: &Repo<'_>, dir: &str, language: &str) -> Option<(String, At)> {
    let by_file: &[(&str, &str)] = match language {
        "javascript" | "typescript" => &[
            ("pnpm-lock.yaml", "pnpm"),
            ("yarn.lock", "yarn"),
            ("bun.lock", "bun"),
            ("package-lock.json", "npm"),
            ("package.json", "npm"),
        ],
        "python" => {
            let read = manifest::read(repo, dir);
            let best = read.manager.best()?;
            return Some((best.value.clone(), best.at.clone()));
        }
        "java" | "kotlin" => {
            &[("pom.xml", "maven"), ("build.gradle", "gradle"), ("build.gradle.kts", "gradle")]
        }
        "go" => &[("go.mod", "go modules")],
        "rust" => &[("Cargo.toml", "cargo")],
        "ruby" => &[("Gemfile", "bundler")],
        "php" => &[("composer.json", "composer")],
        "elixir" => &[("mix.exs", "mix")],
        _ => &[],
    };
    // A member of a workspace has its lock file further up.
    let mut places = vec![dir];
    while let Some(last) = places.last().filter(|d| !d.is_empty()) {
        places.push(path::parent(last));
    }
    let named = |(name, tool): &(&'static str, &'static str)| {
        let lock = name.contains("lock");
        let at = places.iter().filter(|place| lock || **place == dir).map(|place| path::join(place, name));
        at.into_iter().find(|file| repo.has(file)).map(|file| ((*tool).to_owned(), At::file(&file)))
    };
    by_file.iter().find_map(named)
}
