//! `DELETE /tokens/{id}`

use axum::extract::State;
use axum::http::StatusCode;
use hydron_proto::ids::TokenId;

use crate::app::AppState;
use crate::http::extract::Path;
use crate::http::problem::{Problem, ProblemBody};
use crate::services::principal::Principal;
use crate::services::tokens;

/// Revokes an API token: requests with it fail from now on.
#[utoipa::path(delete, path = "/tokens/{id}", tag = "tokens", params(("id" = TokenId, Path)), responses(
    (status = 204),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn revoke_token(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<TokenId>,
) -> Result<StatusCode, Problem> {
    tokens::revoke(&app, &principal, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
