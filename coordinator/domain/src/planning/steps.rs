//! Steps with what is promised about each kind: phase, time-out, what an interruption means, how it is undone.
//!
//! Rule: these promises stand here once, time-outs included.

use hydron_proto::ids::ServiceId;
use hydron_proto::names::ResourceName;
use hydron_proto::plan::{
    Action, ActionKind, Certificate, CertificateIssuer, DockerEngine, GitCheckout, InterruptPolicy, Network,
    Phase, Probe, Route, RoutePath, Step, StepRef, StepRule, Undo, Volume,
};

use super::prepare::Prepared;
use super::sites::Site;

const MAX_BODY_MB: u32 = 64;
const PROBE_TRIES: u16 = 30;

/// The Docker Engine.
pub(super) fn engine() -> Step {
    step("Docker Engine", None, Action::DockerEngine(DockerEngine { install: true }))
}

/// The project's private network.
pub(super) fn network(name: &ResourceName) -> Step {
    step("Private network", None, Action::Network(Network { name: name.clone() }))
}

/// The volumes of a service.
pub(super) fn volumes(prepared: &Prepared<'_>) -> impl Iterator<Item = Step> {
    let service = prepared.service;
    prepared.spec.volumes.iter().map(move |mount| {
        let volume = Volume { name: mount.volume.clone() };
        step(&format!("Volume for {}", service.name), Some(service.id), Action::Volume(volume))
    })
}

/// The source of a service.
pub(super) fn checkout(service: ServiceId, checkout: &GitCheckout) -> Step {
    let short: String = checkout.commit.as_str().chars().take(12).collect();
    step(&format!("Source code at {short}"), Some(service), Action::GitCheckout(checkout.clone()))
}

/// The image of a service.
pub(super) fn build(prepared: &Prepared<'_>) -> Step {
    let title = format!("Build image {}", prepared.service.name);
    step(&title, Some(prepared.service.id), Action::ImageBuild(prepared.build.clone()))
}

/// The release of a service, after releases on other servers.
pub(super) fn release(prepared: &Prepared<'_>, after: Vec<StepRef>) -> Step {
    let title = format!("Release {}", prepared.service.name);
    let step = step(&title, Some(prepared.service.id), Action::Release(prepared.spec.clone()));
    Step { after, downtime_s: prepared.downtime_s, ..step }
}

/// The certificate of a site.
pub(super) fn certificate(site: &Site<'_>) -> Step {
    let certificate = Certificate {
        site: site.name.clone(),
        hosts: vec![site.host.clone()],
        issuer: CertificateIssuer::ServerAuthority,
    };
    step(&format!("Certificate for {}", site.host), None, Action::Certificate(certificate))
}

/// The routes of a site.
pub(super) fn route(site: &Site<'_>) -> Step {
    let path = |(prefix, planned): &(String, &super::PlannedService)| RoutePath {
        prefix: prefix.clone(),
        service: planned.service.id,
        streaming: false,
    };
    let route = Route {
        site: site.name.clone(),
        hosts: vec![site.host.clone()],
        paths: site.paths.iter().map(path).collect(),
        max_body_mb: MAX_BODY_MB,
    };
    step(&format!("Route {}", site.host), None, Action::Route(route))
}

/// One request through the public side for each path of a site.
pub(super) fn probes(site: &Site<'_>) -> impl Iterator<Item = Step> {
    site.paths.iter().map(|(prefix, planned)| {
        let service = &planned.service;
        let health = service.spec.health_path.as_deref().filter(|path| path.starts_with(prefix.as_str()));
        let (path, status_to) = health.map_or((prefix.as_str(), 499), |path| (path, 399));
        let probe = Probe {
            host: site.host.clone(),
            path: path.to_owned(),
            status_from: 200,
            status_to,
            tries: PROBE_TRIES,
        };
        step(
            &format!("Probe {} through the public URL", service.name),
            Some(service.id),
            Action::Probe(probe),
        )
    })
}

/// What later releases must promise about a kind of step: what every plan promises about it.
pub(super) fn rule(kind: ActionKind) -> StepRule {
    let (_, timeout_s, on_interrupt, undo) = promises(kind);
    StepRule { timeout_s, on_interrupt, undo }
}

fn step(title: &str, service: Option<ServiceId>, action: Action) -> Step {
    let (phase, timeout_s, on_interrupt, undo) = promises(action.kind());
    Step {
        title: title.to_owned(),
        phase,
        service,
        risk: action.risk(),
        action,
        timeout_s,
        on_interrupt,
        undo,
        after: Vec::new(),
        guarded: false,
        downtime_s: 0,
    }
}

fn promises(kind: ActionKind) -> (Phase, u32, InterruptPolicy, Undo) {
    use InterruptPolicy::{Ask, CheckThenRerun, Rerun};
    match kind {
        ActionKind::Packages | ActionKind::DockerEngine => {
            (Phase::Provisioning, 900, CheckThenRerun, Undo::None)
        }
        ActionKind::File | ActionKind::Directory | ActionKind::Network | ActionKind::Volume => {
            (Phase::Provisioning, 120, CheckThenRerun, Undo::None)
        }
        ActionKind::GitCheckout => (Phase::Build, 120, CheckThenRerun, Undo::Own),
        ActionKind::ImageBuild => (Phase::Build, 1800, CheckThenRerun, Undo::None),
        ActionKind::ImagePull => (Phase::Build, 900, CheckThenRerun, Undo::None),
        ActionKind::Release => (Phase::Deploy, 600, CheckThenRerun, Undo::Own),
        ActionKind::Route => (Phase::Edge, 120, CheckThenRerun, Undo::Own),
        ActionKind::Certificate => (Phase::Edge, 120, CheckThenRerun, Undo::None),
        ActionKind::Probe => (Phase::PostDeploy, 60, Rerun, Undo::None),
        ActionKind::Shell => (Phase::Provisioning, 600, Ask, Undo::None),
        ActionKind::Operate => (Phase::Deploy, 600, CheckThenRerun, Undo::None),
    }
}
