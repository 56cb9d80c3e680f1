//! `POST /tokens`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use hydron_domain::identity::Role;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::TokenBody;
use crate::app::AppState;
use crate::http::extract::Body;
use crate::http::problem::{Problem, ProblemBody};
use crate::services::principal::Principal;
use crate::services::tokens::{self, NewToken};

/// What the token shall be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateToken {
    /// What you call it.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = r"^[^\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]*[^\s\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069][^\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]*$"
    )]
    name: String,
    /// What it may do; your own role when left out.
    role: Option<Role>,
    /// How many days it lives (1–366); 90 when left out.
    #[schema(minimum = 1, maximum = 366)]
    expires_in_days: Option<u32>,
}

/// A new token and its text, which is shown this once.
#[derive(Serialize, ToSchema)]
pub(super) struct CreatedToken {
    #[serde(flatten)]
    about: TokenBody,
    /// The text: `hyd_pat_…`. It cannot be shown again.
    token: String,
}

/// Makes an API token for this team. It never has more rights than you, and never approves above R2.
#[utoipa::path(post, path = "/tokens", tag = "tokens", request_body = CreateToken,
    params(("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{1,255}$", description = "Repeating the request with the same key gives the same answer")),
    responses(
        (status = 201, body = CreatedToken),
        (status = "default", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(super) async fn create_token(
    State(app): State<AppState>,
    principal: Principal,
    Body(body): Body<CreateToken>,
) -> Result<(StatusCode, Json<CreatedToken>), Problem> {
    let CreateToken { name, role, expires_in_days } = body;
    let (token, text) = tokens::create(&app, &principal, NewToken { name, role, expires_in_days }).await?;
    let created = CreatedToken { about: token.into(), token: text.reveal().to_owned() };
    Ok((StatusCode::CREATED, Json(created)))
}
