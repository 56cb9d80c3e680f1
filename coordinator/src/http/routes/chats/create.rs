//! `POST /projects/{id}/chats`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use hydron_proto::ids::ProjectId;
use serde::Deserialize;
use utoipa::ToSchema;

use super::ChatBody;
use crate::app::AppState;
use crate::http::extract::{Body, Path};
use crate::http::problem::{Problem, ProblemBody};
use crate::services::chats;
use crate::services::principal::Principal;

/// What the conversation shall be called.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateChat {
    /// Its title.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = r"^[^\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]*[^\s\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069][^\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]*$"
    )]
    title: Option<String>,
}

/// Begins a conversation about a project.
#[utoipa::path(post, path = "/projects/{id}/chats", tag = "chats", request_body = CreateChat,
    params(
        ("id" = ProjectId, Path),
        ("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{1,255}$", description = "Repeating the request with the same key gives the same answer"),
    ),
    responses(
        (status = 201, body = ChatBody),
        (status = "default", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(super) async fn create_chat(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<ProjectId>,
    Body(body): Body<CreateChat>,
) -> Result<(StatusCode, Json<ChatBody>), Problem> {
    let chat = chats::create(&app, &principal, id, body.title.as_deref()).await?;
    Ok((StatusCode::CREATED, Json(chat.into())))
}
