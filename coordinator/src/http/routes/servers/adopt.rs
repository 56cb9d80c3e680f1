//! `POST /servers/adopt`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ServerBody, adopt_command};
use crate::app::AppState;
use crate::http::extract::Body;
use crate::http::problem::{Problem, ProblemBody};
use crate::services::principal::Principal;
use crate::services::{enrollment, servers};

/// What the server shall be called.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AdoptServer {
    /// What you call it.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = r"^[^\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]*[^\s\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069][^\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]*$"
    )]
    name: String,
}

/// A server that waits to be joined, and the token that joins it, which is shown this once.
#[derive(Serialize, ToSchema)]
pub(super) struct Adoption {
    server: ServerBody,
    /// The token: `hyd1.…`. It serves one machine once.
    token: String,
    /// What to run on the machine, as root; it asks for the token.
    command: String,
    expires_at: i64,
}

/// Makes a server and the one-time token that turns a machine into it.
#[utoipa::path(post, path = "/servers/adopt", tag = "servers", request_body = AdoptServer,
    params(("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{1,255}$", description = "Repeating the request with the same key gives the same answer")),
    responses(
        (status = 201, body = Adoption),
        (status = "default", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(super) async fn adopt_server(
    State(app): State<AppState>,
    principal: Principal,
    Body(body): Body<AdoptServer>,
) -> Result<(StatusCode, Json<Adoption>), Problem> {
    let token = enrollment::adopt(&app, &principal, &body.name).await?;
    let server = servers::get(&app, &principal, token.server).await?.into();
    let adoption = Adoption {
        server,
        token: token.text.as_str().to_owned(),
        command: adopt_command(&app),
        expires_at: token.expires_at,
    };
    Ok((StatusCode::CREATED, Json(adoption)))
}
