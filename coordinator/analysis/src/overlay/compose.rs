//! Compose services applied to the drafts: names, commands, ports, environment, databases, order.
//!
//! One rule: a database image is a dependency, a tool is nothing, a build is a service, and a second command on the same
//! build is a second process.

use std::collections::{BTreeMap, BTreeSet};

use hydron_domain::analysis::{EnvSource, Finding, FindingCode, ServiceKind, Severity, VolumeNeed};

use super::compose_file::{Build, ComposeService, read_all, variants};
use super::dockerfiles::{self, Purpose};
use super::images::{self, ImageKind};
use super::process::{self, Process};
use super::{compose_match, compose_matrix, procfile};
use crate::draft::{DockerfileLink, Draft, Found, Stack, edge};
use crate::env::{collect, secret};
use crate::field::At;
use crate::formats::dockerfile::{Dockerfile, exec_form, join};
use crate::formats::{command, dotenv};
use crate::path;
use crate::repo::Repo;

/// A dependency that a compose file offers.
#[derive(Debug, Clone)]
pub(crate) struct Offered {
    pub(crate) host: String,
    pub(crate) kind: String,
    pub(crate) version: Option<String>,
    pub(crate) image: Option<String>,
    pub(crate) at: At,
    /// Some service was seen to use it.
    pub(crate) linked: bool,
    /// Another file of the same rank beside it does without: one way of several.
    pub(crate) choice: bool,
}

/// Applies all compose files; returns the databases they offer.
pub(crate) fn apply(repo: &Repo<'_>, found: &mut Found) -> Vec<Offered> {
    let services = read_all(repo);
    let mut offered: Vec<Offered> = Vec::new();
    let mut applications: Vec<&ComposeService> = Vec::new();
    for service in &services {
        match sort(repo, service) {
            Sorted::Dependency(dependency) => {
                let built =
                    service.build.as_ref().filter(|b| !found.drafts.iter().any(|d| d.dir == b.context));
                if let Some(build) = built {
                    found.reject(
                        &build.context,
                        "compose.not_a_service",
                        "a database: a dependency, not a service",
                    );
                }
                offered.push(dependency);
            }
            Sorted::Application => {
                compose_matrix::note(repo, service);
                applications.push(service);
            }
            Sorted::Nothing(reason) => {
                if let Some(build) = &service.build {
                    found.reject(&build.context, "compose.not_a_service", reason);
                }
            }
        }
    }
    choices(repo, &mut offered);
    let mut taken: BTreeMap<usize, usize> = BTreeMap::new();
    applications.sort_by_key(|s| (rank(s), path::depth(&s.file), s.file.clone()));
    let count = applications.len();
    for service in applications {
        place(repo, found, service, count, &mut taken);
    }
    host_conflicts(repo, &services);
    link(&mut found.drafts, &services, &mut offered);
    offered
}

/// Files that say the same stack with other databases (`compose.postgres.yml`, `compose.mysql.yml`) offer a choice.
fn choices(repo: &Repo<'_>, offered: &mut [Offered]) {
    for dependency in offered.iter_mut() {
        let Some(file) = dependency.at.file.as_deref() else { continue };
        let without = |images: &Vec<String>| {
            let same = |image: &String| matches!(images::judge(image), ImageKind::Dependency { kind, .. } if kind == dependency.kind);
            !images.iter().any(same)
        };
        dependency.choice = variants(repo, file).iter().any(without);
    }
}

