//! `GET /projects/{id}/analyses`

use axum::Json;
use axum::extract::State;
use hydron_proto::ids::ProjectId;

use super::body::AnalysisBody;
use crate::app::AppState;
use crate::http::extract::{Page, Path};
use crate::http::problem::{Problem, ProblemBody};
use crate::services::analyses;
use crate::services::principal::Principal;

/// Lists a project's analyses, newest first, without their results.
#[utoipa::path(get, path = "/projects/{id}/analyses", tag = "analyses", params(("id" = ProjectId, Path)), responses(
    (status = 200, body = Page<AnalysisBody>),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn list_analyses(
    State(app): State<AppState>,
    principal: Principal,
    Path(project): Path<ProjectId>,
) -> Result<Json<Page<AnalysisBody>>, Problem> {
    let runs = analyses::list(&app, &principal, project).await?;
    Ok(Json(Page::whole(runs.into_iter().map(|run| AnalysisBody::new(run, None)).collect())))
}
