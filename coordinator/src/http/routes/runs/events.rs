//! `GET /runs/{id}/events`

use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use hydron_proto::ids::{RunId, ServerId};
use hydron_store::{Topic, Wake};
use serde_json::json;
use tokio::time::Instant;

use super::{RunBody, get};
use crate::app::AppState;
use crate::http::extract::Path;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::sse::{self, Message, Source};
use crate::services::principal::Principal;
use crate::services::runs::view;

/// Streams a run (server-sent events): `run` with its whole state after every change, `doing` with what a running step
/// does right now. Resumes after `Last-Event-ID`.
#[utoipa::path(get, path = "/runs/{id}/events", tag = "runs",
    params(("id" = RunId, Path), ("Last-Event-ID" = Option<i64>, Header, description = "Go on after this event")),
    responses(
        (status = 200, body = RunBody, content_type = "text/event-stream"),
        (status = "default", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(super) async fn stream_run(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<RunId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    view::get(&app, &principal, id).await?;
    let cursor = sse::last_event_id(&headers)?.unwrap_or(0);
    let source =
        RunEvents { app: app.clone(), principal: principal.clone(), run: id, rested: Instant::now() };
    Ok(sse::stream(&app, &principal, &headers, cursor, source))
}

/// A picture is made again after this many times what the last one took: however fast a run changes and however many steps it
/// has, somebody who watches costs a quarter of a core at most.
const REST: u32 = 3;
/// But never later than this: a slow moment of the database is not made a slow stream.
const MOST_REST: Duration = Duration::from_millis(500);

struct RunEvents {
    app: AppState,
    principal: Principal,
    run: RunId,
    /// When the next picture may be made.
    rested: Instant,
}

impl Source for RunEvents {
    async fn after(&mut self, cursor: i64) -> Result<Vec<Message>, Problem> {
        tokio::time::sleep_until(self.rested).await;
        let began = Instant::now();
        let Some(newest) = view::changed_after(&self.app, &self.principal, self.run, cursor).await? else {
            return Ok(Vec::new());
        };
        let body = get::shown(&self.app, &self.principal, self.run).await?;
        let data = serde_json::to_string(&body).map_err(|error| Problem::internal(&error))?;
        self.rested = Instant::now() + (began.elapsed() * REST).min(MOST_REST);
        Ok(vec![Message { id: Some(newest), event: Some("run".to_owned()), data }])
    }

    fn wakes(&self, wake: &Wake) -> bool {
        *wake == Wake::new(Topic::Events, self.principal.team)
    }

    /// The key of such a wakeup is `run/server`; the words are in this process.
    fn of_wake(&mut self, wake: &Wake) -> Option<Message> {
        if wake.topic != Topic::Doing {
            return None;
        }
        let (run, server) = wake.key.split_once('/')?;
        let server: ServerId = server.parse().ok()?;
        if run.parse() != Ok(self.run) {
            return None;
        }
        let now = self.app.agents.doing(self.run, server)?;
        let data =
            json!({ "server_id": server, "step": now.step, "attempt": now.attempt, "doing": now.text });
        Some(Message { id: None, event: Some("doing".to_owned()), data: data.to_string() })
    }
}
