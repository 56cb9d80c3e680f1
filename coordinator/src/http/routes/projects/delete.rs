//! `DELETE /projects/{id}`

use axum::extract::State;
use axum::http::StatusCode;
use hydron_proto::ids::ProjectId;

use crate::app::AppState;
use crate::http::extract::Path;
use crate::http::problem::{Problem, ProblemBody};
use crate::services::principal::Principal;
use crate::services::projects;

/// Deletes a project of which nothing is live; otherwise 409.
#[utoipa::path(delete, path = "/projects/{id}", tag = "projects", params(("id" = ProjectId, Path)), responses(
    (status = 204),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn delete_project(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<ProjectId>,
) -> Result<StatusCode, Problem> {
    projects::delete(&app, &principal, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
