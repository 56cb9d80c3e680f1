//! `DELETE /enrollment-tokens/{id}`

use axum::extract::State;
use axum::http::StatusCode;
use hydron_proto::ids::EnrollmentTokenId;

use crate::app::AppState;
use crate::http::extract::Path;
use crate::http::problem::{Problem, ProblemBody};
use crate::services::enrollment;
use crate::services::principal::Principal;

/// Takes an unused enrollment token back.
#[utoipa::path(delete, path = "/enrollment-tokens/{id}", tag = "servers", params(("id" = EnrollmentTokenId, Path)),
    responses(
        (status = 204),
        (status = "default", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(super) async fn revoke_enrollment_token(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<EnrollmentTokenId>,
) -> Result<StatusCode, Problem> {
    enrollment::revoke_token(&app, &principal, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
