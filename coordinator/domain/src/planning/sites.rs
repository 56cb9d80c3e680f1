//! Which host and path leads to which service.
//!
//! Rule: the front end has the project's own host; a back end whose routes share a prefix joins it there, so that
//! browsers see one origin; every other public service has a host of its own.

use std::collections::BTreeMap;

use hydron_proto::ids::{ServerId, ServiceId};
use hydron_proto::names::{Hostname, ResourceName};

use super::names::{self, service_host};
use super::{Placement, PlannedService, Planning, PlanningError};
use crate::service::ServiceKind;

/// One site of a server's proxy.
#[derive(Debug, Clone)]
pub(super) struct Site<'a> {
    pub(super) server: ServerId,
    pub(super) name: ResourceName,
    pub(super) host: Hostname,
    /// Prefix and service; the first is what the host is for.
    pub(super) paths: Vec<(String, &'a PlannedService)>,
}

/// Every site of the project; the project's own host first.
pub(super) fn sites<'a>(
    planning: &Planning<'a>,
    placements: &BTreeMap<ServiceId, Placement>,
) -> Result<Vec<Site<'a>>, PlanningError> {
    let public: Vec<&PlannedService> =
        planning.services.iter().filter(|planned| planned.service.is_public()).collect();
    let Some(front) = front(&public) else { return Ok(Vec::new()) };
    let server_of = |planned: &PlannedService| placements.get(&planned.service.id).map(|p| p.server);
    let Some(server) = server_of(front) else { return Ok(Vec::new()) };
    let mut main = Site {
        server,
        name: names::site(planning.project.id, None)?,
        host: planning.project.host.clone(),
        paths: vec![("/".to_owned(), front)],
    };
    let mut others = Vec::new();
    for planned in public {
        if planned.service.id == front.service.id {
            continue;
        }
        let Some(at) = server_of(planned) else { continue };
        match shared_prefix(planned) {
            Some(prefix) if at == server && !main.paths.iter().any(|(taken, _)| *taken == prefix) => {
                main.paths.push((prefix, planned));
            }
            Some(_) | None => others.push(Site {
                server: at,
                name: names::site(planning.project.id, Some(&planned.service.name))?,
                host: service_host(&planned.service, &planning.project.slug, planning.zone)
                    .map_err(|error| PlanningError::Name(error.to_string()))?,
                paths: vec![("/".to_owned(), planned)],
            }),
        }
    }
    let mut sites = vec![main];
    sites.append(&mut others);
    Ok(sites)
}

/// The hosts under which a service answers.
pub(super) fn hosts_of<'s>(sites: &'s [Site<'_>], service: ServiceId) -> impl Iterator<Item = &'s Hostname> {
    sites
        .iter()
        .filter(move |site| site.paths.iter().any(|(_, planned)| planned.service.id == service))
        .map(|site| &site.host)
}

/// Files before programs; then whoever no other public service waits for; then the usual names.
fn front<'a>(public: &[&'a PlannedService]) -> Option<&'a PlannedService> {
    let rank = |planned: &PlannedService| {
        let service = &planned.service;
        let needed = public.iter().any(|other| other.service.spec.depends_on.contains(&service.name));
        let usual = ["web", "frontend", "front", "app", "site", "client", "ui", "www"];
        let place = usual.iter().position(|name| *name == service.name.as_str()).unwrap_or(usual.len());
        (
            service.spec.kind != ServiceKind::Static,
            shared_prefix(planned).is_some(),
            needed,
            place,
            service.name.clone(),
        )
    };
    public.iter().min_by_key(|planned| rank(planned)).copied()
}

fn shared_prefix(planned: &PlannedService) -> Option<String> {
    let prefix = planned.service.spec.route_prefix.as_deref()?.trim_end_matches('/');
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./~".contains(&b);
    (prefix.starts_with('/') && prefix.bytes().all(plain)).then(|| prefix.to_owned())
}
