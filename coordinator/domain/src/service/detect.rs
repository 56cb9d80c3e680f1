//! From a reading to services: the parts it found, and one more for every database or cache they need.
//!
//! Rule: a dependency is shared by all services that need the same kind; what a person edited or locked is kept.

use std::collections::{BTreeMap, BTreeSet};

use hydron_proto::names::{CommitId, GitRef, GitUrl, RelPath, ServiceName};

use super::{
    DependencyChoice, DockerfileOrigin, Service, ServiceDockerfile, ServiceKind, ServiceSource, ServiceSpec,
};
use crate::analysis::{self, Analysis, AnalyzedService, DockerfileVerdict};
use crate::planning::dependency;

/// A service that a reading found.
#[derive(Debug, Clone, PartialEq)]
pub struct Detected {
    /// Name.
    pub name: ServiceName,
    /// Everything else.
    pub spec: ServiceSpec,
}

/// Where and when a repository was read.
#[derive(Debug, Clone)]
pub struct ReadAt<'a> {
    /// Repository.
    pub url: &'a GitUrl,
    /// Full ref name.
    pub reference: &'a GitRef,
    /// Commit.
    pub commit: &'a CommitId,
    /// Git's hash of each build context.
    pub trees: &'a BTreeMap<String, String>,
}

/// The services of a reading.
pub fn detect(analysis: &Analysis, at: &ReadAt<'_>) -> Vec<Detected> {
    let mut names = BTreeSet::new();
    let mut renamed = BTreeMap::new();
    for service in &analysis.services {
        if let Some(name) = free_name(&service.name, &mut names) {
            renamed.insert(service.name.as_str(), name);
        }
    }
    let needed = needed_kinds(analysis);
    let mut dependencies = Vec::new();
    let mut by_kind = BTreeMap::new();
    for (kind, (version, image)) in needed {
        let Some(entry) = dependency::entry(&kind) else { continue };
        let Some(name) = free_name(entry.name, &mut names) else { continue };
        by_kind.insert(kind, name.clone());
        dependencies.push(Detected { name, spec: dependency::spec(entry, version, image) });
    }
    let mut found: Vec<Detected> = analysis
        .services
        .iter()
        .filter_map(|service| {
            let name = renamed.get(service.name.as_str())?.clone();
            // A reading of one directory names services outside of it, too.
            let other = |name: &String| renamed.get(name.as_str()).cloned().or_else(|| name.parse().ok());
            let mut depends_on: BTreeSet<ServiceName> = service.depends_on.iter().filter_map(other).collect();
            let kinds = service.dependencies.iter().map(|need| dependency::canonical(&need.kind));
            depends_on.extend(kinds.filter_map(|kind| by_kind.get(kind).cloned()));
            depends_on.remove(&name);
            Some(Detected { name, spec: spec_of(service, depends_on, at) })
        })
        .collect();
    found.extend(dependencies);
    found
}

/// What becomes of a service that was known before: what a person edited stays.
pub fn merge(known: &Service, found: &ServiceSpec, trees: &BTreeMap<String, String>) -> ServiceSpec {
    let mut spec = if known.locked { known.spec.clone() } else { unedited(&known.spec, found) };
    spec.source.clone_from(&found.source);
    // What will be built counts, even where the reading would build another directory or with another Dockerfile.
    if let Some(source) = &mut spec.source {
        source.tree_hash = tree_hash(&spec.context, &spec.dockerfile, &source.commit, trees);
    }
    spec
}

/// What was found, except what a person edited and what holds data.
fn unedited(old: &ServiceSpec, found: &ServiceSpec) -> ServiceSpec {
    let edited = |field: &str| old.edited.contains(field);
    let mut spec =
        ServiceSpec { edited: old.edited.clone(), found_as: old.found_as.clone(), ..found.clone() };
    if edited("kind") {
        spec.kind = old.kind;
    }
    if edited("language") {
        spec.language.clone_from(&old.language);
    }
    if edited("framework") {
        spec.framework.clone_from(&old.framework);
    }
    if edited("build") {
        spec.build.clone_from(&old.build);
    }
    if edited("start") {
        spec.start.clone_from(&old.start);
    }
    if edited("port") {
        spec.port = old.port;
    }
    if edited("health_path") {
        spec.health_path.clone_from(&old.health_path);
    }
    if edited("route_prefix") {
        spec.route_prefix.clone_from(&old.route_prefix);
    }
    if edited("dockerfile") {
        spec.dockerfile.clone_from(&old.dockerfile);
    }
    if edited("path") {
        spec.context.clone_from(&old.context);
    }
    if edited("depends_on") {
        spec.depends_on.clone_from(&old.depends_on);
    }
    if old.dependency.is_some() {
        // The version of a database that holds data is never changed by a reading.
        spec.dependency.clone_from(&old.dependency);
        spec.dockerfile.clone_from(&old.dockerfile);
    }
    spec
}

