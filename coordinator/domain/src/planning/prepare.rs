//! One service made ready for a plan: its source, its image, its release, what changed since the live one.
//!
//! Rule: provisioning plans and release plans are put together from exactly the same parts.

use std::collections::{BTreeMap, BTreeSet};

use hydron_proto::ids::{ReleaseId, ServerId, ServiceId};
use hydron_proto::names::{AbsolutePath, RelPath, ResourceName};
use hydron_proto::plan::{
    Dockerfile, EnvVar, GitCheckout, Health, HealthKind, ImageBuild, Limits, Mandate, ReleaseImage,
    ReleaseOrder, ReleaseSpec, VolumeMount,
};

use super::environment::{environment, missing};
use super::fingerprint::recipe;
use super::order::start_order;
use super::placement::place;
use super::sites::{Site, hosts_of, sites};
use super::{
    Fingerprint, GeneratedSecret, Placement, PlannedService, Planning, PlanningError, dependency, mandates,
    names,
};
use crate::service::{DockerfileOrigin, Service, ServiceKind, split_command};

/// Memory of a build: the classic builder takes at most 2047 MiB.
const BUILD_MEMORY_MB: u32 = 2047;
/// Declared interruption when a service with a volume is replaced, seconds.
const STOP_FIRST_DOWNTIME_S: u32 = 30;

/// A service ready to be put into a plan.
#[derive(Debug)]
pub(super) struct Prepared<'a> {
    pub(super) service: &'a Service,
    pub(super) server: ServerId,
    pub(super) checkout: Option<GitCheckout>,
    pub(super) build: ImageBuild,
    pub(super) spec: ReleaseSpec,
    pub(super) mandate: Mandate,
    pub(super) fingerprint: Fingerprint,
    /// Whether what serves now differs.
    pub(super) changed: bool,
    pub(super) downtime_s: u32,
}

/// Everything that the kinds of plans share.
#[derive(Debug)]
pub(super) struct Model<'a> {
    /// In start order.
    pub(super) services: Vec<Prepared<'a>>,
    pub(super) placements: BTreeMap<ServiceId, Placement>,
    pub(super) sites: Vec<Site<'a>>,
    pub(super) network: ResourceName,
    pub(super) generated: Vec<GeneratedSecret>,
    pub(super) warnings: Vec<String>,
}

/// Prepares every accepted service.
pub(super) fn prepare<'a>(
    planning: &Planning<'a>,
    new_release: &mut dyn FnMut() -> ReleaseId,
) -> Result<Model<'a>, PlanningError> {
    if planning.services.is_empty() {
        return Err(PlanningError::NoServices);
    }
    let placements = place(planning)?;
    let sites = sites(planning, &placements)?;
    let order = start_order(planning.services);
    let mut model = Model {
        services: Vec::new(),
        placements,
        sites,
        network: names::network(planning.project.id)?,
        generated: Vec::new(),
        warnings: Vec::new(),
    };
    model.warnings.extend(
        order
            .circles
            .iter()
            .map(|name| format!("{name} waits for a service that waits for it; it is started first")),
    );
    for planned in order.services {
        let prepared = one(planning, planned, &mut model, new_release())?;
        model.services.push(prepared);
    }
    model.generated.sort_by(|a, b| a.secret.cmp(&b.secret));
    model.generated.dedup();
    Ok(model)
}

