//! `/approvals`: questions that wait for a person.

mod body;
mod decide;
mod list;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::AppState;
use crate::http::gate::Access;
use crate::services::principal::Permission;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list_approvals))
        .routes(routes!(decide::approve_approval))
        .routes(routes!(decide::decline_approval))
}

pub(super) const ACCESS: &[(&str, Access)] = &[
    ("list_approvals", Access::Needs(Permission::ProjectsRead)),
    ("approve_approval", Access::Needs(Permission::PlansWrite)),
    ("decline_approval", Access::Needs(Permission::PlansWrite)),
];