fn needed_kinds(analysis: &Analysis) -> BTreeMap<String, (Option<String>, Option<String>)> {
    let mut kinds: BTreeMap<String, (Option<String>, Option<String>)> = BTreeMap::new();
    for need in analysis.services.iter().flat_map(|service| &service.dependencies) {
        if !need.required || need.external {
            continue;
        }
        let known = kinds.entry(dependency::canonical(&need.kind).to_owned()).or_default();
        if known.0.is_none() {
            known.0.clone_from(&need.version);
        }
        if known.1.is_none() {
            known.1.clone_from(&need.image);
        }
    }
    kinds
}

fn spec_of(service: &AnalyzedService, depends_on: BTreeSet<ServiceName>, at: &ReadAt<'_>) -> ServiceSpec {
    let kind = match service.kind {
        analysis::ServiceKind::Web => ServiceKind::Web,
        analysis::ServiceKind::Worker => ServiceKind::Worker,
        analysis::ServiceKind::Static => ServiceKind::Static,
    };
    let context = relative(&service.dockerfile.context);
    let dockerfile = dockerfile_of(service);
    let tree_hash = tree_hash(&context, &dockerfile, at.commit, at.trees);
    let source = ServiceSource {
        url: at.url.clone(),
        reference: at.reference.clone(),
        commit: at.commit.clone(),
        tree_hash,
    };
    ServiceSpec {
        kind,
        language: service.language.clone(),
        framework: service.framework.clone(),
        package_manager: service.package_manager.clone(),
        build: service.build.clone(),
        start: service.start.clone(),
        release: service.release.clone(),
        port: service.port,
        health_path: service.health.clone(),
        route_prefix: service.route_prefix.clone(),
        dockerfile,
        source: Some(source),
        context,
        depends_on,
        needs: service.dependencies.clone(),
        env: service.env.clone(),
        volumes: service.volumes.clone(),
        dependency: None::<DependencyChoice>,
        evidence: service.evidence.clone(),
        edited: BTreeSet::new(),
        found_as: None,
    }
}

/// Git's hash of the build context; a Dockerfile of the repository that lies elsewhere counts too.
fn tree_hash(
    context: &RelPath,
    dockerfile: &ServiceDockerfile,
    commit: &CommitId,
    trees: &BTreeMap<String, String>,
) -> String {
    let tree = trees.get(context.as_str()).cloned().unwrap_or_else(|| commit.to_string());
    let path = dockerfile.path.as_deref().filter(|_| dockerfile.origin == DockerfileOrigin::Repository);
    let outside =
        path.filter(|path| !context.is_root() && !path.starts_with(&format!("{}/", context.as_str())));
    match outside.and_then(|path| trees.get(path)) {
        Some(blob) => format!("{tree}+{blob}"),
        None => tree,
    }
}

fn dockerfile_of(service: &AnalyzedService) -> ServiceDockerfile {
    let reading = &service.dockerfile;
    let origin = match reading.verdict {
        DockerfileVerdict::Accept => DockerfileOrigin::Repository,
        DockerfileVerdict::Repair
        | DockerfileVerdict::Generate
        | DockerfileVerdict::Replace
        | DockerfileVerdict::Missing => DockerfileOrigin::Generated,
    };
    ServiceDockerfile {
        origin,
        path: reading.path.clone(),
        content: reading.content.clone(),
        verdict: Some(reading.verdict),
        diff: reading.diff.clone(),
        notes: reading.reasons.clone(),
    }
}

/// `.` and `./x/` as the analysis writes them, as a path inside the repository.
pub(crate) fn relative(text: &str) -> RelPath {
    let plain = text.trim_start_matches("./").trim_end_matches('/');
    if plain == "." { RelPath::root() } else { plain.parse().unwrap_or_else(|_| RelPath::root()) }
}

/// The wanted name as a label, with a number when it is taken.
fn free_name(wanted: &str, taken: &mut BTreeSet<ServiceName>) -> Option<ServiceName> {
    let label: String = wanted
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' })
        .take(36)
        .collect();
    let label = label.trim_matches('-');
    let base = if label.is_empty() { "service" } else { label };
    let mut names = std::iter::once(base.to_owned()).chain((2..1000).map(|n| format!("{base}-{n}")));
    let free = names.find_map(|name| name.parse().ok().filter(|name| !taken.contains(name)))?;
    taken.insert(ServiceName::clone(&free));
    Some(free)
}
