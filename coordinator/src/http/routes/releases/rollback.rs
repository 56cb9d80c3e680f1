//! `POST /releases/{id}/rollback`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use hydron_proto::ids::ReleaseId;

use crate::app::AppState;
use crate::http::extract::Path;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::routes::runs::{RunBody, shown};
use crate::services::operations;
use crate::services::principal::Principal;

/// Brings a release back: its image and its environment, swapped like any release.
#[utoipa::path(post, path = "/releases/{id}/rollback", tag = "releases",
    params(("id" = ReleaseId, Path),
        ("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{1,255}$", description = "Repeating the request with the same key gives the same answer")),
    responses(
        (status = 201, body = RunBody),
        (status = "default", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(super) async fn rollback_release(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<ReleaseId>,
) -> Result<(StatusCode, Json<RunBody>), Problem> {
    let run = operations::rollback(&app, &principal, id).await?;
    Ok((StatusCode::CREATED, Json(shown(&app, &principal, run).await?)))
}
