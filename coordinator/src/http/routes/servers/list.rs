//! `GET /servers`

use axum::Json;
use axum::extract::State;

use super::ServerBody;
use crate::app::AppState;
use crate::http::extract::Page;
use crate::http::problem::{Problem, ProblemBody};
use crate::services::principal::Principal;
use crate::services::servers;

/// Lists the team's servers, oldest first.
#[utoipa::path(get, path = "/servers", tag = "servers", responses(
    (status = 200, body = Page<ServerBody>),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn list_servers(
    State(app): State<AppState>,
    principal: Principal,
) -> Result<Json<Page<ServerBody>>, Problem> {
    let servers = servers::list(&app, &principal).await?;
    Ok(Json(Page::whole(servers.into_iter().map(ServerBody::from).collect())))
}
