//! `GET /teams/{id}/events`

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use hydron_proto::ids::{ProjectId, TeamId};
use hydron_store::events::Event;
use hydron_store::{Topic, Wake};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::AppState;
use crate::http::extract::{Path, Query};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::sse::{self, Message, Source};
use crate::services::principal::Principal;
use crate::services::teams;

/// Rows read at once.
const BATCH: i64 = 100;

/// Where to begin without a `Last-Event-ID`.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct EventsQuery {
    /// Begin after this event; 0 for all of them. Without it, only what happens from now on.
    after: Option<i64>,
}

/// The data of one event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TeamEvent)]
pub(super) struct EventBody {
    /// Its place in the team's sequence; also the event's id.
    seq: i64,
    /// What happened, e.g. `service.accepted`; also the event's name.
    kind: String,
    project_id: Option<ProjectId>,
    /// Id of the thing that changed.
    subject: String,
    /// What a screen needs to update itself.
    data: serde_json::Value,
    at: i64,
}

/// Streams what happens in the team (server-sent events). Resumes after `Last-Event-ID` without a gap.
#[utoipa::path(get, path = "/teams/{id}/events", tag = "teams",
    params(("id" = TeamId, Path), EventsQuery, ("Last-Event-ID" = Option<i64>, Header, description = "Go on after this event")),
    responses(
        (status = 200, body = EventBody, content_type = "text/event-stream"),
        (status = "default", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(super) async fn stream_team_events(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<TeamId>,
    Query(query): Query<EventsQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let newest = teams::last_event(&app, &principal, id).await?;
    let cursor = sse::last_event_id(&headers)?.or(query.after).unwrap_or(newest);
    let source = TeamEvents { app: app.clone(), principal: principal.clone(), team: id };
    Ok(sse::stream(&app, &principal, &headers, cursor, source))
}

struct TeamEvents {
    app: AppState,
    principal: Principal,
    team: TeamId,
}

impl Source for TeamEvents {
    async fn after(&mut self, cursor: i64) -> Result<Vec<Message>, Problem> {
        let events = teams::events(&self.app, &self.principal, self.team, cursor, BATCH).await?;
        events.into_iter().map(message).collect()
    }

    fn wakes(&self, wake: &Wake) -> bool {
        *wake == Wake::new(Topic::Events, self.team)
    }
}

fn message(event: Event) -> Result<Message, Problem> {
    let Event { seq, project, kind, subject, data, at } = event;
    let body = EventBody { seq, kind: kind.clone(), project_id: project, subject, data, at };
    let data = serde_json::to_string(&body).map_err(|error| Problem::internal(&error))?;
    Ok(Message { id: Some(seq), event: Some(kind), data })
}
