//! Planning as pure code: accepted services, variables, servers and what is live go in; documents, the secrets to make
//! and the releases they announce come out.
//!
//! Rule: no clock, no randomness, no I/O; the same input gives the same bytes. Every choice carries its reason.

pub mod dependency;
mod edit;
mod environment;
mod fingerprint;
mod inputs;
mod mandates;
mod names;
mod order;
mod placement;
mod prepare;
mod provisioning;
mod release;
mod sites;
mod steps;
mod summary;

use std::collections::BTreeMap;

use hydron_proto::ids::{ReleaseId, ServerId, ServiceId, TeamId};
use hydron_proto::names::{Hostname, SecretName};
use hydron_proto::plan::{PlanDocument, SecretRef};

pub use edit::{InvalidStepEdit, StepEdit, edit_steps};
pub use environment::{Resolved, environment, missing};
pub use fingerprint::Fingerprint;
pub use inputs::{InputDigests, inputs};
pub use names::{default_host, service_host};
pub use placement::{InvalidPlacement, Placement};
pub use provisioning::plan;
pub use release::{ReleasePlans, release_plans};
pub use summary::summary;

use crate::analysis::EnvGenerate;
use crate::env::EnvSetting;
use crate::infrastructure::InfrastructureDocument;
use crate::project::Project;
use crate::service::Service;

/// Everything a plan is made from.
#[derive(Debug, Clone)]
pub struct Planning<'a> {
    /// Owner.
    pub team: TeamId,
    /// Project.
    pub project: &'a Project,
    /// Zone under which hosts are made, e.g. `localhost`.
    pub zone: &'a Hostname,
    /// The accepted services with their variables.
    pub services: &'a [PlannedService],
    /// Servers that may be used.
    pub servers: &'a [ServerFacts],
    /// Where the person wants services.
    pub preferences: &'a BTreeMap<ServiceId, ServerId>,
    /// Newest version of every secret of the project.
    pub secrets: &'a BTreeMap<SecretName, u32>,
    /// What serves now.
    pub live: &'a BTreeMap<ServiceId, LiveRelease>,
    /// Milliseconds since 1970.
    pub now_unix_ms: i64,
}

/// An accepted service with what a person set for it.
#[derive(Debug, Clone)]
pub struct PlannedService {
    /// The service.
    pub service: Service,
    /// Its variables.
    pub env: Vec<EnvSetting>,
}

/// What is known about a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFacts {
    /// Which.
    pub id: ServerId,
    /// Its name.
    pub name: String,
    /// Whether its agent is connected.
    pub online: bool,
    /// Processors.
    pub cpus: u32,
    /// Memory, MiB.
    pub memory_mb: u64,
    /// Port of HTTPS on its proxy.
    pub https_port: u16,
    /// Hash of everything a plan depends on (system, engine, sealing key); changes make plans stale.
    pub fingerprint: String,
}

/// A release that serves now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveRelease {
    /// Which.
    pub id: ReleaseId,
    /// Where.
    pub server: ServerId,
    /// What it was made from; none when that is not known any more.
    pub fingerprint: Option<Fingerprint>,
}

/// A plan with everything that belongs to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Blueprint {
    /// Which servers, what runs where.
    pub infrastructure: InfrastructureDocument,
    /// One plan a server.
    pub provisioning: Vec<PlanDocument>,
    /// Secrets to make before the plan is shown.
    pub generated: Vec<GeneratedSecret>,
    /// Releases that the plans announce.
    pub releases: Vec<AnnouncedRelease>,
}

/// A secret that the plan needs and that does not exist yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedSecret {
    /// Name and version.
    pub secret: SecretRef,
    /// How its value is made.
    pub recipe: EnvGenerate,
}

/// A release that a plan announces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnnouncedRelease {
    /// Which.
    pub id: ReleaseId,
    /// Of which service.
    pub service: ServiceId,
    /// Where.
    pub server: ServerId,
    /// The commit it is built from.
    pub commit: Option<String>,
    /// What it is made from.
    pub fingerprint: Fingerprint,
}

/// Why no plan can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanningError {
    /// Nothing accepted.
    #[error("no service is accepted; accept at least one")]
    NoServices,
    /// No server.
    #[error("no server can be used; enroll one first")]
    NoServer,
    /// A wish that cannot be fulfilled.
    #[error(transparent)]
    Placement(#[from] InvalidPlacement),
    /// A name that does not fit its grammar.
    #[error("{0}")]
    Name(String),
    /// More steps than a plan can hold.
    #[error("the plan does not hold together: {0}")]
    Document(String),
}

#[cfg(test)]
mod tests;
