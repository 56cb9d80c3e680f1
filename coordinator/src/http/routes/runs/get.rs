//! `GET /runs/{id}`

use axum::Json;
use axum::extract::State;
use hydron_proto::ids::RunId;

use super::RunBody;
use crate::app::AppState;
use crate::http::extract::Path;
use crate::http::problem::{Problem, ProblemBody};
use crate::services::principal::{Permission, Principal};
use crate::services::runs::view;
use crate::services::servers;

/// Shows a run with its phases, servers and steps.
#[utoipa::path(get, path = "/runs/{id}", tag = "runs", params(("id" = RunId, Path)), responses(
    (status = 200, body = RunBody),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn get_run(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<RunId>,
) -> Result<Json<RunBody>, Problem> {
    shown(&app, &principal, id).await.map(Json)
}

/// A run as it is now.
pub(in crate::http) async fn shown(
    app: &AppState,
    principal: &Principal,
    id: RunId,
) -> Result<RunBody, Problem> {
    let detail = view::get(app, principal, id).await?;
    let access = principal.authorize(&app.store, Permission::ServersRead)?;
    let online = servers::online(app, &access.team).await?;
    Ok(RunBody::new(app, detail, &online))
}
