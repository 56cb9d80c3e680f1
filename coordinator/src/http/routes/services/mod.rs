//! `/projects/{id}/services` and `/services/{id}`: what is deployed, and its environment.

mod accept_all;
mod body;
mod decide;
mod env;
mod get;
mod list;
mod update;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::AppState;
use crate::http::gate::Access;
use crate::services::principal::Permission;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list_services))
        .routes(routes!(accept_all::accept_all_services))
        .routes(routes!(get::get_service, update::update_service))
        .routes(routes!(decide::accept_service))
        .routes(routes!(decide::reject_service))
        .routes(routes!(decide::lock_service))
        .routes(routes!(decide::unlock_service))
        .routes(routes!(env::list_service_env, env::put_service_env))
        .routes(routes!(env::delete_service_env))
}

pub(super) const ACCESS: &[(&str, Access)] = &[
    ("list_services", Access::Needs(Permission::ProjectsRead)),
    ("accept_all_services", Access::Needs(Permission::ProjectsWrite)),
    ("get_service", Access::Needs(Permission::ProjectsRead)),
    ("update_service", Access::Needs(Permission::ProjectsWrite)),
    ("accept_service", Access::Needs(Permission::ProjectsWrite)),
    ("reject_service", Access::Needs(Permission::ProjectsWrite)),
    ("lock_service", Access::Needs(Permission::ProjectsWrite)),
    ("unlock_service", Access::Needs(Permission::ProjectsWrite)),
    ("list_service_env", Access::Needs(Permission::ProjectsRead)),
    ("put_service_env", Access::Needs(Permission::ProjectsWrite)),
    ("delete_service_env", Access::Needs(Permission::ProjectsWrite)),
];
