//! `GET /me`

use axum::Json;
use axum::extract::State;

use super::{MeBody, MeTeam, MeUser};
use crate::app::AppState;
use crate::http::problem::{Problem, ProblemBody};
use crate::services::principal::Principal;
use crate::services::teams;

/// Says who one is, and in which team.
#[utoipa::path(get, path = "/me", tag = "auth", responses(
    (status = 200, body = MeBody),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn get_me(
    State(app): State<AppState>,
    principal: Principal,
) -> Result<Json<MeBody>, Problem> {
    let user = teams::me(&app, &principal).await?;
    let list: Vec<MeTeam> = teams::list(&app, &principal).await?.into_iter().map(MeTeam::from).collect();
    Ok(Json(MeBody {
        user: user.map(|user| MeUser { id: user.id, email: user.email, name: user.name }),
        team: list.iter().find(|team| team.id == principal.team).cloned(),
        teams: list,
        csrf: None,
    }))
}
