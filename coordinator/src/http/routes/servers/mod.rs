//! `/servers`: machines with an agent.

mod adopt;
mod get;
mod list;
mod rename;
mod revoke;

use hydron_domain::server::{AgentFacts, ServerState};
use hydron_installer::AdoptLine;
use hydron_proto::ids::{ProjectId, ServerId};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::AppState;
use crate::http::gate::Access;
use crate::http::problem::Problem;
use crate::services::enrollment::EnrollError;
use crate::services::principal::Permission;
use crate::services::servers::{ServerError, ServerView};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list_servers))
        .routes(routes!(adopt::adopt_server))
        .routes(routes!(get::get_server, rename::rename_server, revoke::revoke_server))
}

pub(super) const ACCESS: &[(&str, Access)] = &[
    ("list_servers", Access::Needs(Permission::ServersRead)),
    ("adopt_server", Access::Needs(Permission::ServersManage)),
    ("get_server", Access::Needs(Permission::ServersRead)),
    ("rename_server", Access::Needs(Permission::ServersManage)),
    ("revoke_server", Access::Needs(Permission::ServersManage)),
];

/// A server.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Server)]
pub(super) struct ServerBody {
    id: ServerId,
    name: String,
    state: ServerState,
    /// Its agent is connected.
    online: bool,
    last_seen_at: Option<i64>,
    agent_version: Option<String>,
    /// What its agent reports; null before it enrolled.
    facts: Option<AgentFacts>,
    /// The server's own authority for sites: trust it to open them without a warning.
    site_ca_pem: Option<String>,
    /// Projects that use it.
    projects: Vec<ProjectId>,
    /// When its key was pinned; null while it waits to be joined.
    enrolled_at: Option<i64>,
    created_at: i64,
}

impl From<ServerView> for ServerBody {
    fn from(view: ServerView) -> Self {
        let ServerView { server, online, projects } = view;
        let known = server.enrolled_at.is_some();
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Self {
            id: server.id,
            name: server.name,
            state: server.state,
            online,
            last_seen_at: server.last_seen_at,
            agent_version: text(&server.agent_version),
            site_ca_pem: text(&server.facts.site_ca_pem),
            facts: known.then_some(server.facts),
            projects,
            enrolled_at: server.enrolled_at,
            created_at: server.created_at,
        }
    }
}

impl From<ServerError> for Problem {
    fn from(error: ServerError) -> Self {
        match error {
            ServerError::Denied(denied) => denied.into(),
            ServerError::Invalid(invalid) => invalid.into(),
            ServerError::NotFound => Self::not_found("server"),
            ServerError::Store(error) => error.into(),
        }
    }
}

impl From<EnrollError> for Problem {
    fn from(error: EnrollError) -> Self {
        error.problem()
    }
}

/// What to run on the machine; the token goes in by hand, never by the command line.
pub(super) fn adopt_command(app: &AppState) -> String {
    let bound = || app.agents.address().unwrap_or(app.config.agents_listen);
    app.config.adopt.clone().unwrap_or_else(|| AdoptLine::of_socket(bound())).to_string()
}
