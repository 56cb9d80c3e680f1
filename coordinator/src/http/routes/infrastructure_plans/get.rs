//! `GET /infrastructure-plans/{id}`

use axum::Json;
use axum::extract::State;
use hydron_proto::ids::InfrastructurePlanId;

use super::body::PlanBody;
use crate::app::AppState;
use crate::http::extract::Path;
use crate::http::problem::{Problem, ProblemBody};
use crate::services::plans;
use crate::services::principal::Principal;

/// Shows a plan, and whether it still fits.
#[utoipa::path(get, path = "/infrastructure-plans/{id}", tag = "plans",
    params(("id" = InfrastructurePlanId, Path)), responses(
    (status = 200, body = PlanBody),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn get_infrastructure_plan(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<InfrastructurePlanId>,
) -> Result<Json<PlanBody>, Problem> {
    Ok(Json(plans::get(&app, &principal, id).await?.into()))
}
