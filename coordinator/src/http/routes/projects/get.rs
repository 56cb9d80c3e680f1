//! `GET /projects/{id}`

use axum::Json;
use axum::extract::State;
use hydron_proto::ids::ProjectId;

use super::body::ProjectBody;
use crate::app::AppState;
use crate::http::extract::Path;
use crate::http::problem::{Problem, ProblemBody};
use crate::services::principal::Principal;
use crate::services::projects;

/// Shows a project.
#[utoipa::path(get, path = "/projects/{id}", tag = "projects", params(("id" = ProjectId, Path)), responses(
    (status = 200, body = ProjectBody),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn get_project(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<ProjectId>,
) -> Result<Json<ProjectBody>, Problem> {
    Ok(Json(projects::get(&app, &principal, id).await?.into()))
}
