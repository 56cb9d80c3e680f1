//! One deployable part of a repository and everything needed to build and run it.
//!
//! One rule: a value that was not found is `None`; it is never filled with a guess that has no evidence.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{DependencyNeed, DockerfileReading, EnvNeed, Evidence};

/// How a service is run and reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = AnalyzedServiceKind)]
pub enum ServiceKind {
    /// Answers requests on a port.
    Web,
    /// Runs without a public port: queue consumers, schedulers.
    Worker,
    /// Files that any web server can serve after an optional build.
    Static,
}

impl ServiceKind {
    /// The word used in JSON and on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Worker => "worker",
            Self::Static => "static",
        }
    }
}

/// A service as the analysis found it. Every field can be edited afterwards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AnalyzedService {
    /// Short name, unique in the analysis: lower-case letters, digits and dashes.
    pub name: String,
    /// Directory relative to the repository; `.` is the root.
    pub path: String,
    /// web, worker or static.
    pub kind: ServiceKind,
    /// `python`, `typescript`, `go` …; `html` for plain static files.
    pub language: String,
    /// As declared by the repository (`3.11`, `>=20`, `1.22.3`).
    #[serde(default)]
    pub language_version: Option<String>,
    /// `flask`, `nextjs`, `axum`, `static` …; absent when only the language is known.
    #[serde(default)]
    pub framework: Option<String>,
    /// Other notable libraries (ORM, bundler), sorted.
    #[serde(default)]
    pub also: Vec<String>,
    /// `npm`, `pnpm`, `pip`, `uv`, `cargo`, `maven` …; `none` for plain files.
    #[serde(default)]
    pub package_manager: Option<String>,
    /// The command that builds it, from the repository's root or the service's directory.
    #[serde(default)]
    pub build: Option<String>,
    /// The command that starts it in production.
    #[serde(default)]
    pub start: Option<String>,
    /// A one-off command before a new release serves (database migrations).
    #[serde(default)]
    pub release: Option<String>,
    /// Where the build puts static files.
    #[serde(default)]
    pub output_dir: Option<String>,
    /// The port it listens on inside its container.
    #[serde(default)]
    pub port: Option<u16>,
    /// A path that answers 2xx–4xx without credentials when the service is well.
    #[serde(default)]
    pub health: Option<String>,
    /// The path prefix that all its routes share (`/api`), if the code shows one.
    #[serde(default)]
    pub route_prefix: Option<String>,
    /// Databases, queues and outside services it talks to.
    #[serde(default)]
    pub dependencies: Vec<DependencyNeed>,
    /// Environment variables it reads, sorted by name.
    #[serde(default)]
    pub env: Vec<EnvNeed>,
    /// The image recipe: found, repaired or generated.
    pub dockerfile: DockerfileReading,
    /// Names of other services of this analysis that it calls.
    #[serde(default)]
    pub depends_on: Vec<String>,
    /// Directories that must survive a redeploy.
    #[serde(default)]
    pub volumes: Vec<VolumeNeed>,
    /// True for a part that the product runs without (a dashboard, a dev helper with a production use).
    #[serde(default)]
    pub optional: bool,
    /// Why each value was chosen, and what lost.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
}

/// A directory that holds data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VolumeNeed {
    /// Absolute path inside the container.
    pub path: String,
    /// What is kept there, in a few words.
    pub reason: String,
}