fn one<'a>(
    planning: &Planning<'a>,
    planned: &'a PlannedService,
    model: &mut Model<'a>,
    release: ReleaseId,
) -> Result<Prepared<'a>, PlanningError> {
    let service = &planned.service;
    let server =
        model.placements.get(&service.id).map(|placement| placement.server).ok_or(PlanningError::NoServer)?;
    let checkout = checkout(planning, service)?;
    let build = build(planning, service, checkout.as_ref())?;
    let spec = spec(planning, planned, model, &build, release)?;
    let tree_hash = service.spec.source.as_ref().map_or("", |source| source.tree_hash.as_str());
    let fingerprint = Fingerprint::of(tree_hash, &build, &spec);
    let live = planning.live.get(&service.id);
    let changed =
        live.is_none_or(|live| live.server != server || live.fingerprint.as_ref() != Some(&fingerprint));
    let hosts: BTreeSet<_> = hosts_of(&model.sites, service.id).cloned().collect();
    let image = names::image(planning.project.id, &service.name)?;
    let mandate =
        mandates::mandate(service, image, checkout.as_ref(), &build, &spec, hosts, planning.now_unix_ms);
    let downtime_s = match spec.order {
        ReleaseOrder::StopFirst if changed && live.is_some() => STOP_FIRST_DOWNTIME_S,
        ReleaseOrder::StopFirst | ReleaseOrder::StartFirst => 0,
    };
    Ok(Prepared { service, server, checkout, build, spec, mandate, fingerprint, changed, downtime_s })
}

fn checkout(planning: &Planning<'_>, service: &Service) -> Result<Option<GitCheckout>, PlanningError> {
    let Some(source) = &service.spec.source else { return Ok(None) };
    Ok(Some(GitCheckout {
        url: source.url.clone(),
        reference: source.reference.clone(),
        commit: source.commit.clone(),
        credential: None,
        checkout: names::checkout(planning.project.id, source.commit.as_str())?,
    }))
}

fn build(
    planning: &Planning<'_>,
    service: &Service,
    checkout: Option<&GitCheckout>,
) -> Result<ImageBuild, PlanningError> {
    let commit = checkout.map(|checkout| checkout.commit.as_str());
    let mut build = ImageBuild {
        service: service.name.clone(),
        checkout: checkout.map(|checkout| checkout.checkout.clone()),
        context: service.spec.context.clone(),
        dockerfile: dockerfile(service)?,
        args: Vec::new(),
        tag: names::tag(planning.project.id, &service.name, commit, "recipe00")?,
        memory_mb: BUILD_MEMORY_MB,
    };
    build.tag = names::tag(planning.project.id, &service.name, commit, &recipe(&build))?;
    Ok(build)
}

fn dockerfile(service: &Service) -> Result<Dockerfile, PlanningError> {
    let known = &service.spec.dockerfile;
    match (known.origin, &known.path, &known.content) {
        (DockerfileOrigin::Repository, Some(path), _) => {
            let path: RelPath = path.parse().map_err(|error| {
                PlanningError::Name(format!("the Dockerfile of {}: {error}", service.name))
            })?;
            Ok(Dockerfile::Repository { path })
        }
        (_, _, Some(content)) => Ok(Dockerfile::Inline { content: content.clone() }),
        (_, _, None) => {
            Err(PlanningError::Name(format!("{} has no Dockerfile; write one first", service.name)))
        }
    }
}

fn spec(
    planning: &Planning<'_>,
    planned: &PlannedService,
    model: &mut Model<'_>,
    build: &ImageBuild,
    release: ReleaseId,
) -> Result<ReleaseSpec, PlanningError> {
    let service = &planned.service;
    let resolved = environment(planned, planning.services, planning.secrets);
    let unset = missing(service, &resolved);
    if !unset.is_empty() {
        model.warnings.push(format!(
            "{} has no value for {}; set it if the service needs it",
            service.name,
            unset.join(", ")
        ));
    }
    model.generated.extend(resolved.iter().filter_map(|var| var.generate.clone()));
    let volumes = volumes(planning, service)?;
    let is_dependency = service.spec.kind == ServiceKind::Dependency;
    Ok(ReleaseSpec {
        service: service.id,
        name: service.name.clone(),
        release,
        image: ReleaseImage::Built { tag: build.tag.clone() },
        command: command(service),
        env: resolved.into_iter().map(|resolved| resolved.var).collect::<Vec<EnvVar>>(),
        port: match service.spec.kind {
            ServiceKind::Worker => None,
            ServiceKind::Web | ServiceKind::Static | ServiceKind::Dependency => service.spec.port,
        },
        network: model.network.clone(),
        order: if volumes.is_empty() { ReleaseOrder::StartFirst } else { ReleaseOrder::StopFirst },
        volumes,
        limits: Limits {
            memory_mb: if service.spec.kind == ServiceKind::Static { 256 } else { 512 },
            cpu_milli: 1000,
            pids: 512,
        },
        health: health(service),
        pre_deploy: pre_deploy(service, model),
        bake_s: if is_dependency { 0 } else { 3 },
        drain_s: 30,
        stop_grace_s: if is_dependency { 30 } else { 10 },
    })
}