enum Sorted {
    Dependency(Offered),
    Application,
    Nothing(&'static str),
}

fn sort(repo: &Repo<'_>, service: &ComposeService) -> Sorted {
    let at = At { file: Some(service.file.clone()), line: service.line };
    let offer = |kind: &str, version: Option<String>, image: Option<&String>| {
        Sorted::Dependency(Offered {
            host: service.name.clone(),
            kind: kind.to_owned(),
            version,
            image: image.cloned(),
            at: at.clone(),
            linked: false,
            choice: false,
        })
    };
    if let Some(build) = &service.build {
        let parsed = repo.read(&build.dockerfile).map(Dockerfile::parse);
        let base = parsed
            .as_ref()
            .and_then(|p| p.base_image(build.target.as_deref()))
            .unwrap_or_default()
            .to_owned();
        if let ImageKind::Dependency { kind, version } = images::judge(&base) {
            return offer(kind, version, None);
        }
        // `mysql: build: ./mysql` with a vendor's image under it: the name says what nothing else does.
        let program = repo.in_dir(&build.context).any(|f| dockerfiles::is_manifest(f.name()));
        if let ImageKind::Dependency { kind, .. } = images::judge(&service.name)
            && !program
        {
            return offer(kind, None, None);
        }
        if !program && service.ports.is_empty() && is_chore(&service.name) {
            return Sorted::Nothing("a compose service that runs once: it seeds, migrates or sets up");
        }
        let dev = parsed
            .as_ref()
            .is_some_and(|p| matches!(dockerfiles::purpose(&build.dockerfile, p), Purpose::Tool));
        if dev || repo.is_support(&service.name) && repo.is_support(&build.context) {
            return Sorted::Nothing("a compose service for tests, load or observability");
        }
        if !service.profiles.is_empty() && (repo.is_support(&service.name) || is_chore(&service.name)) {
            return Sorted::Nothing("a compose service that runs only in a profile");
        }
        return Sorted::Application;
    }
    let Some(image) = &service.image else { return Sorted::Nothing("neither image nor build") };
    match images::judge(image) {
        ImageKind::Dependency { kind, version } => offer(kind, version, Some(image)),
        ImageKind::Tool => Sorted::Nothing("a development or observability tool"),
        ImageKind::Application => Sorted::Application,
    }
}

/// Whether a name says that this runs once: seeding, migrating, setting up.
fn is_chore(name: &str) -> bool {
    path::words(name).any(|w| {
        matches!(
            w.as_str(),
            "seed"
                | "seeder"
                | "migrate"
                | "migration"
                | "migrations"
                | "init"
                | "setup"
                | "bootstrap"
                | "import"
        )
    })
}

/// Web processes first, so that they claim the draft and workers become siblings.
fn rank(service: &ComposeService) -> u8 {
    let text = service.command.as_deref().unwrap_or_default();
    match process::judge(text) {
        Process::Web if service.ports.is_empty() && service.command.is_some() => 2,
        Process::Web => 0,
        Process::Dev if service.ports.is_empty() => 4,
        Process::Dev => 1,
        Process::Dashboard | Process::Worker => 3,
        Process::Job => 5,
    }
}

fn place(
    repo: &Repo<'_>,
    found: &mut Found,
    service: &ComposeService,
    count: usize,
    taken: &mut BTreeMap<usize, usize>,
) {
    let index = match (&service.build, &service.image) {
        (Some(build), _) => match compose_match::by_build(&found.drafts, build, service) {
            Some(index) => Some(index),
            None => new_from_build(repo, found, build),
        },
        (None, Some(image)) => compose_match::by_image(&found.drafts, image, service, count == 1),
        (None, None) => None,
    };
    let Some(index) = index else {
        note_foreign(repo, service);
        return;
    };
    let uses = taken.entry(index).or_insert(0);
    *uses += 1;
    if *uses == 1 {
        if let Some(draft) = found.drafts.get_mut(index) {
            claim(repo, draft, service);
        }
        return;
    }
    // The same service in another file: the first file says what it is, both say whom it calls.
    if let Some(draft) = found.drafts.get_mut(index).filter(|d| d.hosts.contains(&service.name)) {
        draft.composed.insert((service.file.clone(), service.name.clone()));
        return;
    }
    sibling(repo, found, index, service, taken);
}

/// A further process on the same code.
fn sibling(
    repo: &Repo<'_>,
    found: &mut Found,
    index: usize,
    service: &ComposeService,
    taken: &mut BTreeMap<usize, usize>,
) {
    let text = service.command.clone().unwrap_or_default();
    let kind = match process::judge(&text) {
        Process::Worker => ServiceKind::Worker,
        Process::Dashboard => ServiceKind::Web,
        Process::Web if !text.is_empty() && service.ports.is_empty() && !repo.is_support(&service.name) => {
            ServiceKind::Worker
        }
        Process::Web if !text.is_empty() && !repo.is_support(&service.name) => ServiceKind::Web,
        Process::Web | Process::Job | Process::Dev => return,
    };
    let Some(base) = found.drafts.get(index) else { return };
    let dir = base.dir.clone();
    let same = found.drafts.iter().position(|d| {
        d.dir == dir && d.kind == kind && kind == ServiceKind::Worker && procfile::same_tool(d, &text)
    });
    if let Some(known) = same.filter(|i| !taken.contains_key(i)) {
        taken.insert(known, 1);
        if let Some(draft) = found.drafts.get_mut(known) {
            claim(repo, draft, service);
        }
        return;
    }
    let mut draft = base.sibling(&service.name, kind);
    draft.optional = process::judge(&text) == Process::Dashboard || text.contains("beat");
    draft.why.offer(
        "a compose service on the same build",
        0.95,
        "compose.process",
        At { file: Some(service.file.clone()), line: service.line },
    );
    procfile::framework(&mut draft, &text);
    claim(repo, &mut draft, service);
    found.drafts.push(draft);
    taken.insert(found.drafts.len() - 1, 1);
}

/// What a compose service says about its draft.
fn claim(repo: &Repo<'_>, draft: &mut Draft, service: &ComposeService) {
    let at = At { file: Some(service.file.clone()), line: service.line };
    draft.hosts.insert(service.name.clone());
    draft.composed.insert((service.file.clone(), service.name.clone()));
    draft.name.offer(service.name.clone(), 0.93, "compose.name", at.clone());
    let dev = is_dev_stack(service);
    let listens = matches!(draft.stack, Stack::Image) && !service.ports.is_empty();
    let published = listens || service.ports.iter().any(|(host, _)| host.is_some());
    if published
        && draft.kind == ServiceKind::Worker
        && matches!(
            draft.stack,
            Stack::Java(_) | Stack::Go(_) | Stack::Rust(_) | Stack::Dotnet(_) | Stack::Image
        )
    {
        draft.kind = ServiceKind::Web;
    }
    for (_, port) in &service.ports {
        if draft.kind != ServiceKind::Worker || draft.port.is_empty() {
            draft.port.offer(*port, if dev { 0.76 } else { 0.9 }, "compose.port", at.clone());
        }
    }
    if let Some(text) = &service.command {
        let bare = with_entrypoint(repo, service, command::unwrap(text));
        let clean = process::without_dev_switches(&bare);
        let dev = dev || matches!(process::judge(&bare), Process::Dev | Process::Job);
        if let Some(clean) = clean {
            draft.start.offer(clean, 0.86, "compose.command.cleaned", at.clone());
        } else {
            // A developer's command of a second process still says more of it than the image's default does.
            let sure = match (dev, draft.start.is_empty() && draft.kind == ServiceKind::Worker) {
                (false, _) => 0.93,
                (true, true) => 0.91,
                (true, false) => 0.2,
            };
            draft.start.offer(bare, sure, "compose.command", at.clone());
        }
    }
    if let Some(path) = &service.health {
        draft.health.offer(path.clone(), 0.9, "compose.healthcheck", at.clone());
    }
    if let Some(build) = service.build.as_ref().filter(|b| !(dev && b.context != draft.dir)) {
        adopt(repo, draft, build);
    }
    for (name, value) in &service.environment {
        collect::from_compose(draft, name, value.as_deref(), EnvSource::Compose, &at);
        if let Some(value) = value {
            draft.given.insert(name.clone(), value.clone());
        }
    }
    env_files(repo, draft, service);
    for volume in service.volumes.iter().filter_map(|v| v.split_once(':')) {
        let (source, target) = volume;
        let target = target.split(':').next().unwrap_or_default();
        if !source.starts_with(['.', '/', '~', '$']) && target.starts_with('/') {
            draft.volumes.push(VolumeNeed {
                path: target.to_owned(),
                reason: format!("volume {source} of the compose file"),
            });
        }
    }
}

/// A command of one word is an argument of the image's entrypoint, when the image has one.
fn with_entrypoint(repo: &Repo<'_>, service: &ComposeService, command: String) -> String {
    let build = service.build.as_ref().filter(|_| !service.entrypoint && !command.contains(' '));
    let parsed =
        build.and_then(|b| Some((Dockerfile::parse(repo.read(&b.dockerfile)?), b.target.as_deref())));
    let entrypoint =
        parsed.as_ref().and_then(|(file, target)| exec_form(&file.last(*target, "ENTRYPOINT")?.args));
    match entrypoint {
        Some(words) => format!("{} {command}", command::unwrap(&join(&words))).trim().to_owned(),
        None => command,
    }
}

/// Variables in the files that a service names; a secret's value is not kept.
fn env_files(repo: &Repo<'_>, draft: &mut Draft, service: &ComposeService) {
    for file in &service.env_files {
        for one in repo.read(file).map(dotenv::parse).unwrap_or_default() {
            if one.commented {
                continue;
            }
            let at = At::line(file, one.line);
            let shown = (!secret::is_placeholder(&one.value)).then_some(one.value.as_str());
            collect::from_compose(draft, &one.name, shown, EnvSource::Compose, &at);
            draft.given.entry(one.name).or_insert(one.value);
        }
    }
}

/// Whether a compose service is a developer's stack: it mounts the code into the container, or builds a development stage.
fn is_dev_stack(service: &ComposeService) -> bool {
    let mounts = service.volumes.iter().any(|v| {
        let source = v.split(':').next().unwrap_or_default();
        matches!(source, "." | "./" | ".." | "../") || (source.starts_with("./") && source.ends_with("src"))
    });
    let stage = service
        .build
        .as_ref()
        .and_then(|b| b.target.as_deref())
        .is_some_and(|t| path::words(t).any(|w| matches!(w.as_str(), "dev" | "development")));
    mounts || stage
}

/// Links the declared Dockerfile, and widens the draft to its context where nothing else lives there.
fn adopt(repo: &Repo<'_>, draft: &mut Draft, build: &Build) {
    if repo.has(&build.dockerfile) {
        let parsed = repo.read(&build.dockerfile).map(Dockerfile::parse).unwrap_or_default();
        let runs = parsed.start(build.target.as_deref()).is_some();
        if !runs
            && path::base(&build.dockerfile) != "Dockerfile"
            && repo.has(&path::join(&build.context, "Dockerfile"))
        {
            return;
        }
        if dockerfiles::purpose(&build.dockerfile, &parsed) == Purpose::App {
            draft.dockerfile = Some(DockerfileLink {
                path: build.dockerfile.clone(),
                context: build.context.clone(),
                target: build.target.clone().filter(|t| {
                    !path::words(t).any(|w| matches!(w.as_str(), "dev" | "development" | "debug" | "test"))
                }),
                declared: true,
                args: build.args.clone(),
            });
        }
    }
}

fn new_from_build(repo: &Repo<'_>, found: &mut Found, build: &Build) -> Option<usize> {
    let parsed = repo.read(&build.dockerfile).map(Dockerfile::parse)?;
    if dockerfiles::purpose(&build.dockerfile, &parsed) != Purpose::App {
        return None;
    }
    // A file in a directory of its own, built from a wider one, describes what lies beside it.
    let own = path::parent(&build.dockerfile);
    let place = if own != build.context && path::within(own, &build.context) { own } else { &build.context };
    if dockerfiles::is_for_devices(found, place) {
        return None;
    }
    let inside = found.drafts.iter().any(|d| path::within(&d.dir, place) && d.dir != place);
    let recipes =
        !found.drafts.is_empty() && place.split('/').any(|p| dockerfiles::RECIPE_PARTS.contains(&p));
    if inside || recipes || repo.is_support(place) {
        return None;
    }
    let draft = dockerfiles::image_draft(repo, place, &build.dockerfile, &parsed);
    found.drafts.push(draft);
    Some(found.drafts.len() - 1)
}

fn note_foreign(repo: &Repo<'_>, service: &ComposeService) {
    let Some(image) = &service.image else { return };
    repo.note(Finding {
        severity: Severity::Info,
        code: FindingCode::ComposeUnsupported,
        service: None,
        message: format!(
            "compose service {} runs the published image {image}, which is not built from this repository",
            service.name
        ),
        advice: "Add it as a Docker image service if the product needs it.".to_owned(),
        file: Some(service.file.clone()),
        line: service.line,
    });
}

fn host_conflicts(repo: &Repo<'_>, services: &[ComposeService]) {
    let mut seen: BTreeMap<(&str, u16), &str> = BTreeMap::new();
    for service in services {
        for port in service.ports.iter().filter_map(|(host, _)| *host) {
            let held = seen.entry((&service.file, port)).or_insert(&service.name);
            if *held != service.name {
                repo.note(Finding {
                    severity: Severity::Warning,
                    code: FindingCode::PortConflict,
                    service: Some(service.name.clone()),
                    message: format!("{} and {held} both publish host port {port}", service.name),
                    advice: "Hydron does not publish container ports, so both can run; check which one should have the public name.".to_owned(),
                    file: Some(service.file.clone()),
                    line: service.line,
                });
            }
        }
    }
}

/// Dependencies and service-to-service edges from `depends_on` and from environment values that name a host.
fn link(drafts: &mut [Draft], services: &[ComposeService], offered: &mut [Offered]) {
    let known: BTreeSet<(String, String)> = drafts.iter().flat_map(|d| d.composed.iter().cloned()).collect();
    for draft in drafts.iter_mut() {
        let own = draft.composed.clone();
        for service in services.iter().filter(|s| own.contains(&(s.file.clone(), s.name.clone()))) {
            let at = At { file: Some(service.file.clone()), line: service.line };
            for dependency in offered.iter_mut().filter(|d| d.at.file == at.file) {
                let declared = service.depends_on.contains(&dependency.host);
                let named = service.environment.values().flatten().any(|v| names_host(v, &dependency.host));
                if !(declared || named) {
                    continue;
                }
                dependency.linked = true;
                let need = draft.need(&dependency.kind);
                need.required = true;
                need.alternative |= dependency.choice;
                need.version.clone_from(&dependency.version);
                need.image.clone_from(&dependency.image);
                need.reasons.offer(
                    format!("compose service {}", dependency.host),
                    0.92,
                    "compose.depends_on",
                    at.clone(),
                );
            }
            for other in &service.depends_on {
                let other = (service.file.clone(), other.clone());
                if known.contains(&other) && !own.contains(&other) {
                    draft.depends_on.insert(edge(&other.0, &other.1), at.clone());
                }
            }
        }
    }
}

/// Whether a value (a URL, `host:port`, or a bare host) points at a host.
pub(crate) fn names_host(value: &str, host: &str) -> bool {
    !host.is_empty() && value.match_indices(host).any(|(at, _)| stands_as_host(value, host, at))
}

fn stands_as_host(value: &str, host: &str, at: usize) -> bool {
    let (before, rest) = value.split_at(at);
    let after = rest.strip_prefix(host).unwrap_or_default();
    let start =
        before.is_empty() || before.ends_with(['/', '@', ',', '=', '-', '{', ':']) && !before.ends_with("{:");
    let end = after.is_empty() || after.starts_with([':', '/', ',', '?', '}']);
    start && end && (before.is_empty() || before.contains("://") || before.ends_with(['@', ',', '=', '-']))
}
