//! `GET /setup`

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::AppState;
use crate::http::problem::{Problem, ProblemBody};
use crate::services::setup;

/// Whether somebody has to set this installation up.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SetupState {
    needed: bool,
}

/// Says whether this installation waits for its first owner.
#[utoipa::path(get, path = "/setup", tag = "setup", security(), responses(
    (status = 200, body = SetupState),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn get_setup(State(app): State<AppState>) -> Result<Json<SetupState>, Problem> {
    Ok(Json(SetupState { needed: setup::needed(&app).await? }))
}
