//! `POST /services/{id}/{accept,reject,lock,unlock}`

use axum::Json;
use axum::extract::State;
use hydron_proto::ids::ServiceId;

use super::body::ServiceBody;
use crate::app::AppState;
use crate::http::extract::Path;
use crate::http::problem::{Problem, ProblemBody};
use crate::services::components::{self, Decision};
use crate::services::principal::Principal;

/// Accepts a service: part of the next plan.
#[utoipa::path(post, path = "/services/{id}/accept", tag = "services", params(("id" = ServiceId, Path)), responses(
    (status = 200, body = ServiceBody),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn accept_service(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<ServiceId>,
) -> Result<Json<ServiceBody>, Problem> {
    Ok(Json(components::decide(&app, &principal, id, Decision::Accept).await?.into()))
}

/// Rejects a service: left out of plans. A locked one answers 409.
#[utoipa::path(post, path = "/services/{id}/reject", tag = "services", params(("id" = ServiceId, Path)), responses(
    (status = 200, body = ServiceBody),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn reject_service(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<ServiceId>,
) -> Result<Json<ServiceBody>, Problem> {
    Ok(Json(components::decide(&app, &principal, id, Decision::Reject).await?.into()))
}

/// Locks a service: its Dockerfile, fields and variables must not change.
#[utoipa::path(post, path = "/services/{id}/lock", tag = "services", params(("id" = ServiceId, Path)), responses(
    (status = 200, body = ServiceBody),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn lock_service(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<ServiceId>,
) -> Result<Json<ServiceBody>, Problem> {
    Ok(Json(components::decide(&app, &principal, id, Decision::Lock).await?.into()))
}

/// Unlocks a service.
#[utoipa::path(post, path = "/services/{id}/unlock", tag = "services", params(("id" = ServiceId, Path)), responses(
    (status = 200, body = ServiceBody),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn unlock_service(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<ServiceId>,
) -> Result<Json<ServiceBody>, Problem> {
    Ok(Json(components::decide(&app, &principal, id, Decision::Unlock).await?.into()))
}
