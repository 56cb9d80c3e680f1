//! `POST /approvals/{id}/{approve,decline}`

use axum::Json;
use axum::extract::State;
use hydron_proto::ids::ApprovalId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::ApprovalBody;
use crate::app::AppState;
use crate::http::extract::{Body, Path};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::routes::infrastructure_plans::digest;
use crate::http::routes::infrastructure_plans::started;
use crate::http::routes::runs::RunBody;
use crate::services::approvals;
use crate::services::principal::Principal;

/// What you were shown.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Approve {
    /// The digest, as it was shown to you.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    digest: String,
}

/// The approval afterwards, and the run if this was the last one.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ApprovedApproval {
    approval: ApprovalBody,
    run: Option<RunBody>,
}

/// Says yes to exactly what you were shown.
#[utoipa::path(post, path = "/approvals/{id}/approve", tag = "approvals", request_body = Approve,
    params(("id" = ApprovalId, Path)), responses(
    (status = 200, body = ApprovedApproval),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn approve_approval(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<ApprovalId>,
    Body(body): Body<Approve>,
) -> Result<Json<ApprovedApproval>, Problem> {
    let shown = digest("digest", &body.digest)?;
    let (approval, run) = approvals::approve(&app, &principal, id, shown).await?;
    let run = started(&app, &principal, run).await?;
    Ok(Json(ApprovedApproval { approval: approval.into(), run }))
}

/// Says no.
#[utoipa::path(post, path = "/approvals/{id}/decline", tag = "approvals", params(("id" = ApprovalId, Path)), responses(
    (status = 200, body = ApprovalBody),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn decline_approval(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<ApprovalId>,
) -> Result<Json<ApprovalBody>, Problem> {
    Ok(Json(approvals::decline(&app, &principal, id).await?.into()))
}
