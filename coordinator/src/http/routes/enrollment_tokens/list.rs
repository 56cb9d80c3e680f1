//! `GET /enrollment-tokens`

use axum::Json;
use axum::extract::State;

use super::EnrollmentTokenBody;
use crate::app::AppState;
use crate::http::extract::Page;
use crate::http::problem::{Problem, ProblemBody};
use crate::services::enrollment;
use crate::services::principal::Principal;

/// Lists the team's enrollment tokens, newest first.
#[utoipa::path(get, path = "/enrollment-tokens", tag = "servers", responses(
    (status = 200, body = Page<EnrollmentTokenBody>),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn list_enrollment_tokens(
    State(app): State<AppState>,
    principal: Principal,
) -> Result<Json<Page<EnrollmentTokenBody>>, Problem> {
    let (rows, now) = (enrollment::list_tokens(&app, &principal).await?, app.now());
    Ok(Json(Page::whole(rows.iter().map(|row| EnrollmentTokenBody::new(row, now)).collect())))
}
