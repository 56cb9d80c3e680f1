//! `POST /runs/{id}/pause`, `/resume`, `/stop`, `/retry`, `/resolve`: five verbs of one shape.

use axum::Json;
use axum::extract::State;
use hydron_domain::run::Resolution;
use hydron_proto::ids::{RunId, ServerId};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{RunBody, get};
use crate::app::AppState;
use crate::http::extract::{Body, Path};
use crate::http::problem::{Problem, ProblemBody};
use crate::services::principal::Principal;
use crate::services::runs::steer;

/// Lets a run wait after the step that is running.
#[utoipa::path(post, path = "/runs/{id}/pause", tag = "runs", params(("id" = RunId, Path)), responses(
    (status = 200, body = RunBody),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn pause_run(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<RunId>,
) -> Result<Json<RunBody>, Problem> {
    steer::pause(&app, &principal, id).await?;
    get::shown(&app, &principal, id).await.map(Json)
}

/// Lets a paused run go on.
#[utoipa::path(post, path = "/runs/{id}/resume", tag = "runs", params(("id" = RunId, Path)), responses(
    (status = 200, body = RunBody),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn resume_run(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<RunId>,
) -> Result<Json<RunBody>, Problem> {
    steer::resume(&app, &principal, id).await?;
    get::shown(&app, &principal, id).await.map(Json)
}

/// Ends a run after the step that is running; what was done stays.
#[utoipa::path(post, path = "/runs/{id}/stop", tag = "runs", params(("id" = RunId, Path)), responses(
    (status = 200, body = RunBody),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn stop_run(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<RunId>,
) -> Result<Json<RunBody>, Problem> {
    steer::stop(&app, &principal, id).await?;
    get::shown(&app, &principal, id).await.map(Json)
}

/// What shall be tried again.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RetryRun {
    /// The failed step, to be sure that it is this one.
    step: Option<u32>,
}

/// Gives failed steps of a failed run another attempt and goes on from there.
#[utoipa::path(post, path = "/runs/{id}/retry", tag = "runs", request_body = RetryRun,
    params(("id" = RunId, Path)), responses(
    (status = 200, body = RunBody),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn retry_run(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<RunId>,
    Body(body): Body<RetryRun>,
) -> Result<Json<RunBody>, Problem> {
    steer::retry(&app, &principal, id, body.step).await?;
    get::shown(&app, &principal, id).await.map(Json)
}

/// How a step ended whose outcome nobody could know.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ResolveRun {
    /// On which server.
    server_id: ServerId,
    /// Which step.
    step: u32,
    /// It was done, run it again, or end the run.
    decision: Resolution,
}

/// Decides about a step whose outcome is unknown.
#[utoipa::path(post, path = "/runs/{id}/resolve", tag = "runs", request_body = ResolveRun,
    params(("id" = RunId, Path)), responses(
    (status = 200, body = RunBody),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn resolve_run(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<RunId>,
    Body(body): Body<ResolveRun>,
) -> Result<Json<RunBody>, Problem> {
    let ResolveRun { server_id, step, decision } = body;
    steer::resolve(&app, &principal, id, server_id, step, decision).await?;
    get::shown(&app, &principal, id).await.map(Json)
}
