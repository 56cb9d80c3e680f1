//! `/projects/{id}/infrastructure-plans` and `/infrastructure-plans/{id}`: which servers, what runs where.

mod approve;
mod body;
mod create;
mod get;
mod list;
mod place;
mod provisioning;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) use body::{digest, started};

use crate::app::AppState;
use crate::http::gate::Access;
use crate::services::principal::Permission;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list_infrastructure_plans, create::create_infrastructure_plan))
        .routes(routes!(get::get_infrastructure_plan, place::place_infrastructure_plan))
        .routes(routes!(approve::approve_infrastructure_plan))
        .routes(routes!(provisioning::list_provisioning_plans))
}

pub(super) const ACCESS: &[(&str, Access)] = &[
    ("list_infrastructure_plans", Access::Needs(Permission::ProjectsRead)),
    ("create_infrastructure_plan", Access::Needs(Permission::PlansWrite)),
    ("get_infrastructure_plan", Access::Needs(Permission::ProjectsRead)),
    ("place_infrastructure_plan", Access::Needs(Permission::PlansWrite)),
    ("approve_infrastructure_plan", Access::Needs(Permission::PlansWrite)),
    ("list_provisioning_plans", Access::Needs(Permission::ProjectsRead)),
];
