//! A service in JSON.

use hydron_domain::analysis::{EnvSource, Evidence};
use hydron_domain::env::EnvOrigin;
use hydron_domain::release::ReleaseState;
use hydron_domain::service::{ServiceDockerfile, ServiceKind, ServiceState};
use hydron_proto::ids::{ProjectId, ReleaseId, ServerId, ServiceId};
use hydron_store::releases::Release;
use serde::Serialize;
use utoipa::ToSchema;

use crate::services::component_view::{EnvView, ServiceView};

/// A deployable component.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Service)]
pub(super) struct ServiceBody {
    id: ServiceId,
    project_id: ProjectId,
    name: String,
    kind: ServiceKind,
    state: ServiceState,
    locked: bool,
    language: String,
    framework: Option<String>,
    package_manager: Option<String>,
    build: Option<String>,
    start: Option<String>,
    port: Option<u16>,
    health_path: Option<String>,
    dockerfile: ServiceDockerfile,
    /// Build context in the repository.
    path: String,
    depends_on: Vec<String>,
    env: Vec<EnvBody>,
    route: Option<RouteBody>,
    evidence: Vec<Evidence>,
    /// Required variables without a value.
    missing: Vec<String>,
    /// Fields that a person edited; a new analysis leaves them alone.
    edited: Vec<String>,
    live_release: Option<LiveBody>,
    source_commit: Option<String>,
    updated_at: i64,
}

/// A variable. The value of a secret is never shown.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ServiceEnv)]
pub(super) struct EnvBody {
    name: String,
    secret: bool,
    required: bool,
    /// Where it was seen.
    source: Option<EnvSource>,
    /// Whether it has a value.
    set: bool,
    value: Option<String>,
    /// Where the value comes from.
    origin: Option<EnvOrigin>,
    description: Option<String>,
}

/// Its public path.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ServiceRoute)]
pub(super) struct RouteBody {
    prefix: String,
}

/// What serves now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LiveRelease)]
pub(super) struct LiveBody {
    id: ReleaseId,
    server_id: ServerId,
    state: ReleaseState,
    commit: Option<String>,
    image_id: Option<String>,
    live_since: Option<i64>,
}

impl From<ServiceView> for ServiceBody {
    fn from(view: ServiceView) -> Self {
        let ServiceView { service, env, missing, live } = view;
        let spec = service.spec;
        Self {
            id: service.id,
            project_id: service.project,
            name: service.name.to_string(),
            kind: spec.kind,
            state: service.state,
            locked: service.locked,
            language: spec.language,
            framework: spec.framework,
            package_manager: spec.package_manager,
            build: spec.build,
            start: spec.start,
            port: spec.port,
            health_path: spec.health_path,
            dockerfile: spec.dockerfile,
            path: if spec.context.is_root() { ".".to_owned() } else { spec.context.to_string() },
            depends_on: spec.depends_on.iter().map(ToString::to_string).collect(),
            env: env.into_iter().map(EnvBody::from).collect(),
            route: spec.route_prefix.map(|prefix| RouteBody { prefix }),
            evidence: spec.evidence,
            missing,
            edited: spec.edited.into_iter().collect(),
            live_release: live.map(LiveBody::from),
            source_commit: spec.source.map(|source| source.commit.to_string()),
            updated_at: service.updated_at,
        }
    }
}

impl From<EnvView> for EnvBody {
    fn from(view: EnvView) -> Self {
        let EnvView { name, secret, required, source, set, value, origin, description } = view;
        Self { name, secret, required, source, set, value, origin, description }
    }
}

impl From<Release> for LiveBody {
    fn from(release: Release) -> Self {
        Self {
            id: release.id,
            server_id: release.server,
            state: release.state,
            commit: release.commit,
            image_id: release.image_id,
            live_since: release.live_since,
        }
    }
}
