//! `POST /auth/logout`

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use crate::app::AppState;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::session_cookie;
use crate::services::auth;
use crate::services::principal::Principal;

/// Ends this session.
#[utoipa::path(post, path = "/auth/logout", tag = "auth", responses(
    (status = 204),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn logout(State(app): State<AppState>, principal: Principal) -> Result<Response, Problem> {
    auth::sign_out(&app, &principal).await?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, session_cookie::clear())]).into_response())
}
