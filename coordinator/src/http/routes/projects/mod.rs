//! `/projects`: applications and what a person sees of them at a glance.

mod body;
mod create;
mod delete;
mod get;
mod list;
mod update;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::AppState;
use crate::http::gate::Access;
use crate::services::principal::Permission;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list::list_projects, create::create_project)).routes(routes!(
        get::get_project,
        update::update_project,
        delete::delete_project
    ))
}

pub(super) const ACCESS: &[(&str, Access)] = &[
    ("list_projects", Access::Needs(Permission::ProjectsRead)),
    ("create_project", Access::Needs(Permission::ProjectsWrite)),
    ("get_project", Access::Needs(Permission::ProjectsRead)),
    ("update_project", Access::Needs(Permission::ProjectsWrite)),
    ("delete_project", Access::Needs(Permission::ProjectsDelete)),
];
