//! `/enrollment-tokens`: one-time rights to become a server.

mod create;
mod list;
mod revoke;

use hydron_domain::enrollment::TokenState;
use hydron_proto::ids::{EnrollmentTokenId, ServerId};
use hydron_store::enrollment::EnrollmentTokenRow;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::AppState;
use crate::http::gate::Access;
use crate::services::principal::Permission;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list_enrollment_tokens, create::create_enrollment_token))
        .routes(routes!(revoke::revoke_enrollment_token))
}

pub(super) const ACCESS: &[(&str, Access)] = &[
    ("list_enrollment_tokens", Access::Needs(Permission::ServersManage)),
    ("create_enrollment_token", Access::Needs(Permission::ServersManage)),
    ("revoke_enrollment_token", Access::Needs(Permission::ServersManage)),
];

/// An enrollment token, without its text.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EnrollmentToken)]
pub(super) struct EnrollmentTokenBody {
    id: EnrollmentTokenId,
    server_id: ServerId,
    state: TokenState,
    created_at: i64,
    expires_at: i64,
}

impl EnrollmentTokenBody {
    fn new(row: &EnrollmentTokenRow, now: i64) -> Self {
        Self {
            id: row.id,
            server_id: row.server,
            state: row.record.shown(now),
            created_at: row.created_at,
            expires_at: row.record.expires_at,
        }
    }
}
