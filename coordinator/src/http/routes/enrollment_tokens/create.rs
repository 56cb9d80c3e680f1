//! `POST /enrollment-tokens`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use hydron_proto::ids::{EnrollmentTokenId, ServerId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::AppState;
use crate::http::extract::Body;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::routes::servers::adopt_command;
use crate::services::enrollment;
use crate::services::principal::Principal;

/// For which server.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateEnrollmentToken {
    /// The server that the machine shall become.
    server_id: ServerId,
}

/// A new token and its text, which is shown this once.
#[derive(Serialize, ToSchema)]
pub(super) struct CreatedEnrollmentToken {
    id: EnrollmentTokenId,
    server_id: ServerId,
    /// The token: `hyd1.…`. It serves one machine once.
    token: String,
    /// What to run on the machine, as root; it asks for the token.
    command: String,
    expires_at: i64,
}

/// Makes a new token for a server whose first one was lost, or whose machine was installed again. Older unused tokens of
/// that server end.
#[utoipa::path(post, path = "/enrollment-tokens", tag = "servers", request_body = CreateEnrollmentToken,
    params(("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{1,255}$", description = "Repeating the request with the same key gives the same answer")),
    responses(
        (status = 201, body = CreatedEnrollmentToken),
        (status = "default", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(super) async fn create_enrollment_token(
    State(app): State<AppState>,
    principal: Principal,
    Body(body): Body<CreateEnrollmentToken>,
) -> Result<(StatusCode, Json<CreatedEnrollmentToken>), Problem> {
    let token = enrollment::create_token(&app, &principal, body.server_id).await?;
    let created = CreatedEnrollmentToken {
        id: token.id,
        server_id: token.server,
        token: token.text.as_str().to_owned(),
        command: adopt_command(&app),
        expires_at: token.expires_at,
    };
    Ok((StatusCode::CREATED, Json(created)))
}
