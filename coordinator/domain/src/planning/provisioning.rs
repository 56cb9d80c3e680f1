//! The plans of a deployment: the infrastructure document and one provisioning plan a server.
//!
//! Rule: a service that already serves exactly this content gets no steps, but keeps its mandate.

use std::collections::BTreeMap;

use hydron_proto::ids::{ReleaseId, ServerId};
use hydron_proto::names::{Hostname, ServiceName};
use hydron_proto::plan::{
    PLAN_VERSION, PlanDocument, PlanKind, ReleaseOrder, RepairBounds, Risk, Step, StepRef,
};

use super::prepare::{Model, Prepared, prepare};
use super::{AnnouncedRelease, Blueprint, Planning, PlanningError, steps};
use crate::infrastructure::{Downtime, InfrastructureDocument, PlacedService, PlannedServer};

/// Makes a deployment's plans.
pub fn plan(
    planning: &Planning<'_>,
    new_release: &mut dyn FnMut() -> ReleaseId,
) -> Result<Blueprint, PlanningError> {
    let model = prepare(planning, new_release)?;
    let provisioning = documents(planning, &model)?;
    let risk = provisioning.iter().map(crate::provisioning::risk).max().unwrap_or(Risk::R0);
    let infrastructure = infrastructure(planning, &model, risk);
    let releases = announced(&model);
    Ok(Blueprint { infrastructure, provisioning, generated: model.generated, releases })
}

/// The releases that changed services will have.
pub(super) fn announced(model: &Model<'_>) -> Vec<AnnouncedRelease> {
    let changed = model.services.iter().filter(|prepared| prepared.changed);
    changed
        .map(|prepared| AnnouncedRelease {
            id: prepared.spec.release,
            service: prepared.service.id,
            server: prepared.server,
            commit: prepared.checkout.as_ref().map(|checkout| checkout.commit.to_string()),
            fingerprint: prepared.fingerprint.clone(),
        })
        .collect()
}

fn documents(planning: &Planning<'_>, model: &Model<'_>) -> Result<Vec<PlanDocument>, PlanningError> {
    let mut by_server: BTreeMap<ServerId, Vec<Step>> = BTreeMap::new();
    for prepared in &model.services {
        let steps = by_server
            .entry(prepared.server)
            .or_insert_with(|| vec![steps::engine(), steps::network(&model.network)]);
        steps.extend(steps::volumes(prepared));
    }
    build_and_release(&mut by_server, model.services.iter().filter(|prepared| prepared.changed));
    for site in &model.sites {
        by_server.entry(site.server).or_default().extend([steps::certificate(site), steps::route(site)]);
    }
    for site in &model.sites {
        by_server.entry(site.server).or_default().extend(steps::probes(site));
    }
    let documents = by_server.into_iter().map(|(server, steps)| {
        let mandates = model.services.iter().filter(|prepared| prepared.server == server);
        let document = PlanDocument {
            version: PLAN_VERSION,
            kind: PlanKind::Provisioning,
            team: planning.team,
            project: planning.project.id,
            server,
            steps,
            mandates: mandates.map(|prepared| prepared.mandate.clone()).collect(),
            repair: RepairBounds { per_step: 0, per_run: 0 },
        };
        document.to_bytes().map_err(|error| PlanningError::Document(error.to_string()))?;
        Ok(document)
    });
    documents.collect()
}

/// Builds first, then releases in start order; a release waits for those on other servers that it depends on.
pub(super) fn build_and_release<'m>(
    by_server: &mut BTreeMap<ServerId, Vec<Step>>,
    services: impl Iterator<Item = &'m Prepared<'m>> + Clone,
) {
    let mut checkouts = Vec::new();
    for prepared in services.clone() {
        let steps = by_server.entry(prepared.server).or_default();
        if let Some(checkout) = &prepared.checkout {
            let known = (prepared.server, checkout.checkout.clone());
            if !checkouts.contains(&known) {
                checkouts.push(known);
                steps.push(steps::checkout(prepared.service.id, checkout));
            }
        }
    }
    for prepared in services.clone() {
        by_server.entry(prepared.server).or_default().push(steps::build(prepared));
    }
    let mut released: BTreeMap<&ServiceName, StepRef> = BTreeMap::new();
    for prepared in services {
        let steps = by_server.entry(prepared.server).or_default();
        let needs = prepared.service.spec.depends_on.iter().filter_map(|name| released.get(name).copied());
        let after = needs.filter(|step| step.server != prepared.server).collect();
        let index = u32::try_from(steps.len()).unwrap_or(u32::MAX);
        released.insert(&prepared.service.name, StepRef { server: prepared.server, step: index });
        steps.push(steps::release(prepared, after));
    }
}

fn infrastructure(planning: &Planning<'_>, model: &Model<'_>, risk: Risk) -> InfrastructureDocument {
    let mut servers = Vec::new();
    for facts in planning.servers {
        let here = model.services.iter().filter(|prepared| prepared.server == facts.id);
        let services: Vec<PlacedService> = here
            .map(|prepared| PlacedService {
                service_id: prepared.service.id,
                name: prepared.service.name.clone(),
                reason: model
                    .placements
                    .get(&prepared.service.id)
                    .map(|p| p.reason.clone())
                    .unwrap_or_default(),
            })
            .collect();
        if services.is_empty() {
            continue;
        }
        let reason = format!(
            "{} of {} services fit here: {} processors, {} MiB of memory",
            services.len(),
            model.services.len(),
            facts.cpus,
            facts.memory_mb
        );
        servers.push(PlannedServer { server_id: facts.id, name: facts.name.clone(), services, reason });
    }
    let mut warnings = model.warnings.clone();
    let offline = planning
        .servers
        .iter()
        .filter(|facts| !facts.online && servers.iter().any(|s| s.server_id == facts.id));
    warnings.extend(
        offline.map(|facts| format!("server {} is offline; the run starts when it is back", facts.name)),
    );
    InfrastructureDocument {
        version: InfrastructureDocument::VERSION,
        url: model.sites.first().map(|site| url(planning, site.server, &site.host)),
        servers,
        downtime: model.services.iter().map(downtime).collect(),
        risk,
        warnings,
    }
}

/// Where a host of a server answers, its port included when it is not the usual one.
fn url(planning: &Planning<'_>, server: ServerId, host: &Hostname) -> String {
    let port = planning.servers.iter().find(|facts| facts.id == server).map_or(443, |facts| facts.https_port);
    if port == 443 { format!("https://{host}") } else { format!("https://{host}:{port}") }
}

fn downtime(prepared: &Prepared<'_>) -> Downtime {
    let reason = match (prepared.changed, prepared.spec.order, prepared.downtime_s) {
        (false, _, _) => "nothing changed; it keeps running",
        (true, ReleaseOrder::StartFirst, _) => "the new one is healthy before the old one stops",
        (true, ReleaseOrder::StopFirst, 0) => {
            "first start; later changes stop it first, because it is one replica with a volume"
        }
        (true, ReleaseOrder::StopFirst, _) => {
            "one replica with a volume: the old one stops before the new one starts"
        }
    };
    Downtime {
        service: prepared.service.name.clone(),
        seconds: prepared.downtime_s,
        reason: reason.to_owned(),
    }
}
