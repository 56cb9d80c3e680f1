//! `GET /infrastructure-plans/{id}/provisioning-plans`

use axum::Json;
use axum::extract::State;
use hydron_proto::ids::InfrastructurePlanId;

use crate::app::AppState;
use crate::http::extract::{Page, Path};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::routes::provisioning_plans::ProvisioningBody;
use crate::services::plans;
use crate::services::principal::Principal;

/// Lists the provisioning plans of a plan: every step that will touch each server.
#[utoipa::path(get, path = "/infrastructure-plans/{id}/provisioning-plans", tag = "plans",
    params(("id" = InfrastructurePlanId, Path)), responses(
    (status = 200, body = Page<ProvisioningBody>),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn list_provisioning_plans(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<InfrastructurePlanId>,
) -> Result<Json<Page<ProvisioningBody>>, Problem> {
    let plans = plans::provisioning(&app, &principal, id).await?;
    Ok(Json(Page::whole(plans.into_iter().map(ProvisioningBody::from).collect())))
}
