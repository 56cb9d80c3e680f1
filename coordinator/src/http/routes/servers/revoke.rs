//! `DELETE /servers/{id}`

use axum::extract::State;
use axum::http::StatusCode;
use hydron_proto::ids::ServerId;

use crate::app::AppState;
use crate::http::extract::Path;
use crate::http::problem::{Problem, ProblemBody};
use crate::services::principal::Principal;
use crate::services::servers;

/// Takes a server out: its key is worth nothing from now on and its connection ends. What runs on it goes on running.
#[utoipa::path(delete, path = "/servers/{id}", tag = "servers", params(("id" = ServerId, Path)), responses(
    (status = 204),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn revoke_server(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<ServerId>,
) -> Result<StatusCode, Problem> {
    servers::revoke(&app, &principal, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
