//! `GET /approvals`

use axum::Json;
use axum::extract::State;
use hydron_domain::approval::ApprovalState;
use serde::Deserialize;
use utoipa::IntoParams;

use super::body::ApprovalBody;
use crate::app::AppState;
use crate::http::extract::{Page, Query};
use crate::http::problem::{Problem, ProblemBody};
use crate::services::approvals;
use crate::services::principal::Principal;

/// Which approvals.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ApprovalsQuery {
    /// `pending` when left out.
    state: Option<ApprovalState>,
}

/// Lists approvals in a state, oldest first.
#[utoipa::path(get, path = "/approvals", tag = "approvals", params(ApprovalsQuery), responses(
    (status = 200, body = Page<ApprovalBody>),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn list_approvals(
    State(app): State<AppState>,
    principal: Principal,
    Query(query): Query<ApprovalsQuery>,
) -> Result<Json<Page<ApprovalBody>>, Problem> {
    let found = approvals::list(&app, &principal, query.state.unwrap_or(ApprovalState::Pending)).await?;
    Ok(Json(Page::whole(found.into_iter().map(ApprovalBody::from).collect())))
}
