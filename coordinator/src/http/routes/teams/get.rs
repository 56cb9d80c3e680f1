//! `GET /teams/{id}`

use axum::Json;
use axum::extract::State;
use hydron_proto::ids::TeamId;

use super::TeamBody;
use crate::app::AppState;
use crate::http::extract::Path;
use crate::http::problem::{Problem, ProblemBody};
use crate::services::principal::Principal;
use crate::services::teams;

/// One team. A session sees the team it has chosen by `Hydron-Team`.
#[utoipa::path(get, path = "/teams/{id}", tag = "teams", params(("id" = TeamId, Path)), responses(
    (status = 200, body = TeamBody),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn get_team(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<TeamId>,
) -> Result<Json<TeamBody>, Problem> {
    let team = teams::get(&app, &principal, id).await?;
    Ok(Json(TeamBody { id: team.id, name: team.name, role: principal.role, created_at: team.created_at }))
}
