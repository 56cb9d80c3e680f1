//! `GET /projects/{id}/runs`

use axum::Json;
use axum::extract::State;
use hydron_proto::ids::{ProjectId, RunId};

use super::{RunBody, get};
use crate::app::AppState;
use crate::http::extract::{Page, PageQuery, Path, Query};
use crate::http::problem::{Problem, ProblemBody};
use crate::services::principal::Principal;
use crate::services::runs::view;

/// Lists a project's runs, newest first.
#[utoipa::path(get, path = "/projects/{id}/runs", tag = "runs", params(
    ("id" = ProjectId, Path),
    ("cursor" = Option<RunId>, Query, description = "Where the page before this one ended: its `next_cursor`"),
    ("limit" = Option<i64>, Query, minimum = 1, maximum = 200, description = "At most so many items (50 when left out)"),
), responses(
    (status = 200, body = Page<RunBody>),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn list_runs(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<ProjectId>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<RunBody>>, Problem> {
    let cursor = page.cursor.as_deref().map(str::parse::<RunId>).transpose();
    let cursor =
        cursor.map_err(|_| Problem::invalid_field("cursor", "must be the next_cursor of an earlier page"))?;
    let limit = page.limit()?;
    let runs = view::list(&app, &principal, id, cursor, limit).await?;
    let full = i64::try_from(runs.len()).unwrap_or(0) == limit;
    let next_cursor = runs.last().filter(|_| full).map(|run| run.id.to_string());
    let mut items = Vec::with_capacity(runs.len());
    for run in runs {
        items.push(get::shown(&app, &principal, run.id).await?);
    }
    Ok(Json(Page { items, next_cursor }))
}
