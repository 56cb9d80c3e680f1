//! `GET /teams`

use axum::Json;
use axum::extract::State;

use super::TeamBody;
use crate::app::AppState;
use crate::http::extract::Page;
use crate::http::problem::{Problem, ProblemBody};
use crate::services::principal::Principal;
use crate::services::teams;

/// Lists the teams one belongs to.
#[utoipa::path(get, path = "/teams", tag = "teams", responses(
    (status = 200, body = Page<TeamBody>),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn list_teams(
    State(app): State<AppState>,
    principal: Principal,
) -> Result<Json<Page<TeamBody>>, Problem> {
    let teams = teams::list(&app, &principal).await?;
    let items = teams.into_iter().map(|one| TeamBody {
        id: one.team.id,
        name: one.team.name,
        role: one.role,
        created_at: one.team.created_at,
    });
    Ok(Json(Page::whole(items.collect())))
}
