//! Which Node version a package wants.
//!
//! One rule: a file made for a version manager is exact, `engines` is a range; the nearest directory counts, then its parents.

use super::package::Package;
use crate::field::{At, Field};
use crate::path;
use crate::repo::Repo;

/// Offers versions from the package's directory up to the root.
pub(crate) fn offer(repo: &Repo<'_>, packages: &[Package], package: &Package, field: &mut Field<String>) {
    let mut dir = package.dir.as_str();
    let mut nearness = 0.0_f32;
    loop {
        for (file, confidence) in [(".nvmrc", 0.97), (".node-version", 0.96)] {
            let path = path::join(dir, file);
            if let Some((version, line)) = repo.read(&path).and_then(first_line) {
                field.offer(version, confidence - nearness, "node.version.file", At::line(&path, line));
            }
        }
        if let Some((version, at)) = tool_versions(repo, dir, &["nodejs", "node"]) {
            field.offer(version, 0.94 - nearness, "node.version.tool_versions", at);
        }
        if let Some(manifest) = packages.iter().find(|p| p.dir == dir) {
            if let Some(range) = manifest.engines.get("node") {
                field.offer(
                    range.clone(),
                    0.9 - nearness,
                    "node.version.engines",
                    At::find(repo, &manifest.file, "\"node\""),
                );
            }
            if let Some(volta) = &manifest.volta_node {
                field.offer(
                    volta.clone(),
                    0.85 - nearness,
                    "node.version.volta",
                    At::find(repo, &manifest.file, "\"volta\""),
                );
            }
        }
        if dir.is_empty() {
            break;
        }
        dir = path::parent(dir);
        nearness += 0.01;
    }
}

/// The first line that is not a comment, with its number; a leading `v` is dropped.
pub(crate) fn first_line(text: &str) -> Option<(String, u32)> {
    let mut lines =
        text.lines().zip(1u32..).map(|(l, n)| (l.split('#').next().unwrap_or_default().trim(), n));
    let (line, number) = lines.find(|(l, _)| !l.is_empty())?;
    let line = line.strip_prefix('v').filter(|r| r.starts_with(|c: char| c.is_ascii_digit())).unwrap_or(line);
    Some((line.to_owned(), number))
}

/// A tool's version in `.tool-versions` or `mise.toml`.
pub(crate) fn tool_versions(repo: &Repo<'_>, dir: &str, tools: &[&str]) -> Option<(String, At)> {
    for file in [".tool-versions", "mise.toml", ".mise.toml"] {
        let path = path::join(dir, file);
        let Some(text) = repo.read(&path) else { continue };
        for (line, number) in text.lines().zip(1u32..) {
            let line = line.split('#').next().unwrap_or_default();
            let mut words =
                line.split(|c: char| c.is_whitespace() || c == '=' || c == '"').filter(|w| !w.is_empty());
            let Some(tool) = words.next() else { continue };
            if tools.contains(&tool) {
                return words.next().map(|v| (v.to_owned(), At::line(&path, number)));
            }
        }
    }
    None
}
