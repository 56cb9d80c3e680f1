//! `POST /projects/{id}/services/accept-all`

use axum::Json;
use axum::extract::State;
use hydron_proto::ids::ProjectId;

use super::body::ServiceBody;
use crate::app::AppState;
use crate::http::extract::{Page, Path};
use crate::http::problem::{Problem, ProblemBody};
use crate::services::components;
use crate::services::principal::Principal;

/// Accepts every pending service that can be built.
#[utoipa::path(post, path = "/projects/{id}/services/accept-all", tag = "services",
    params(("id" = ProjectId, Path)), responses(
    (status = 200, body = Page<ServiceBody>),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn accept_all_services(
    State(app): State<AppState>,
    principal: Principal,
    Path(project): Path<ProjectId>,
) -> Result<Json<Page<ServiceBody>>, Problem> {
    let services = components::accept_all(&app, &principal, project).await?;
    Ok(Json(Page::whole(services.into_iter().map(ServiceBody::from).collect())))
}
