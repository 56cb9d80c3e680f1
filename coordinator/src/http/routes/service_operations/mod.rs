//! `/services/{id}/restart`, `/stop`, `/start`, `/logs`: signed operations on what runs, each a run of one step.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use hydron_proto::ids::ServiceId;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::runs::{RunBody, shown};
use crate::app::AppState;
use crate::http::extract::{Body, Path};
use crate::http::gate::Access;
use crate::http::problem::{Problem, ProblemBody};
use crate::services::operations::{self, Ask};
use crate::services::principal::{Permission, Principal};

/// Lines when the caller does not say.
const LINES: u32 = 200;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(restart_service))
        .routes(routes!(stop_service))
        .routes(routes!(start_service))
        .routes(routes!(read_service_logs))
}

pub(super) const ACCESS: &[(&str, Access)] = &[
    ("restart_service", Access::Needs(Permission::RunsControl)),
    ("stop_service", Access::Needs(Permission::RunsControl)),
    ("start_service", Access::Needs(Permission::RunsControl)),
    ("read_service_logs", Access::Needs(Permission::RunsControl)),
];

/// Stops and starts the live containers of a service.
#[utoipa::path(post, path = "/services/{id}/restart", tag = "services", params(("id" = ServiceId, Path)), responses(
    (status = 201, body = RunBody),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
async fn restart_service(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<ServiceId>,
) -> Result<(StatusCode, Json<RunBody>), Problem> {
    asked(&app, &principal, id, Ask::Restart).await
}

/// Stops the live containers of a service; its routes answer 503.
#[utoipa::path(post, path = "/services/{id}/stop", tag = "services", params(("id" = ServiceId, Path)), responses(
    (status = 201, body = RunBody),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
async fn stop_service(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<ServiceId>,
) -> Result<(StatusCode, Json<RunBody>), Problem> {
    asked(&app, &principal, id, Ask::Stop).await
}

/// Starts a stopped service again.
#[utoipa::path(post, path = "/services/{id}/start", tag = "services", params(("id" = ServiceId, Path)), responses(
    (status = 201, body = RunBody),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
async fn start_service(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<ServiceId>,
) -> Result<(StatusCode, Json<RunBody>), Problem> {
    asked(&app, &principal, id, Ask::Start).await
}

/// How much of the output.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReadServiceLogs {
    /// The last so many lines (1–10000, 200 when left out).
    #[schema(minimum = 1, maximum = 10000)]
    lines: Option<u32>,
}

/// Fetches the last lines of a service's output; they are the output of the run's only step.
#[utoipa::path(post, path = "/services/{id}/logs", tag = "services", request_body = ReadServiceLogs,
    params(("id" = ServiceId, Path)), responses(
    (status = 201, body = RunBody),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
async fn read_service_logs(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<ServiceId>,
    Body(body): Body<ReadServiceLogs>,
) -> Result<(StatusCode, Json<RunBody>), Problem> {
    asked(&app, &principal, id, Ask::Logs { lines: body.lines.unwrap_or(LINES) }).await
}

async fn asked(
    app: &AppState,
    principal: &Principal,
    id: ServiceId,
    ask: Ask,
) -> Result<(StatusCode, Json<RunBody>), Problem> {
    let run = operations::ask(app, principal, id, ask).await?;
    Ok((StatusCode::CREATED, Json(shown(app, principal, run).await?)))
}
