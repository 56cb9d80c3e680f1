//! Which service runs on which server, with a reason for each choice.
//!
//! Rule: the private network of a project ends at its server, so a service lives beside its database; data stays where it is.

use std::collections::{BTreeMap, BTreeSet};

use hydron_proto::ids::{ServerId, ServiceId};
use hydron_proto::names::ServiceName;

use super::{PlannedService, Planning, PlanningError, ServerFacts};
use crate::service::ServiceKind;

/// Where a service runs and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// Where.
    pub server: ServerId,
    /// Why.
    pub reason: String,
}

/// A wish that cannot be fulfilled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPlacement {
    /// A server that is not there.
    #[error("server {0} cannot be used for this plan; choose one of the plan's servers")]
    UnknownServer(ServerId),
    /// A service that is not in the plan.
    #[error("service {0} is not part of this plan; accept it first")]
    UnknownService(ServiceId),
    /// Two that must live together.
    #[error(
        "{service} reaches {dependency} over the private network of one server; put both on the same server"
    )]
    Split {
        /// Which.
        service: ServiceName,
        /// What it needs.
        dependency: ServiceName,
    },
}

/// The placement of every service.
pub(super) fn place(planning: &Planning<'_>) -> Result<BTreeMap<ServiceId, Placement>, PlanningError> {
    check_wishes(planning)?;
    let mut placements = BTreeMap::new();
    let mut used: BTreeSet<ServerId> = BTreeSet::new();
    for group in groups(planning.services) {
        let (server, reason) = choose(planning, &group, &used)?;
        used.insert(server.id);
        for planned in group {
            let wish = planning.preferences.get(&planned.service.id);
            let reason = if wish.is_some() { "you chose this server".to_owned() } else { reason.clone() };
            placements.insert(planned.service.id, Placement { server: server.id, reason });
        }
    }
    Ok(placements)
}

fn check_wishes(planning: &Planning<'_>) -> Result<(), InvalidPlacement> {
    for (service, server) in planning.preferences {
        if !planning.servers.iter().any(|facts| facts.id == *server) {
            return Err(InvalidPlacement::UnknownServer(*server));
        }
        if !planning.services.iter().any(|planned| planned.service.id == *service) {
            return Err(InvalidPlacement::UnknownService(*service));
        }
    }
    for planned in planning.services {
        for need in &planned.service.spec.depends_on {
            let other = planning.services.iter().find(|other| &other.service.name == need);
            let Some(other) = other.filter(|other| bound(planned, other)) else { continue };
            let wish = |planned: &PlannedService| planning.preferences.get(&planned.service.id);
            if let (Some(here), Some(there)) = (wish(planned), wish(other))
                && here != there
            {
                return Err(InvalidPlacement::Split {
                    service: planned.service.name.clone(),
                    dependency: need.clone(),
                });
            }
        }
    }
    Ok(())
}

/// Whether two services must live on one server: one is the other's database.
fn bound(service: &PlannedService, dependency: &PlannedService) -> bool {
    dependency.service.spec.kind == ServiceKind::Dependency
        && service.service.spec.depends_on.contains(&dependency.service.name)
}

/// Services that must live together; a path under a shared host also binds, as long as nobody wished otherwise.
fn groups(services: &[PlannedService]) -> Vec<Vec<&PlannedService>> {
    let mut groups: Vec<Vec<&PlannedService>> = Vec::new();
    for planned in services {
        let touches = |group: &Vec<&PlannedService>| {
            group.iter().any(|other| bound(planned, other) || bound(other, planned))
        };
        let (near, far): (Vec<_>, Vec<_>) = groups.into_iter().partition(touches);
        let mut merged: Vec<&PlannedService> = near.into_iter().flatten().collect();
        merged.push(planned);
        groups = far;
        groups.push(merged);
    }
    groups
}

fn choose<'a>(
    planning: &Planning<'a>,
    group: &[&PlannedService],
    used: &BTreeSet<ServerId>,
) -> Result<(&'a ServerFacts, String), PlanningError> {
    let by_id = |id: ServerId| planning.servers.iter().find(|server| server.id == id);
    let wished = group.iter().find_map(|planned| planning.preferences.get(&planned.service.id));
    if let Some(server) = wished.and_then(|id| by_id(*id)) {
        return Ok((server, "it must be beside a service that you placed here".to_owned()));
    }
    let home = group.iter().find_map(|planned| planning.live.get(&planned.service.id));
    if let Some(server) = home.and_then(|live| by_id(live.server)) {
        return Ok((server, "it already runs here, and its data stays where it is".to_owned()));
    }
    let best = planning.servers.iter().max_by_key(|server| {
        (server.online, used.contains(&server.id), server.memory_mb, std::cmp::Reverse(&server.name))
    });
    let server = best.ok_or(PlanningError::NoServer)?;
    let reason = if planning.servers.len() == 1 {
        "it is the project's only server".to_owned()
    } else if used.contains(&server.id) {
        "beside the project's other services, so that calls stay on one machine".to_owned()
    } else {
        format!("most memory of the servers that are online ({} MiB)", server.memory_mb)
    };
    Ok((server, reason))
}
