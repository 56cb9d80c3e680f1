//! `POST /setup`

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::super::auth::{MeBody, signed_in};
use crate::app::AppState;
use crate::http::extract::{Body, ClientAddress};
use crate::http::problem::{Problem, ProblemBody};
use crate::services::setup::{self, Setup};

/// What the first owner types.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CompleteSetup {
    /// From the link, after `#token=`.
    token: String,
    email: String,
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = r"^[^\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]*[^\s\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069][^\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]*$"
    )]
    name: String,
    /// At least 12 characters.
    #[schema(min_length = 12, max_length = 1024)]
    password: String,
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = r"^[^\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]*[^\s\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069][^\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]*$"
    )]
    team_name: String,
}

/// Makes the first owner and the first team, and signs the owner in. Works once.
#[utoipa::path(post, path = "/setup", tag = "setup", security(), request_body = CompleteSetup, responses(
    (status = 201, body = MeBody),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn complete_setup(
    State(app): State<AppState>,
    ClientAddress(address): ClientAddress,
    Body(body): Body<CompleteSetup>,
) -> Result<Response, Problem> {
    let CompleteSetup { token, email, name, password, team_name } = body;
    let (token, password) = (Zeroizing::new(token), Zeroizing::new(password));
    let setup = Setup { token, email, name, password, team_name };
    let done = setup::complete(&app, setup, &address.to_string()).await?;
    signed_in(&app, StatusCode::CREATED, done).await
}
