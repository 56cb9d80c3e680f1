//! Which draft a compose service means.
//!
//! One rule: a build context is a statement; a published image is matched only by its name.

use hydron_domain::analysis::ServiceKind;

use super::compose_file::{Build, ComposeService};
use super::images;
use super::process::{self, Process};
use super::procfile::same_tool;
use crate::draft::Draft;
use crate::path;

/// The drafts (by index) that a build can mean, the best first.
pub(crate) fn by_build(drafts: &[Draft], build: &Build, service: &ComposeService) -> Option<usize> {
    let recipe_dir = path::parent(&build.dockerfile);
    let text = service.command.as_deref().unwrap_or_default();
    let wanted = match process::judge(text) {
        Process::Worker => Some(ServiceKind::Worker),
        Process::Dashboard | Process::Web | Process::Job | Process::Dev => None,
    };
    let fits = |dir: &str| {
        let here = || drafts.iter().enumerate().filter(move |(_, d)| d.dir == dir);
        let tool = here().find(|(_, d)| wanted == Some(d.kind) && same_tool(d, text));
        let kind = here().find(|(_, d)| d.kind != ServiceKind::Worker);
        tool.or(kind).or_else(|| here().next()).map(|(i, _)| i)
    };
    fits(&build.context)
        .or_else(|| if recipe_dir == build.context { None } else { fits(recipe_dir) })
        .or_else(|| below(drafts, build, service))
}

/// Drafts below the context: the only one, or the one that the service's name, target or Dockerfile names.
fn below(drafts: &[Draft], build: &Build, service: &ComposeService) -> Option<usize> {
    let inside: Vec<(usize, &Draft)> =
        drafts.iter().enumerate().filter(|(_, d)| path::within(&d.dir, &build.context)).collect();
    let dirs: std::collections::BTreeSet<&str> = inside.iter().map(|(_, d)| d.dir.as_str()).collect();
    if let (1, Some((index, _))) = (dirs.len(), inside.first()) {
        return Some(*index);
    }
    let stem = path::base(&build.dockerfile).replace("Dockerfile", "");
    let names = [Some(service.name.as_str()), build.target.as_deref(), Some(stem.as_str())];
    let named = |d: &Draft| names.iter().flatten().any(|n| same_name(n, path::base(&d.dir)));
    inside.iter().find(|(_, d)| named(d)).map(|(i, _)| *i)
}

/// The draft that a published image means.
pub(crate) fn by_image(
    drafts: &[Draft],
    image: &str,
    service: &ComposeService,
    only_application: bool,
) -> Option<usize> {
    let name = images::base_name(image);
    let named = |d: &Draft, same: &dyn Fn(&str) -> bool| {
        let own = d.name.value().map_or("", String::as_str);
        [path::base(&d.dir), own].into_iter().any(|n| !n.is_empty() && same(n))
    };
    let exact = drafts.iter().position(|d| named(d, &|n| n == name || n == service.name));
    // A part of a name is only enough where it fits one service, and where it is not what every product has.
    let ends = |n: &str| {
        let generic = matches!(service.name.as_str(), "app" | "web" | "server" | "api" | "service");
        name.ends_with(&format!("-{n}")) || !generic && n.ends_with(&format!("-{}", service.name))
    };
    let mut partly = drafts.iter().enumerate().filter(|(_, d)| named(d, &ends)).map(|(i, _)| i);
    exact.or(partly.next().filter(|_| partly.next().is_none())).or_else(|| {
        let dirs: std::collections::BTreeSet<&str> = drafts.iter().map(|d| d.dir.as_str()).collect();
        (only_application && dirs.len() == 1 && !is_other(drafts, &name, image)).then_some(0)
    })
}

/// Whether a published image bears another product's name: `gitea/gitea` is not this repository's program.
fn is_other(drafts: &[Draft], name: &str, image: &str) -> bool {
    let owner = image.rsplit('/').nth(1).unwrap_or_default();
    let bare = |text: &str| text.to_lowercase().replace(['-', '_'], "");
    let own =
        drafts.iter().flat_map(|d| [d.name.value().cloned(), Some(path::base(&d.dir).to_owned())]).flatten();
    let related = own.map(|n| bare(&n)).any(|n| {
        !n.is_empty() && (bare(name).contains(&n) || n.contains(&bare(name)) || bare(owner).contains(&n))
    });
    owner == name && !related
}

/// `web`, `app-web` and `web_app` all mean `web`.
fn same_name(a: &str, b: &str) -> bool {
    let (a, b) = (a.to_lowercase(), b.to_lowercase());
    !a.is_empty()
        && !b.is_empty()
        && (a == b || path::words(&a).any(|w| w == b) || path::words(&b).any(|w| w == a))
}
