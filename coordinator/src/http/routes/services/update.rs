//! `PATCH /services/{id}`

use axum::Json;
use axum::extract::State;
use hydron_domain::service::ServiceEdit;
use hydron_proto::ids::ServiceId;

use super::body::ServiceBody;
use crate::app::AppState;
use crate::http::extract::{Body, Path};
use crate::http::problem::{Problem, ProblemBody};
use crate::services::components;
use crate::services::principal::Principal;

/// Changes a service; what is left out stays. A locked one answers 409.
#[utoipa::path(patch, path = "/services/{id}", tag = "services", request_body = ServiceEdit,
    params(("id" = ServiceId, Path)), responses(
    (status = 200, body = ServiceBody),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn update_service(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<ServiceId>,
    Body(body): Body<ServiceEdit>,
) -> Result<Json<ServiceBody>, Problem> {
    Ok(Json(components::edit(&app, &principal, id, &body).await?.into()))
}
