//! `/setup`: the first owner, by the one-time link.

mod complete;
mod state;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::AppState;
use crate::http::gate::Access;
use crate::http::problem::Problem;
use crate::services::setup::SetupError;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(state::get_setup, complete::complete_setup))
}

pub(super) const ACCESS: &[(&str, Access)] =
    &[("get_setup", Access::Public), ("complete_setup", Access::Public)];

impl From<SetupError> for Problem {
    fn from(error: SetupError) -> Self {
        match error {
            SetupError::Invalid(invalid) => invalid.into(),
            SetupError::BadLink => Self::new(
                axum::http::StatusCode::FORBIDDEN,
                "bad_setup_link",
                "This set-up link is unknown or was used before. Restart the coordinator to print a fresh one.",
            ),
            SetupError::AlreadyDone => Self::conflict(
                "already_set_up",
                "This installation has been set up already. Sign in instead.",
            ),
            SetupError::Password(error) => Self::internal(&error),
            SetupError::Store(error) => error.into(),
        }
    }
}
