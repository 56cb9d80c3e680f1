//! `GET /servers/{id}`

use axum::Json;
use axum::extract::State;
use hydron_proto::ids::ServerId;

use super::ServerBody;
use crate::app::AppState;
use crate::http::extract::Path;
use crate::http::problem::{Problem, ProblemBody};
use crate::services::principal::Principal;
use crate::services::servers;

/// Shows a server.
#[utoipa::path(get, path = "/servers/{id}", tag = "servers", params(("id" = ServerId, Path)), responses(
    (status = 200, body = ServerBody),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn get_server(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<ServerId>,
) -> Result<Json<ServerBody>, Problem> {
    Ok(Json(servers::get(&app, &principal, id).await?.into()))
}
