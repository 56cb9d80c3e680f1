//! `/provisioning-plans/{id}`: every step that will touch one server.

mod approve;
mod body;
mod edit;
mod get;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) use body::ProvisioningBody;

use crate::app::AppState;
use crate::http::gate::Access;
use crate::services::principal::Permission;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(get::get_provisioning_plan, edit::edit_provisioning_plan))
        .routes(routes!(approve::approve_provisioning_plan))
}

pub(super) const ACCESS: &[(&str, Access)] = &[
    ("get_provisioning_plan", Access::Needs(Permission::ProjectsRead)),
    ("edit_provisioning_plan", Access::Needs(Permission::PlansWrite)),
    ("approve_provisioning_plan", Access::Needs(Permission::PlansWrite)),
];
