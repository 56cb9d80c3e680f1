//! What an analysis of a repository says: services, why each value was chosen, and what a person must look at.
//!
//! One rule: these types only *hold* a reading; `hydron-analysis` makes it, `planning` consumes it. They are the
//! stored and served JSON, so a field is added, never renamed, and every new field has a serde default.

mod change;
mod dependency;
mod dockerfile;
mod env;
mod evidence;
mod finding;
mod service;
mod step;

pub use change::{AnalysisChange, ChangeKind, changes};
pub use dependency::{Binding, DependencyNeed, UrlBinding};
pub use dockerfile::{DockerfileReading, DockerfileVerdict};
pub use env::{EnvGenerate, EnvNeed, EnvSource};
pub use evidence::Evidence;
pub use finding::{Finding, FindingCode, Severity};
pub use service::{AnalyzedService, ServiceKind, VolumeNeed};
pub use step::{AnalysisStep, StepProgress};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Everything that reading one commit of a repository found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Analysis {
    /// The deployable parts, sorted by path and then name.
    pub services: Vec<AnalyzedService>,
    /// Directories that look like a part of a program and were decided not to be a service.
    #[serde(default)]
    pub not_services: Vec<NotAService>,
    /// What a person should know or do, most serious first.
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// The workspaces (monorepo roots) that were recognised.
    #[serde(default)]
    pub workspaces: Vec<WorkspaceReading>,
    /// How much was looked at.
    #[serde(default)]
    pub stats: ReadStats,
}

/// A candidate that is not deployed on its own, with the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NotAService {
    /// Directory, relative to the repository; `.` is its root.
    pub path: String,
    /// Why, in one sentence for a person.
    pub reason: String,
    /// The rule that decided.
    pub rule: String,
}

/// A monorepo root: the tool that declares members, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkspaceReading {
    /// `pnpm`, `npm`, `yarn`, `lerna`, `nx`, `turbo`, `cargo`, `go`, `maven`, `gradle`, `dotnet`, `uv`, `compose`.
    pub kind: String,
    /// Directory of the root.
    pub path: String,
    /// The declaring file.
    pub file: String,
    /// Member directories, sorted.
    pub members: Vec<String>,
}

/// Counters of one reading; they depend on the input only, never on time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReadStats {
    /// Files in the tree.
    pub files: u64,
    /// Files whose content was read.
    pub files_read: u64,
    /// Bytes of content read.
    pub bytes_read: u64,
}
