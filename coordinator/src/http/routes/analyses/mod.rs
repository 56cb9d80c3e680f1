//! `/projects/{id}/analyses` and `/analyses/{id}`: readings of repositories.

mod body;
mod get;
mod list;
mod start;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::AppState;
use crate::http::gate::Access;
use crate::services::principal::Permission;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list_analyses, start::start_analysis))
        .routes(routes!(get::get_analysis))
}

pub(super) const ACCESS: &[(&str, Access)] = &[
    ("list_analyses", Access::Needs(Permission::ProjectsRead)),
    ("start_analysis", Access::Needs(Permission::ProjectsWrite)),
    ("get_analysis", Access::Needs(Permission::ProjectsRead)),
];
