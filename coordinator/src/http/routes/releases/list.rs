//! `GET /services/{id}/releases`

use axum::Json;
use axum::extract::State;
use hydron_proto::ids::ServiceId;

use super::ReleaseBody;
use crate::app::AppState;
use crate::http::extract::{Page, Path};
use crate::http::problem::{Problem, ProblemBody};
use crate::services::operations;
use crate::services::principal::Principal;

/// Lists the releases of a service, newest first.
#[utoipa::path(get, path = "/services/{id}/releases", tag = "releases", params(("id" = ServiceId, Path)), responses(
    (status = 200, body = Page<ReleaseBody>),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn list_releases(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<ServiceId>,
) -> Result<Json<Page<ReleaseBody>>, Problem> {
    let releases = operations::releases(&app, &principal, id).await?;
    Ok(Json(Page::whole(releases.into_iter().map(ReleaseBody::from).collect())))
}
