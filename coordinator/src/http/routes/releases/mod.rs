//! `/releases`: what ran, what runs, what can come back.

mod list;
mod rollback;

use hydron_domain::release::ReleaseState;
use hydron_proto::ids::{ReleaseId, ServerId, ServiceId};
use hydron_store::releases::Release;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::AppState;
use crate::http::gate::Access;
use crate::http::problem::Problem;
use crate::services::operations::OperationError;
use crate::services::principal::Permission;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list::list_releases)).routes(routes!(rollback::rollback_release))
}

pub(super) const ACCESS: &[(&str, Access)] = &[
    ("list_releases", Access::Needs(Permission::ProjectsRead)),
    ("rollback_release", Access::Needs(Permission::RunsControl)),
];

/// A release of a service on a server.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Release)]
pub(in crate::http) struct ReleaseBody {
    id: ReleaseId,
    service_id: ServiceId,
    server_id: ServerId,
    state: ReleaseState,
    commit: Option<String>,
    image_id: Option<String>,
    created_at: i64,
    live_since: Option<i64>,
    retired_at: Option<i64>,
    /// It serves now.
    current: bool,
    /// It was live before and is one of the last three that its server keeps, so it can come back.
    rollback_possible: bool,
}

impl From<Release> for ReleaseBody {
    fn from(release: Release) -> Self {
        let rollback_possible = release.can_come_back();
        Self {
            id: release.id,
            service_id: release.service,
            server_id: release.server,
            state: release.state,
            commit: release.commit,
            image_id: release.image_id,
            created_at: release.created_at,
            live_since: release.live_since,
            retired_at: release.retired_at,
            current: release.state == ReleaseState::Live,
            rollback_possible,
        }
    }
}

impl From<OperationError> for Problem {
    fn from(error: OperationError) -> Self {
        match error {
            OperationError::Denied(denied) => denied.into(),
            OperationError::NotFound(what) => Self::not_found(what),
            OperationError::Invalid(invalid) => invalid.into(),
            OperationError::WrongState(why) => Self::conflict("wrong_state", why),
            OperationError::Create(error) => crate::services::refusal::Refusal::Run(error).into(),
            OperationError::Plan(error) => Self::internal(&error),
            OperationError::Store(error) => error.into(),
        }
    }
}
