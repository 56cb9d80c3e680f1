//! The bounds that a provisioning plan gives to later releases of a service.
//!
//! Rule: exactly what this plan does, plus the variables that the code is known to read; nothing else.

use std::collections::{BTreeMap, BTreeSet};

use hydron_proto::names::{EnvName, Hostname, ImageRef, SecretName};
use hydron_proto::plan::{
    Action, ActionKind, Dockerfile, DockerfileRule, EnvVar, GitCheckout, ImageBuild, Mandate, PlanDocument,
    ReleaseSpec, SourceRule,
};

use super::steps;
use crate::service::Service;

/// How long releases need no new approval: half a year.
const VALID_MS: i64 = 183 * 24 * 60 * 60 * 1000;

/// The mandate of one service.
pub(super) fn mandate(
    service: &Service,
    image: ImageRef,
    checkout: Option<&GitCheckout>,
    build: &ImageBuild,
    spec: &ReleaseSpec,
    hosts: BTreeSet<Hostname>,
    now_unix_ms: i64,
) -> Mandate {
    let mut kinds = BTreeSet::from([ActionKind::ImageBuild, ActionKind::Release]);
    if checkout.is_some() {
        kinds.insert(ActionKind::GitCheckout);
    }
    if !hosts.is_empty() {
        kinds.insert(ActionKind::Probe);
    }
    let mut mandate = Mandate {
        service: service.id,
        name: service.name.clone(),
        source: source(checkout, build),
        image,
        build_memory_mb: build.memory_mb,
        kinds: kinds.into_iter().map(|kind| (kind, steps::rule(kind))).collect::<BTreeMap<_, _>>(),
        networks: BTreeSet::new(),
        volumes: Vec::new(),
        ports: BTreeSet::new(),
        hosts,
        env: service.spec.env.iter().filter_map(|need| need.name.parse::<EnvName>().ok()).collect(),
        secrets: service
            .spec
            .env
            .iter()
            .filter(|need| need.secret)
            .filter_map(|need| known_secret(service, &need.name))
            .collect(),
        command: None,
        pre_deploy: None,
        limits: spec.limits,
        health: spec.health.clone(),
        order: spec.order,
        bake_s: spec.bake_s,
        drain_s: spec.drain_s,
        stop_grace_s: spec.stop_grace_s,
        valid_until_unix_ms: now_unix_ms.saturating_add(VALID_MS),
    };
    cover(&mut mandate, spec);
    mandate
}

/// Makes the mandates agree with edited steps of the same plan.
pub(super) fn follow_steps(plan: &mut PlanDocument) {
    let steps = plan.steps.clone();
    for mandate in &mut plan.mandates {
        let own =
            || steps.iter().filter(|step| step.service == Some(mandate.service)).map(|step| &step.action);
        let checkout = steps.iter().find_map(|step| {
            if let Action::GitCheckout(checkout) = &step.action { Some(checkout) } else { None }
        });
        let build =
            own().find_map(|action| if let Action::ImageBuild(build) = action { Some(build) } else { None });
        let spec =
            own().find_map(|action| if let Action::Release(spec) = action { Some(spec) } else { None });
        if let Some(build) = build {
            mandate.source = source(checkout.filter(|_| build.checkout.is_some()), build);
            mandate.build_memory_mb = build.memory_mb;
        }
        if let Some(spec) = spec {
            mandate.volumes.clear();
            mandate.ports.clear();
            mandate.networks.clear();
            cover(mandate, spec);
        }
    }
}

fn cover(mandate: &mut Mandate, spec: &ReleaseSpec) {
    mandate.networks.insert(spec.network.clone());
    mandate.volumes.clone_from(&spec.volumes);
    mandate.ports.extend(spec.port);
    mandate.env.extend(spec.env.iter().map(|var| var.name.clone()));
    mandate.secrets.extend(spec.env.iter().flat_map(EnvVar::secrets).map(|secret| secret.name.clone()));
    mandate.command.clone_from(&spec.command);
    mandate.pre_deploy.clone_from(&spec.pre_deploy);
    mandate.limits = spec.limits;
    mandate.health.clone_from(&spec.health);
    mandate.order = spec.order;
    mandate.bake_s = spec.bake_s;
    mandate.drain_s = spec.drain_s;
    mandate.stop_grace_s = spec.stop_grace_s;
}

fn source(checkout: Option<&GitCheckout>, build: &ImageBuild) -> SourceRule {
    let dockerfile = match &build.dockerfile {
        Dockerfile::Repository { path } => DockerfileRule::Repository { path: path.clone() },
        Dockerfile::Inline { content } => DockerfileRule::Inline { content: content.clone() },
    };
    match checkout {
        Some(checkout) => SourceRule::Git {
            url: checkout.url.clone(),
            reference: checkout.reference.clone(),
            context: build.context.clone(),
            dockerfile,
        },
        None => SourceRule::Dockerfile { dockerfile },
    }
}

fn known_secret(service: &Service, variable: &str) -> Option<SecretName> {
    crate::env::secret_name(service.id, variable)
}
