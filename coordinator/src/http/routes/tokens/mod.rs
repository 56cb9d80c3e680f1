//! `/tokens`: API tokens of the team.

mod create;
mod list;
mod revoke;

use hydron_domain::identity::Role;
use hydron_proto::ids::TokenId;
use hydron_store::tokens::Token;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::AppState;
use crate::http::gate::Access;
use crate::http::problem::Problem;
use crate::services::principal::Permission;
use crate::services::tokens::TokenError;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list_tokens, create::create_token))
        .routes(routes!(revoke::revoke_token))
}

pub(super) const ACCESS: &[(&str, Access)] = &[
    ("list_tokens", Access::Needs(Permission::TokensManage)),
    ("create_token", Access::Needs(Permission::TokensManage)),
    ("revoke_token", Access::Needs(Permission::TokensManage)),
];

/// An API token, without its text.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Token)]
pub(super) struct TokenBody {
    id: TokenId,
    name: String,
    /// The first characters of the text, to recognise it.
    prefix: String,
    role: Role,
    created_at: i64,
    expires_at: i64,
    last_used_at: Option<i64>,
}

impl From<Token> for TokenBody {
    fn from(token: Token) -> Self {
        let Token { id, name, prefix, role, created_at, expires_at, last_used_at, team: _, created_by: _ } =
            token;
        Self { id, name, prefix, role, created_at, expires_at, last_used_at }
    }
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Denied(denied) => denied.into(),
            TokenError::Invalid(invalid) => invalid.into(),
            TokenError::NotFound => Self::not_found("token"),
            TokenError::Store(error) => error.into(),
        }
    }
}
