//! `GET /tokens`

use axum::Json;
use axum::extract::State;

use super::TokenBody;
use crate::app::AppState;
use crate::http::extract::Page;
use crate::http::problem::{Problem, ProblemBody};
use crate::services::principal::Principal;
use crate::services::tokens;

/// Lists the team's API tokens, newest first.
#[utoipa::path(get, path = "/tokens", tag = "tokens", responses(
    (status = 200, body = Page<TokenBody>),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn list_tokens(
    State(app): State<AppState>,
    principal: Principal,
) -> Result<Json<Page<TokenBody>>, Problem> {
    let tokens = tokens::list(&app, &principal).await?;
    Ok(Json(Page::whole(tokens.into_iter().map(TokenBody::from).collect())))
}
