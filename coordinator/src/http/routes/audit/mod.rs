//! `/audit`: who did what.

mod list;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::AppState;
use crate::http::gate::Access;
use crate::services::principal::Permission;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list::list_audit))
}

pub(super) const ACCESS: &[(&str, Access)] = &[("list_audit", Access::Needs(Permission::AuditRead))];
