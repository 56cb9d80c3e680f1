//! `PATCH /servers/{id}`

use axum::Json;
use axum::extract::State;
use hydron_proto::ids::ServerId;
use serde::Deserialize;
use utoipa::ToSchema;

use super::ServerBody;
use crate::app::AppState;
use crate::http::extract::{Body, Path};
use crate::http::problem::{Problem, ProblemBody};
use crate::services::principal::Principal;
use crate::services::servers;

/// What shall change.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RenameServer {
    /// What you call it.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = r"^[^\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]*[^\s\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069][^\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]*$"
    )]
    name: String,
}

/// Gives a server another name.
#[utoipa::path(patch, path = "/servers/{id}", tag = "servers", request_body = RenameServer,
    params(("id" = ServerId, Path)), responses(
    (status = 200, body = ServerBody),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn rename_server(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<ServerId>,
    Body(body): Body<RenameServer>,
) -> Result<Json<ServerBody>, Problem> {
    servers::rename(&app, &principal, id, &body.name).await?;
    Ok(Json(servers::get(&app, &principal, id).await?.into()))
}
