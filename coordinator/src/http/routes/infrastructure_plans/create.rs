//! `POST /projects/{id}/infrastructure-plans`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use hydron_proto::ids::{ProjectId, ServerId};
use serde::Deserialize;
use utoipa::ToSchema;

use super::body::PlanBody;
use crate::app::AppState;
use crate::http::extract::{Body, Path};
use crate::http::problem::{Problem, ProblemBody};
use crate::services::plans;
use crate::services::principal::Principal;

/// Where it may run.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CreatePlan {
    /// Servers that may be used; all of the team when left out.
    server_ids: Vec<ServerId>,
}

/// Makes a plan for the accepted services, with one provisioning plan a server.
#[utoipa::path(post, path = "/projects/{id}/infrastructure-plans", tag = "plans", request_body = CreatePlan,
    params(("id" = ProjectId, Path), ("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{1,255}$", description = "Repeating the request with the same key gives the same answer")),
    responses(
    (status = 201, body = PlanBody),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn create_infrastructure_plan(
    State(app): State<AppState>,
    principal: Principal,
    Path(project): Path<ProjectId>,
    Body(body): Body<CreatePlan>,
) -> Result<(StatusCode, Json<PlanBody>), Problem> {
    let plan = plans::create(&app, &principal, project, &body.server_ids).await?;
    Ok((StatusCode::CREATED, Json(plan.into())))
}
