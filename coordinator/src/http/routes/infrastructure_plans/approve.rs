//! `POST /infrastructure-plans/{id}/approve`

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use hydron_proto::ids::{InfrastructurePlanId, ProvisioningPlanId};
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use utoipa::{PartialSchema, ToSchema};

use super::body::{PlanBody, digest};
use crate::app::AppState;
use crate::http::extract::{Body, Path};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::routes::infrastructure_plans::started;
use crate::http::routes::runs::RunBody;
use crate::services::plans::{self, Approved, Start};
use crate::services::principal::Principal;

/// What you were shown, and whether it covers everything.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ApprovePlan {
    /// The plan's digest, as it was shown to you.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    digest: String,
    /// Approve the provisioning plans too, and start.
    #[serde(default)]
    start: bool,
    /// With `start`: the digest of each provisioning plan, as it was shown to you.
    #[serde(default)]
    #[schema(schema_with = digests)]
    provisioning_digests: BTreeMap<ProvisioningPlanId, String>,
}

/// Digests by provisioning plan.
fn digests() -> Object {
    let digest = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[0-9a-f]{64}$"));
    let plan = <ProvisioningPlanId as PartialSchema>::schema();
    ObjectBuilder::new().property_names(Some(plan)).additional_properties(Some(digest)).build()
}

/// The plan afterwards, and the run if one was started.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ApprovedPlan {
    plan: PlanBody,
    run: Option<RunBody>,
}

/// Approves exactly what you were shown; any other digest answers 409.
#[utoipa::path(post, path = "/infrastructure-plans/{id}/approve", tag = "plans", request_body = ApprovePlan,
    params(("id" = InfrastructurePlanId, Path), ("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{1,255}$", description = "Repeating the request with the same key gives the same answer")),
    responses(
    (status = 200, body = ApprovedPlan),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn approve_infrastructure_plan(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<InfrastructurePlanId>,
    Body(body): Body<ApprovePlan>,
) -> Result<Json<ApprovedPlan>, Problem> {
    let shown = digest("digest", &body.digest)?;
    let mut start = Start::default();
    for (plan, text) in body.provisioning_digests {
        start.provisioning.insert(plan, digest(&format!("provisioning_digests.{plan}"), &text)?);
    }
    let start = body.start.then_some(&start);
    let Approved { plan, run } = plans::approve_infrastructure(&app, &principal, id, shown, start).await?;
    let run = started(&app, &principal, run).await?;
    Ok(Json(ApprovedPlan { plan: plan.into(), run }))
}
