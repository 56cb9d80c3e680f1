//! One folder a resource, one file a verb. A resource exports `routes()` and `ACCESS`: who may call each operation.
//!
//! Rule: handlers translate between JSON and a service, nothing else. `tokens/` is the example to follow.

mod analyses;
mod approvals;
mod audit;
mod auth;
mod chats;
mod enrollment_tokens;
mod infrastructure_plans;
mod projects;
mod provisioning_plans;
mod releases;
mod runs;
mod servers;
mod service_operations;
mod services;
mod setup;
mod teams;
mod tokens;

use utoipa_axum::router::OpenApiRouter;

use super::gate::Access;
use crate::app::AppState;

/// Every operation of the API.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(analyses::routes())
        .merge(approvals::routes())
        .merge(audit::routes())
        .merge(auth::routes())
        .merge(chats::routes())
        .merge(enrollment_tokens::routes())
        .merge(infrastructure_plans::routes())
        .merge(projects::routes())
        .merge(provisioning_plans::routes())
        .merge(releases::routes())
        .merge(runs::routes())
        .merge(servers::routes())
        .merge(service_operations::routes())
        .merge(services::routes())
        .merge(setup::routes())
        .merge(teams::routes())
        .merge(tokens::routes())
}

/// Who may call each operation, by its operation id.
pub fn access() -> Vec<(&'static str, Access)> {
    [
        analyses::ACCESS,
        approvals::ACCESS,
        audit::ACCESS,
        auth::ACCESS,
        chats::ACCESS,
        enrollment_tokens::ACCESS,
        infrastructure_plans::ACCESS,
        projects::ACCESS,
        provisioning_plans::ACCESS,
        releases::ACCESS,
        runs::ACCESS,
        servers::ACCESS,
        service_operations::ACCESS,
        services::ACCESS,
        setup::ACCESS,
        teams::ACCESS,
        tokens::ACCESS,
    ]
    .concat()
}
