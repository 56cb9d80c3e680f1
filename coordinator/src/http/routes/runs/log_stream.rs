//! `GET /runs/{id}/logs/stream`

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use hydron_proto::ids::RunId;
use hydron_store::logs::LogKey;
use hydron_store::{Topic, Wake};
use serde_json::json;

use super::logs::LogQuery;
use crate::app::AppState;
use crate::http::extract::{Path, Query};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::sse::{self, Message, Source};
use crate::services::principal::Principal;
use crate::services::runs::view;

/// Bytes of one message.
const PIECE: usize = 32 * 1024;

/// Follows the output of a step (server-sent events): data is `{offset, text}`, the id is where to go on. Ends with the
/// output. Resumes after `Last-Event-ID`.
#[utoipa::path(get, path = "/runs/{id}/logs/stream", tag = "runs",
    params(("id" = RunId, Path), LogQuery, ("Last-Event-ID" = Option<i64>, Header, description = "Go on from this offset")),
    responses(
        (status = 200, body = String, content_type = "text/event-stream"),
        (status = "default", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(super) async fn stream_log(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<RunId>,
    Query(query): Query<LogQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let place = (query.server, query.step, query.attempt);
    let (key, _) = view::log(&app, &principal, id, place, query.offset, 1).await?;
    let from = i64::try_from(query.offset).unwrap_or(i64::MAX);
    let cursor = sse::last_event_id(&headers)?.unwrap_or(from);
    let source = LogFollow { app: app.clone(), principal: principal.clone(), key, ended: false };
    Ok(sse::stream(&app, &principal, &headers, cursor, source))
}

struct LogFollow {
    app: AppState,
    principal: Principal,
    key: LogKey,
    ended: bool,
}

impl Source for LogFollow {
    async fn after(&mut self, cursor: i64) -> Result<Vec<Message>, Problem> {
        let offset = u64::try_from(cursor).unwrap_or(0);
        let page = view::page(&self.app, &self.principal, self.key, offset, PIECE).await?;
        self.ended = page.end;
        if page.next_offset == offset {
            return Ok(Vec::new());
        }
        let data = json!({ "offset": page.offset, "text": page.text }).to_string();
        Ok(vec![Message { id: i64::try_from(page.next_offset).ok(), event: None, data }])
    }

    fn wakes(&self, wake: &Wake) -> bool {
        *wake == Wake::new(Topic::Log, self.key.run) || *wake == Wake::new(Topic::Work, self.key.run)
    }

    fn is_over(&self) -> bool {
        self.ended
    }
}
