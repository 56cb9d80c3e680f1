//! `GET /chats/{id}/events`

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use hydron_proto::ids::ChatId;
use hydron_store::{Topic, Wake};
use serde::Deserialize;
use utoipa::IntoParams;

use super::MessageBody;
use crate::app::AppState;
use crate::http::extract::{Path, Query};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::sse::{self, Message, Source};
use crate::services::chats;
use crate::services::principal::Principal;

/// Rows read at once.
const BATCH: i64 = 50;

/// Where to begin without a `Last-Event-ID`.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct StreamQuery {
    /// Begin after the message with this `seq`; 0 for all of them. Without it, only what is said from now on.
    after: Option<i64>,
}

/// Streams messages as they are added (server-sent events). Resumes after `Last-Event-ID` without a gap.
#[utoipa::path(get, path = "/chats/{id}/events", tag = "chats",
    params(("id" = ChatId, Path), StreamQuery, ("Last-Event-ID" = Option<i64>, Header, description = "Go on after this event")),
    responses(
        (status = 200, body = MessageBody, content_type = "text/event-stream"),
        (status = "default", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(super) async fn stream_messages(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<ChatId>,
    Query(query): Query<StreamQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let newest = chats::last_seq(&app, &principal, id).await?;
    let cursor = sse::last_event_id(&headers)?.or(query.after).unwrap_or(newest);
    let source = Messages { app: app.clone(), principal: principal.clone(), chat: id };
    Ok(sse::stream(&app, &principal, &headers, cursor, source))
}

struct Messages {
    app: AppState,
    principal: Principal,
    chat: ChatId,
}

impl Source for Messages {
    async fn after(&mut self, cursor: i64) -> Result<Vec<Message>, Problem> {
        let messages = chats::messages_after(&self.app, &self.principal, self.chat, cursor, BATCH).await?;
        messages.into_iter().map(message).collect()
    }

    fn wakes(&self, wake: &Wake) -> bool {
        *wake == Wake::new(Topic::Events, self.principal.team)
    }
}

fn message(message: hydron_domain::chat::Message) -> Result<Message, Problem> {
    let id = Some(message.seq);
    let body = MessageBody::from(message);
    let data = serde_json::to_string(&body).map_err(|error| Problem::internal(&error))?;
    Ok(Message { id, event: Some("message".to_owned()), data })
}
