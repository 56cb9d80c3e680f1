//! `PATCH /infrastructure-plans/{id}`

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use hydron_proto::ids::{InfrastructurePlanId, ServerId, ServiceId};
use serde::Deserialize;
use utoipa::ToSchema;

use super::body::PlanBody;
use crate::app::AppState;
use crate::http::extract::{Body, Path};
use crate::http::problem::{Problem, ProblemBody};
use crate::services::plans;
use crate::services::principal::Principal;

/// Where services shall run.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PlacePlan {
    /// Server by service.
    #[schema(value_type = std::collections::HashMap<ServiceId, ServerId>)]
    placement: BTreeMap<ServiceId, ServerId>,
}

/// Makes the plan again with services where you want them. Digests change, earlier approvals are void.
#[utoipa::path(patch, path = "/infrastructure-plans/{id}", tag = "plans", request_body = PlacePlan,
    params(("id" = InfrastructurePlanId, Path)), responses(
    (status = 200, body = PlanBody),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn place_infrastructure_plan(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<InfrastructurePlanId>,
    Body(body): Body<PlacePlan>,
) -> Result<Json<PlanBody>, Problem> {
    Ok(Json(plans::place(&app, &principal, id, body.placement).await?.into()))
}
