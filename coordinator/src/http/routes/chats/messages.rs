//! `GET /chats/{id}/messages`

use axum::Json;
use axum::extract::State;
use hydron_proto::ids::ChatId;

use super::MessageBody;
use crate::app::AppState;
use crate::http::extract::{Page, PageQuery, Path, Query};
use crate::http::problem::{Problem, ProblemBody};
use crate::services::chats;
use crate::services::principal::Principal;

/// The newest messages of a conversation, oldest first; `next_cursor` leads to older ones.
#[utoipa::path(get, path = "/chats/{id}/messages", tag = "chats", params(("id" = ChatId, Path), PageQuery), responses(
    (status = 200, body = Page<MessageBody>),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn list_messages(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<ChatId>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<MessageBody>>, Problem> {
    let cursor = page.cursor.as_deref().map(|text| {
        text.parse::<i64>()
            .map_err(|_| Problem::invalid_field("cursor", "must be the next_cursor of an earlier page"))
    });
    let (messages, older) = chats::messages(&app, &principal, id, cursor.transpose()?, page.limit()?).await?;
    let items = messages.into_iter().map(MessageBody::from).collect();
    Ok(Json(Page { items, next_cursor: older.map(|seq| seq.to_string()) }))
}
