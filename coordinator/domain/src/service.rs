//! Services: what is deployed. Found by an analysis, judged and edited by a person.
//!
//! Rule: a locked service does not change; fields that a person edited survive the next reading.

use std::collections::BTreeSet;

use hydron_proto::ids::{AnalysisId, ProjectId, ServiceId};
use hydron_proto::names::{CommitId, GitRef, GitUrl, ImageRef, RelPath, ServiceName};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::analysis::{DependencyNeed, DockerfileVerdict, EnvNeed, Evidence, VolumeNeed};
use crate::named::named;

mod detect;
mod edit;

pub use detect::{Detected, ReadAt, detect, merge};
pub use edit::{InvalidEdit, ServiceEdit, apply_edit, split_command};

named! {
    /// How a service is run and reached.
    ServiceKind, "service kind" {
        /// Answers requests on a port.
        Web = "web",
        /// Runs without a public port.
        Worker = "worker",
        /// Files behind a web server.
        Static = "static",
        /// A database, cache or broker of its own.
        Dependency = "dependency",
    }
}

named! {
    /// What a person decided about a service.
    ServiceState, "service state" {
        /// Waits for a decision.
        Pending = "pending",
        /// Part of plans.
        Accepted = "accepted",
        /// Left out.
        Rejected = "rejected",
    }
}

/// A deployable component of a project.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Id.
    pub id: ServiceId,
    /// Project.
    pub project: ProjectId,
    /// Name, unique in the project: how other services reach it.
    pub name: ServiceName,
    /// What a person decided.
    pub state: ServiceState,
    /// Whether it may change.
    pub locked: bool,
    /// Grows with every change.
    pub revision: i64,
    /// Which reading found it last.
    pub analysis: Option<AnalysisId>,
    /// Everything else.
    pub spec: ServiceSpec,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970.
    pub updated_at: i64,
}

/// Everything about a service that a plan is made from. Stored as JSON: fields are added, never renamed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServiceSpec {
    /// How it runs.
    pub kind: ServiceKind,
    /// Language; empty for a dependency.
    pub language: String,
    /// Framework.
    pub framework: Option<String>,
    /// Package manager.
    pub package_manager: Option<String>,
    /// Build command.
    pub build: Option<String>,
    /// Start command.
    pub start: Option<String>,
    /// One-off command before a new release serves.
    pub release: Option<String>,
    /// Port inside the container.
    pub port: Option<u16>,
    /// Path that answers when it is well.
    pub health_path: Option<String>,
    /// Path prefix that all its routes share.
    pub route_prefix: Option<String>,
    /// Recipe of the image.
    pub dockerfile: ServiceDockerfile,
    /// Where the code is; none for a dependency.
    pub source: Option<ServiceSource>,
    /// Build context in the repository.
    pub context: RelPath,
    /// Services that must be up first.
    pub depends_on: BTreeSet<ServiceName>,
    /// Databases and outside services it talks to.
    pub needs: Vec<DependencyNeed>,
    /// Variables it reads.
    pub env: Vec<EnvNeed>,
    /// Directories that must survive.
    pub volumes: Vec<VolumeNeed>,
    /// What it is, for a dependency.
    pub dependency: Option<DependencyChoice>,
    /// Why each value was chosen.
    pub evidence: Vec<Evidence>,
    /// Fields that a person edited.
    #[serde(default)]
    pub edited: BTreeSet<String>,
    /// The name that readings give it; its own unless a person renamed it.
    #[serde(default)]
    pub found_as: Option<ServiceName>,
}

/// Where the code of a service is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceSource {
    /// Repository.
    pub url: GitUrl,
    /// Full ref name.
    pub reference: GitRef,
    /// The commit that was read.
    pub commit: CommitId,
    /// Git's hash of the build context at that commit.
    pub tree_hash: String,
}

/// A dependency that Hydron runs itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DependencyChoice {
    /// `postgres`, `redis` …
    pub kind: String,
    /// Image to start from.
    pub image: ImageRef,
}

named! {
    /// Where a Dockerfile comes from.
    DockerfileOrigin, "origin of a Dockerfile" {
        /// A file of the repository, as it is.
        Repository = "repository",
        /// Written by Hydron.
        Generated = "generated",
        /// Written or changed by a person.
        Edited = "edited",
    }
}

/// Recipe of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServiceDockerfile {
    /// Where it comes from.
    pub origin: DockerfileOrigin,
    /// Path in the repository, when it is there.
    pub path: Option<String>,
    /// The text that is built, unless it is the repository's own file.
    pub content: Option<String>,
    /// What was decided about the repository's file; none once a person wrote the text, and of a dependency.
    #[serde(default)]
    pub verdict: Option<DockerfileVerdict>,
    /// What a repair changes, as a unified diff of the repository's file.
    #[serde(default)]
    pub diff: Option<String>,
    /// Why it was decided so, one sentence each.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// A change that the state of a service does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServiceRefused {
    /// Locked.
    #[error("{name} is locked; unlock it first")]
    Locked {
        /// Which.
        name: ServiceName,
    },
    /// Nothing can be built.
    #[error("{name} has no Dockerfile that can be built; write one first")]
    NoDockerfile {
        /// Which.
        name: ServiceName,
    },
}

impl Service {
    /// Whether it may change.
    pub fn check_unlocked(&self) -> Result<(), ServiceRefused> {
        if self.locked { Err(ServiceRefused::Locked { name: self.name.clone() }) } else { Ok(()) }
    }

    /// Accepts it: part of the next plan.
    pub fn accept(&self) -> Result<ServiceState, ServiceRefused> {
        if self.spec.dockerfile.content.is_none()
            && self.spec.dockerfile.origin != DockerfileOrigin::Repository
        {
            return Err(ServiceRefused::NoDockerfile { name: self.name.clone() });
        }
        Ok(ServiceState::Accepted)
    }

    /// Rejects it; a locked service stays.
    pub fn reject(&self) -> Result<ServiceState, ServiceRefused> {
        self.check_unlocked()?;
        Ok(ServiceState::Rejected)
    }

    /// Whether people reach it through the proxy.
    pub fn is_public(&self) -> bool {
        match self.spec.kind {
            ServiceKind::Web | ServiceKind::Static => self.spec.port.is_some(),
            ServiceKind::Worker | ServiceKind::Dependency => false,
        }
    }
}
