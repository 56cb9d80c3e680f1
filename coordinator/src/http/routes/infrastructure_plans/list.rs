//! `GET /projects/{id}/infrastructure-plans`

use axum::Json;
use axum::extract::State;
use hydron_proto::ids::ProjectId;

use super::body::PlanBody;
use crate::app::AppState;
use crate::http::extract::{Page, Path};
use crate::http::problem::{Problem, ProblemBody};
use crate::services::plans;
use crate::services::principal::Principal;

/// Lists a project's plans, newest first.
#[utoipa::path(get, path = "/projects/{id}/infrastructure-plans", tag = "plans",
    params(("id" = ProjectId, Path)), responses(
    (status = 200, body = Page<PlanBody>),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn list_infrastructure_plans(
    State(app): State<AppState>,
    principal: Principal,
    Path(project): Path<ProjectId>,
) -> Result<Json<Page<PlanBody>>, Problem> {
    let plans = plans::list(&app, &principal, project).await?;
    Ok(Json(Page::whole(plans.into_iter().map(PlanBody::from).collect())))
}
