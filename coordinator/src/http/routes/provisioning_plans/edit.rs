//! `PATCH /provisioning-plans/{id}`

use axum::Json;
use axum::extract::State;
use hydron_domain::planning::StepEdit;
use hydron_proto::ids::ProvisioningPlanId;
use serde::Deserialize;
use utoipa::ToSchema;

use super::ProvisioningBody;
use crate::app::AppState;
use crate::http::extract::{Body, Path};
use crate::http::problem::{Problem, ProblemBody};
use crate::services::plans;
use crate::services::principal::Principal;

/// Steps to change.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EditPlan {
    steps: Vec<StepEdit>,
}

/// Changes steps of a plan that has not begun. The digest changes; an approval of the old one is void.
#[utoipa::path(patch, path = "/provisioning-plans/{id}", tag = "plans", request_body = EditPlan,
    params(("id" = ProvisioningPlanId, Path)), responses(
    (status = 200, body = ProvisioningBody),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn edit_provisioning_plan(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<ProvisioningPlanId>,
    Body(body): Body<EditPlan>,
) -> Result<Json<ProvisioningBody>, Problem> {
    Ok(Json(plans::edit_provisioning(&app, &principal, id, &body.steps).await?.into()))
}
