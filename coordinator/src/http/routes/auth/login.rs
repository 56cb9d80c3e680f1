//! `POST /auth/login`

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::{MeBody, signed_in};
use crate::app::AppState;
use crate::http::extract::{Body, ClientAddress};
use crate::http::problem::{Problem, ProblemBody};
use crate::services::auth;

/// Address and password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Login {
    email: String,
    password: String,
}

/// Signs in. After five wrong tries an address waits a quarter of an hour, except where somebody signed in with it before.
#[utoipa::path(post, path = "/auth/login", tag = "auth", security(), request_body = Login, responses(
    (status = 200, body = MeBody),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn login(
    State(app): State<AppState>,
    ClientAddress(address): ClientAddress,
    Body(Login { email, password }): Body<Login>,
) -> Result<Response, Problem> {
    let session = auth::sign_in(&app, &email, Zeroizing::new(password), &address.to_string()).await?;
    signed_in(&app, StatusCode::OK, session).await
}
