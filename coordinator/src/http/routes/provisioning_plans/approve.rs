//! `POST /provisioning-plans/{id}/approve`

use axum::Json;
use axum::extract::State;
use hydron_proto::ids::ProvisioningPlanId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ProvisioningBody;
use crate::app::AppState;
use crate::http::extract::{Body, Path};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::routes::infrastructure_plans::digest;
use crate::http::routes::infrastructure_plans::started;
use crate::http::routes::runs::RunBody;
use crate::services::plans::{self, Approved};
use crate::services::principal::Principal;

/// What you were shown.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ApproveProvisioning {
    /// The plan's digest, as it was shown to you.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    digest: String,
}

/// The plan afterwards, and the run if this was the last approval.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ApprovedProvisioning {
    plan: ProvisioningBody,
    run: Option<RunBody>,
}

/// Approves exactly what you were shown; the last one of its infrastructure plan starts the run.
#[utoipa::path(post, path = "/provisioning-plans/{id}/approve", tag = "plans", request_body = ApproveProvisioning,
    params(("id" = ProvisioningPlanId, Path), ("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{1,255}$", description = "Repeating the request with the same key gives the same answer")),
    responses(
    (status = 200, body = ApprovedProvisioning),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn approve_provisioning_plan(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<ProvisioningPlanId>,
    Body(body): Body<ApproveProvisioning>,
) -> Result<Json<ApprovedProvisioning>, Problem> {
    let shown = digest("digest", &body.digest)?;
    let Approved { plan, run } = plans::approve_provisioning(&app, &principal, id, shown).await?;
    let run = started(&app, &principal, run).await?;
    Ok(Json(ApprovedProvisioning { plan: plan.into(), run }))
}
