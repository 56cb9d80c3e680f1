//! `POST /projects/{id}/analyses`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use hydron_proto::ids::ProjectId;
use serde::Deserialize;
use utoipa::ToSchema;

use super::body::AnalysisBody;
use crate::app::AppState;
use crate::http::extract::{Body, Path};
use crate::http::problem::{Problem, ProblemBody};
use crate::services::analyses::{self, Wanted};
use crate::services::principal::Principal;

/// What to read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StartAnalysis {
    /// `https://…` URL of a git repository.
    #[schema(max_length = 2048, pattern = "^https://[A-Za-z0-9.-]+(:[0-9]+)?/[A-Za-z0-9_.~+/-]+$")]
    url: String,
    /// Branch or tag; the default branch when left out.
    #[serde(rename = "ref")]
    reference: Option<String>,
    /// Directory to look at; the whole repository when left out.
    subdir: Option<String>,
}

/// Begins to read a repository. Refused at once when the URL is malformed, does not resolve or is not public.
#[utoipa::path(post, path = "/projects/{id}/analyses", tag = "analyses", request_body = StartAnalysis,
    params(("id" = ProjectId, Path), ("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{1,255}$", description = "Repeating the request with the same key gives the same answer")),
    responses(
    (status = 202, body = AnalysisBody),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn start_analysis(
    State(app): State<AppState>,
    principal: Principal,
    Path(project): Path<ProjectId>,
    Body(body): Body<StartAnalysis>,
) -> Result<(StatusCode, Json<AnalysisBody>), Problem> {
    let wanted = Wanted { url: body.url, reference: body.reference, subdir: body.subdir };
    let run = analyses::start(&app, &principal, project, &wanted).await?;
    Ok((StatusCode::ACCEPTED, Json(AnalysisBody::new(run, None))))
}
