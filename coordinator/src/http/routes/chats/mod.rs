//! `/projects/{id}/chats`, `/chats`: conversations with the assistant.

mod create;
mod list;
mod messages;
mod send;
mod stream;

use hydron_domain::chat::{Card, Chat, Message, Speaker};
use hydron_proto::ids::{ChatId, MessageId, ProjectId};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::AppState;
use crate::http::gate::Access;
use crate::http::problem::Problem;
use crate::services::chats::ChatError;
use crate::services::principal::Permission;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list_chats, create::create_chat))
        .routes(routes!(messages::list_messages, send::send_message))
        .routes(routes!(stream::stream_messages))
}

pub(super) const ACCESS: &[(&str, Access)] = &[
    ("list_chats", Access::Needs(Permission::ProjectsRead)),
    ("create_chat", Access::Needs(Permission::ChatsWrite)),
    ("list_messages", Access::Needs(Permission::ProjectsRead)),
    ("send_message", Access::Needs(Permission::ChatsWrite)),
    ("stream_messages", Access::Needs(Permission::ProjectsRead)),
];

/// A conversation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Chat)]
pub(super) struct ChatBody {
    id: ChatId,
    project_id: ProjectId,
    title: String,
    created_at: i64,
}

/// A message of a conversation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Message)]
pub(super) struct MessageBody {
    id: MessageId,
    chat_id: ChatId,
    /// Its place in the conversation, from 1.
    seq: i64,
    role: Speaker,
    /// Paragraphs, lists, `code` and **bold** of Markdown; nothing else. Values of variables are never in it.
    text: String,
    cards: Vec<Card>,
    /// Sentences that can be said next as they are.
    suggestions: Vec<String>,
    at: i64,
}

impl From<Chat> for ChatBody {
    fn from(chat: Chat) -> Self {
        let Chat { id, project, title, created_at } = chat;
        Self { id, project_id: project, title, created_at }
    }
}

impl From<Message> for MessageBody {
    fn from(message: Message) -> Self {
        let Message { id, chat, seq, role, text, cards, suggestions, at } = message;
        Self { id, chat_id: chat, seq, role, text, cards, suggestions, at }
    }
}

impl From<ChatError> for Problem {
    fn from(error: ChatError) -> Self {
        match error {
            ChatError::Denied(denied) => denied.into(),
            ChatError::NotFound(what) => Self::not_found(what),
            ChatError::Invalid(invalid) => invalid.into(),
            ChatError::Store(error) => error.into(),
        }
    }
}
