//! Names on servers: short enough for every grammar, unique by the project's and the service's id.
//!
//! Rule: everything that Hydron makes for a project starts with `hy-<project>`.

use hydron_proto::ids::ProjectId;
use hydron_proto::names::{Hostname, ImageRef, InvalidName, ResourceName, ServiceName};

use super::PlanningError;
use crate::project::Slug;
use crate::service::Service;

/// The project's network.
pub(super) fn network(project: ProjectId) -> Result<ResourceName, PlanningError> {
    parse(&format!("hy-{}", project.short()))
}

/// A volume of a service.
pub(super) fn volume(
    project: ProjectId,
    service: &ServiceName,
    part: &str,
) -> Result<ResourceName, PlanningError> {
    parse(&format!("hy-{}-{service}-{part}", project.short()))
}

/// A checkout of a commit.
pub(super) fn checkout(project: ProjectId, commit: &str) -> Result<ResourceName, PlanningError> {
    let short: String = commit.chars().take(12).collect();
    parse(&format!("hy-{}-{short}", project.short()))
}

/// A site of the proxy.
pub(super) fn site(project: ProjectId, service: Option<&ServiceName>) -> Result<ResourceName, PlanningError> {
    match service {
        None => parse(&format!("hy-{}", project.short())),
        Some(service) => parse(&format!("hy-{}-{service}", project.short())),
    }
}

/// The repository of a service's images: its mandate allows tags of no other.
pub(super) fn image(project: ProjectId, service: &ServiceName) -> Result<ImageRef, PlanningError> {
    parse(&format!("hydron/{}-{service}", project.short()))
}

/// An image: what it was built from is part of its tag, so that a tag never means two contents.
pub(super) fn tag(
    project: ProjectId,
    service: &ServiceName,
    commit: Option<&str>,
    recipe: &str,
) -> Result<ImageRef, PlanningError> {
    let commit: String = commit.unwrap_or("recipe").chars().take(12).collect();
    let recipe: String = recipe.chars().take(8).collect();
    parse(&format!("{}:{commit}-{recipe}", image(project, service)?))
}

/// The default host of a project.
pub fn default_host(slug: &Slug, project: ProjectId, zone: &Hostname) -> Result<Hostname, InvalidName> {
    format!("{}-{}.{zone}", slug.as_str(), project.short()).parse()
}

/// The host of a service that does not share the project's own.
pub fn service_host(service: &Service, slug: &Slug, zone: &Hostname) -> Result<Hostname, InvalidName> {
    let label = format!("{}-{}-{}", service.name, slug.as_str(), service.project.short());
    let label = if label.len() <= 63 {
        label
    } else {
        format!("s{}-{}", service.id.short(), service.project.short())
    };
    format!("{label}.{zone}").parse()
}

fn parse<T: std::str::FromStr<Err = InvalidName>>(text: &str) -> Result<T, PlanningError> {
    text.parse().map_err(|error: InvalidName| PlanningError::Name(format!("{text}: {error}")))
}