fn volumes(planning: &Planning<'_>, service: &Service) -> Result<Vec<VolumeMount>, PlanningError> {
    let data = service.spec.dependency.as_ref().and_then(|choice| dependency::entry(&choice.kind));
    let paths: Vec<&str> = match data {
        Some(entry) => vec![entry.data],
        None => service.spec.volumes.iter().map(|need| need.path.as_str()).collect(),
    };
    let mut mounts = Vec::new();
    for (number, path) in paths.into_iter().enumerate() {
        let Ok(path) = path.parse::<AbsolutePath>() else { continue };
        let part = if number == 0 { "data".to_owned() } else { format!("data{}", number + 1) };
        mounts.push(VolumeMount { volume: names::volume(planning.project.id, &service.name, &part)?, path });
    }
    Ok(mounts)
}

/// The image's own command, unless a person wrote another one.
fn command(service: &Service) -> Option<Vec<String>> {
    let edited = service.spec.edited.contains("start");
    let text = service.spec.start.as_ref().filter(|_| edited)?;
    split_command(text).ok().filter(|words| !words.is_empty())
}

fn pre_deploy(service: &Service, model: &mut Model<'_>) -> Option<Vec<String>> {
    let text = service.spec.release.as_ref()?;
    match split_command(text) {
        Ok(words) => Some(words).filter(|words| !words.is_empty()),
        Err(problem) => {
            model
                .warnings
                .push(format!("the release command of {} ({text}) {problem}; it is left out", service.name));
            None
        }
    }
}

/// Whether a release may hang on this path: a person wrote it, or the code shows it. A weak guess is not asked.
fn trusted(service: &Service, path: &str) -> bool {
    const WEAK: f32 = 0.55;
    let mut guesses =
        service.spec.evidence.iter().filter(|one| one.chosen && one.field == "health" && one.value == path);
    service.spec.edited.contains("health_path") || guesses.all(|one| one.confidence >= WEAK)
}

fn health(service: &Service) -> Health {
    let check = match (service.spec.kind, service.spec.port, &service.spec.health_path) {
        (ServiceKind::Web | ServiceKind::Static, Some(_), Some(path))
            if path.starts_with('/') && trusted(service, path) =>
        {
            HealthKind::Http { path: path.clone() }
        }
        (ServiceKind::Static, Some(_), _) => HealthKind::Http { path: "/".to_owned() },
        // A port that accepts is not yet a site that works: without this, a release that only fails would get traffic.
        (ServiceKind::Web, Some(_), _) => {
            HealthKind::Answers { path: service.spec.route_prefix.clone().unwrap_or_else(|| "/".to_owned()) }
        }
        (ServiceKind::Dependency, Some(_), _) => HealthKind::Tcp {},
        (ServiceKind::Worker, _, _) | (_, None, _) => HealthKind::Running {},
    };
    match service.spec.kind {
        ServiceKind::Dependency => Health { check, successes: 2, interval_ms: 500, deadline_s: 180 },
        ServiceKind::Web | ServiceKind::Static | ServiceKind::Worker => {
            Health { check, successes: 3, interval_ms: 1000, deadline_s: 120 }
        }
    }
}
