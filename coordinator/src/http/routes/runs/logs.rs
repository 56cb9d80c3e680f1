//! `GET /runs/{id}/logs`

use axum::Json;
use axum::extract::State;
use hydron_proto::ids::{RunId, ServerId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::AppState;
use crate::http::extract::{Path, Query};
use crate::http::problem::{Problem, ProblemBody};
use crate::services::principal::Principal;
use crate::services::runs::view::{self, LogPage, MOST_LOG};

/// Whose output, and from where.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct LogQuery {
    /// On which server; the first of the run when left out.
    pub(super) server: Option<ServerId>,
    /// Which step; the first when left out.
    #[serde(default)]
    pub(super) step: u32,
    /// Which attempt; the current one when left out.
    pub(super) attempt: Option<u32>,
    /// From this byte on.
    #[serde(default)]
    #[param(maximum = 9_007_199_254_740_991_i64)]
    pub(super) offset: u64,
    /// At most so many bytes.
    #[param(minimum = 1, maximum = 262_144)]
    pub(super) limit: Option<usize>,
}

impl LogQuery {
    /// How many bytes.
    pub(super) fn limit(&self) -> Result<usize, Problem> {
        match self.limit.unwrap_or(MOST_LOG) {
            limit @ 1..=MOST_LOG => Ok(limit),
            _ => Err(Problem::invalid_field("limit", format!("must be between 1 and {MOST_LOG}"))),
        }
    }
}

/// A piece of a step's output.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LogPage)]
pub(super) struct LogBody {
    /// Where the piece begins; later than asked when what came before was let go.
    offset: u64,
    /// Where to ask on.
    next_offset: u64,
    /// Nothing will come after.
    end: bool,
    /// Output that was let go.
    gaps: Vec<GapBody>,
    /// The output; bytes that are no text are replaced.
    text: String,
    /// Bytes stored so far.
    length: u64,
}

/// Output that was let go.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LogGap)]
struct GapBody {
    from: u64,
    to: u64,
}

impl From<LogPage> for LogBody {
    fn from(page: LogPage) -> Self {
        let LogPage { offset, next_offset, end, gaps, text, length } = page;
        let gaps = gaps.into_iter().map(|(from, to)| GapBody { from, to }).collect();
        Self { offset, next_offset, end, gaps, text, length }
    }
}

/// Reads the output of a step from an offset on.
#[utoipa::path(get, path = "/runs/{id}/logs", tag = "runs", params(("id" = RunId, Path), LogQuery), responses(
    (status = 200, body = LogBody),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn read_log(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<RunId>,
    Query(query): Query<LogQuery>,
) -> Result<Json<LogBody>, Problem> {
    let place = (query.server, query.step, query.attempt);
    let limit = query.limit()?;
    let (_, page) = view::log(&app, &principal, id, place, query.offset, limit).await?;
    Ok(Json(page.into()))
}
