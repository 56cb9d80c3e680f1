//! A project in JSON.

use hydron_domain::project::{ProjectStatus, ProjectType};
use hydron_domain::run::RunKind;
use hydron_domain::server::ServerState;
use hydron_proto::ids::{ProjectId, RunId, ServerId};
use hydron_store::runs::StoredRun;
use hydron_store::servers::Server;
use serde::Serialize;
use utoipa::ToSchema;

use crate::services::projects::Overview;

/// A project at a glance.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Project)]
pub(super) struct ProjectBody {
    id: ProjectId,
    name: String,
    slug: String,
    #[serde(rename = "type")]
    kind: ProjectType,
    status: ProjectStatus,
    /// Where it answers, once something serves.
    url: Option<String>,
    /// Its default host name.
    host: String,
    created_at: i64,
    updated_at: i64,
    last_run: Option<LastRun>,
    service_count: i64,
    server: Option<ProjectServer>,
}

/// The newest run of a project.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RunSummary)]
pub(super) struct LastRun {
    id: RunId,
    kind: RunKind,
    title: String,
    /// `started`, `in_progress`, `paused`, `completed`, `failed` or `stopped`.
    state: String,
    commit: Option<String>,
    started_at: i64,
    finished_at: Option<i64>,
}

/// Where a project runs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProjectServer {
    id: ServerId,
    name: String,
    state: ServerState,
}

impl From<Overview> for ProjectBody {
    fn from(overview: Overview) -> Self {
        let Overview { project, status, url, last_run, service_count, server } = overview;
        Self {
            id: project.id,
            name: project.name,
            slug: project.slug.as_str().to_owned(),
            kind: project.kind,
            status,
            url,
            host: project.host.to_string(),
            created_at: project.created_at,
            updated_at: project.updated_at,
            last_run: last_run.map(LastRun::from),
            service_count,
            server: server.map(ProjectServer::from),
        }
    }
}

impl From<StoredRun> for LastRun {
    fn from(run: StoredRun) -> Self {
        Self {
            id: run.id,
            kind: run.kind,
            title: run.title,
            state: run.head.state.word().to_owned(),
            commit: run.commit,
            started_at: run.created_at,
            finished_at: run.finished_at,
        }
    }
}

impl From<Server> for ProjectServer {
    fn from(server: Server) -> Self {
        Self { id: server.id, name: server.name, state: server.state }
    }
}
