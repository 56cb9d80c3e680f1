//! `GET /projects`

use axum::Json;
use axum::extract::State;

use super::body::ProjectBody;
use crate::app::AppState;
use crate::http::extract::Page;
use crate::http::problem::{Problem, ProblemBody};
use crate::services::principal::Principal;
use crate::services::projects;

/// Lists the team's projects, newest first.
#[utoipa::path(get, path = "/projects", tag = "projects", responses(
    (status = 200, body = Page<ProjectBody>),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn list_projects(
    State(app): State<AppState>,
    principal: Principal,
) -> Result<Json<Page<ProjectBody>>, Problem> {
    let projects = projects::list(&app, &principal).await?;
    Ok(Json(Page::whole(projects.into_iter().map(ProjectBody::from).collect())))
}
