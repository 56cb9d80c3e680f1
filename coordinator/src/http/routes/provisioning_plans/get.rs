//! `GET /provisioning-plans/{id}`

use axum::Json;
use axum::extract::State;
use hydron_proto::ids::ProvisioningPlanId;

use super::ProvisioningBody;
use crate::app::AppState;
use crate::http::extract::Path;
use crate::http::problem::{Problem, ProblemBody};
use crate::services::plans;
use crate::services::principal::Principal;

/// Shows a provisioning plan.
#[utoipa::path(get, path = "/provisioning-plans/{id}", tag = "plans",
    params(("id" = ProvisioningPlanId, Path)), responses(
    (status = 200, body = ProvisioningBody),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn get_provisioning_plan(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<ProvisioningPlanId>,
) -> Result<Json<ProvisioningBody>, Problem> {
    Ok(Json(plans::get_provisioning(&app, &principal, id).await?.into()))
}
