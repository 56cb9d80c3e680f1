//! `/teams`: the teams one has, who is in them, what happens in them.

mod events;
mod get;
mod list;
mod members;

use hydron_domain::identity::Role;
use hydron_proto::ids::TeamId;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::AppState;
use crate::http::gate::Access;
use crate::services::principal::Permission;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list_teams))
        .routes(routes!(get::get_team))
        .routes(routes!(members::list_members))
        .routes(routes!(events::stream_team_events))
}

pub(super) const ACCESS: &[(&str, Access)] = &[
    ("list_teams", Access::Needs(Permission::TeamRead)),
    ("get_team", Access::Needs(Permission::TeamRead)),
    ("list_members", Access::Needs(Permission::TeamRead)),
    ("stream_team_events", Access::Needs(Permission::TeamRead)),
];

/// A team and one's own role in it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Team)]
pub(super) struct TeamBody {
    id: TeamId,
    name: String,
    role: Role,
    created_at: i64,
}
