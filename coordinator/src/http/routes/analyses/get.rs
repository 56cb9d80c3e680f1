//! `GET /analyses/{id}`

use axum::Json;
use axum::extract::State;
use hydron_proto::ids::AnalysisId;

use super::body::AnalysisBody;
use crate::app::AppState;
use crate::http::extract::Path;
use crate::http::problem::{Problem, ProblemBody};
use crate::services::analyses;
use crate::services::principal::Principal;

/// Shows an analysis: its progress, and its result once it is done.
#[utoipa::path(get, path = "/analyses/{id}", tag = "analyses", params(("id" = AnalysisId, Path)), responses(
    (status = 200, body = AnalysisBody),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn get_analysis(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<AnalysisId>,
) -> Result<Json<AnalysisBody>, Problem> {
    let reading = analyses::get(&app, &principal, id).await?;
    Ok(Json(reading.into()))
}
