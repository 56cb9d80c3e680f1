//! `GET /services/{id}`

use axum::Json;
use axum::extract::State;
use hydron_proto::ids::ServiceId;

use super::body::ServiceBody;
use crate::app::AppState;
use crate::http::extract::Path;
use crate::http::problem::{Problem, ProblemBody};
use crate::services::components;
use crate::services::principal::Principal;

/// Shows a service.
#[utoipa::path(get, path = "/services/{id}", tag = "services", params(("id" = ServiceId, Path)), responses(
    (status = 200, body = ServiceBody),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn get_service(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<ServiceId>,
) -> Result<Json<ServiceBody>, Problem> {
    Ok(Json(components::get(&app, &principal, id).await?.into()))
}
