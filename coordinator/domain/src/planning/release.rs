//! Release plans: what a redeploy does inside the mandates of an approved plan.
//!
//! Rule: only what changed is built and swapped; the probes are asked every time. Whether it stays inside is judged by
//! `hydron_proto::plan::admit_release`, the same function that the executor asks.

use std::collections::{BTreeMap, BTreeSet};

use hydron_proto::ids::{ReleaseId, ServerId, ServiceId};
use hydron_proto::names::ServiceName;
use hydron_proto::plan::{PLAN_VERSION, PlanDocument, PlanKind, RepairBounds, Step};

use super::prepare::prepare;
use super::provisioning::build_and_release;
use super::{AnnouncedRelease, GeneratedSecret, Planning, PlanningError, steps};

/// The plans of a redeploy.
#[derive(Debug, Clone, PartialEq)]
pub struct ReleasePlans {
    /// One a server that has something to do.
    pub plans: Vec<PlanDocument>,
    /// Releases that the plans announce.
    pub releases: Vec<AnnouncedRelease>,
    /// Secrets that would have to be made first: outside every mandate.
    pub generated: Vec<GeneratedSecret>,
    /// Services that change.
    pub changed: Vec<ServiceName>,
}

/// Plans a redeploy of what changed, or of `only` those services among them.
pub fn release_plans(
    planning: &Planning<'_>,
    only: Option<&BTreeSet<ServiceId>>,
    new_release: &mut dyn FnMut() -> ReleaseId,
) -> Result<ReleasePlans, PlanningError> {
    let mut model = prepare(planning, new_release)?;
    for prepared in &mut model.services {
        prepared.changed &= only.is_none_or(|only| only.contains(&prepared.service.id));
    }
    let changed = || model.services.iter().filter(|prepared| prepared.changed);
    let mut by_server: BTreeMap<ServerId, Vec<Step>> = BTreeMap::new();
    build_and_release(&mut by_server, changed());
    for site in &model.sites {
        by_server.entry(site.server).or_default().extend(steps::probes(site));
    }
    let document = |(server, steps): (ServerId, Vec<Step>)| PlanDocument {
        version: PLAN_VERSION,
        kind: PlanKind::Release,
        team: planning.team,
        project: planning.project.id,
        server,
        steps,
        mandates: Vec::new(),
        repair: RepairBounds { per_step: 0, per_run: 0 },
    };
    let names: Vec<ServiceName> = changed().map(|prepared| prepared.service.name.clone()).collect();
    let releases = super::provisioning::announced(&model);
    Ok(ReleasePlans {
        plans: by_server.into_iter().filter(|(_, steps)| !steps.is_empty()).map(document).collect(),
        releases,
        changed: names,
        generated: model.generated,
    })
}
