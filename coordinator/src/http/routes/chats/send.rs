//! `POST /chats/{id}/messages`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use hydron_proto::ids::ChatId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::MessageBody;
use crate::app::AppState;
use crate::assistant::conversation;
use crate::http::extract::{Body, Path};
use crate::http::problem::{Problem, ProblemBody};
use crate::services::principal::Principal;

/// What is said. No Debug: it may hold the value of a secret.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SendMessage {
    /// At most 8000 characters. Values of variables are used and not kept.
    #[schema(min_length = 1, max_length = 8000, pattern = r"^[^\x00]*[^\s\x00][^\x00]*$")]
    text: String,
}

/// The message as it was kept, and the answer.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Exchange {
    user_message: MessageBody,
    reply: MessageBody,
}

/// Says something to the assistant. It acts with your rights and answers at once; long work goes on and is told of later.
#[utoipa::path(post, path = "/chats/{id}/messages", tag = "chats", request_body = SendMessage,
    params(
        ("id" = ChatId, Path),
        ("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{1,255}$", description = "Repeating the request with the same key gives the same answer"),
    ),
    responses(
        (status = 201, body = Exchange),
        (status = "default", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(super) async fn send_message(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<ChatId>,
    Body(body): Body<SendMessage>,
) -> Result<(StatusCode, Json<Exchange>), Problem> {
    let (said, reply) = conversation::say(&app, &principal, id, &body.text).await?;
    Ok((StatusCode::CREATED, Json(Exchange { user_message: said.into(), reply: reply.into() })))
}
