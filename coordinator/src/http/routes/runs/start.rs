//! `POST /projects/{id}/runs`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use hydron_proto::ids::{ProjectId, ServiceId};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{RunBody, get};
use crate::app::AppState;
use crate::http::extract::{Body, Path};
use crate::http::problem::{Problem, ProblemBody};
use crate::services::principal::Principal;
use crate::services::releases::{self, Redeploy};

/// What shall run.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StartRun {
    /// Kind of run.
    kind: StartKind,
    /// Exactly this commit; the newest of the ref when left out.
    #[schema(pattern = "^([0-9a-f]{40}|[0-9a-f]{64})$")]
    commit: Option<String>,
    /// Only these services; all when left out.
    #[serde(default)]
    services: Vec<ServiceId>,
}

/// Kinds of runs that are asked for directly; others begin with an approval.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum StartKind {
    /// Read the source again and release what changed, inside what was approved.
    Redeploy,
}

/// Starts a run inside what was approved before.
#[utoipa::path(post, path = "/projects/{id}/runs", tag = "runs", request_body = StartRun,
    params(("id" = ProjectId, Path),
        ("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{1,255}$", description = "Repeating the request with the same key gives the same answer")),
    responses(
        (status = 201, body = RunBody),
        (status = "default", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(super) async fn start_run(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<ProjectId>,
    Body(body): Body<StartRun>,
) -> Result<(StatusCode, Json<RunBody>), Problem> {
    let StartRun { kind: StartKind::Redeploy, commit, services } = body;
    let run = releases::redeploy(&app, &principal, id, &Redeploy { commit, services }).await?;
    Ok((StatusCode::CREATED, Json(get::shown(&app, &principal, run).await?)))
}
