//! Conversations: making and reading them, and adding messages. What the assistant answers is not decided here.
//!
//! Rule: a message is a row before anybody sees it, and its event is in the same transaction; a message is never changed.

use hydron_domain::chat::{Card, CardKind, Chat, MAX_TEXT, Message, Speaker};
use hydron_proto::ids::{ChatId, MessageId, ProjectId};
use hydron_store::audit::AuditDraft;
use hydron_store::events::EventDraft;
use hydron_store::{StoreError, TeamTx};
use serde_json::json;

use super::input::{InvalidField, ReadError, display_name};
use super::principal::{Denied, Permission, Principal};
use crate::app::AppState;

/// What a conversation is called until somebody names it.
const UNTITLED: &str = "New chat";

/// Why a conversation was not made or added to.
#[derive(Debug, thiserror::Error)]
pub enum ChatError {
    /// Not allowed.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Not there, or not theirs.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// A field is wrong.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What an assistant's message consists of.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// Its id.
    pub id: MessageId,
    /// Markdown subset.
    pub text: String,
    /// Cards below the text.
    pub cards: Vec<Card>,
    /// Sentences that may be said next.
    pub suggestions: Vec<String>,
}

/// A project's conversations, newest first.
pub async fn list(app: &AppState, principal: &Principal, project: ProjectId) -> Result<Vec<Chat>, ReadError> {
    let access = principal.authorize(&app.store, Permission::ProjectsRead)?;
    access.team.project(project).await?.ok_or(ReadError::NotFound("project"))?;
    Ok(access.team.chats(project).await?)
}

/// Begins a conversation.
pub async fn create(
    app: &AppState,
    principal: &Principal,
    project: ProjectId,
    title: Option<&str>,
) -> Result<Chat, ChatError> {
    let access = principal.authorize(&app.store, Permission::ChatsWrite)?;
    access.team.project(project).await?.ok_or(ChatError::NotFound("project"))?;
    let title = title.map_or_else(|| Ok(UNTITLED.to_owned()), |title| display_name("title", title))?;
    let mut tx = access.begin(app.now()).await?;
    let chat = Chat { id: app.ids.next(ChatId::new), project, title, created_at: tx.now() };
    tx.insert_chat(&chat).await?;
    tx.event(EventDraft::new("chat.created", chat.id, json!({ "title": chat.title })).in_project(project));
    tx.audit(AuditDraft::new("chat.created", chat.id, json!({ "title": chat.title, "project": project })));
    tx.commit().await?;
    Ok(chat)
}

/// One conversation.
pub async fn get(app: &AppState, principal: &Principal, id: ChatId) -> Result<Chat, ReadError> {
    let access = principal.authorize(&app.store, Permission::ProjectsRead)?;
    let chat = access.team.chat(id).await?.ok_or(ReadError::NotFound("chat"))?;
    access.team.project(chat.project).await?.ok_or(ReadError::NotFound("chat"))?;
    Ok(chat)
}

/// The newest messages before `cursor`, oldest first, and where to ask for older ones.
pub async fn messages(
    app: &AppState,
    principal: &Principal,
    id: ChatId,
    cursor: Option<i64>,
    limit: i64,
) -> Result<(Vec<Message>, Option<i64>), ReadError> {
    let access = principal.authorize(&app.store, Permission::ProjectsRead)?;
    get(app, principal, id).await?;
    let mut page = access.team.messages_before(id, cursor.unwrap_or(i64::MAX), limit).await?;
    page.reverse();
    let older = page.first().map(|first| first.seq).filter(|seq| *seq > 1);
    Ok((page, older))
}

/// Messages after `seq`, oldest first; for streams.
pub async fn messages_after(
    app: &AppState,
    principal: &Principal,
    id: ChatId,
    seq: i64,
    limit: i64,
) -> Result<Vec<Message>, ReadError> {
    let access = principal.authorize(&app.store, Permission::ProjectsRead)?;
    get(app, principal, id).await?;
    Ok(access.team.messages_after(id, seq, limit).await?)
}

/// The place of the newest message; 0 before the first.
pub async fn last_seq(app: &AppState, principal: &Principal, id: ChatId) -> Result<i64, ReadError> {
    let access = principal.authorize(&app.store, Permission::ProjectsRead)?;
    get(app, principal, id).await?;
    Ok(access.team.last_messages(id, 1).await?.first().map_or(0, |message| message.seq))
}

/// Checks a person's message; nothing is stored.
pub fn check_text(text: &str) -> Result<&str, InvalidField> {
    let text = text.trim();
    if text.is_empty() {
        return Err(InvalidField::new("text", "must not be empty"));
    }
    if text.chars().count() > MAX_TEXT {
        return Err(InvalidField::new("text", format!("must have at most {MAX_TEXT} characters")));
    }
    if text.contains('\0') {
        return Err(InvalidField::new("text", "must not contain NUL characters"));
    }
    Ok(text)
}

/// Keeps a person's message. `text` holds no values of variables any more.
pub async fn add_user_message(
    app: &AppState,
    principal: &Principal,
    chat: &Chat,
    text: &str,
) -> Result<Message, ChatError> {
    let access = principal.authorize(&app.store, Permission::ChatsWrite)?;
    let mut tx = access.begin(app.now()).await?;
    let said = Said {
        id: app.ids.next(MessageId::new),
        text: text.to_owned(),
        cards: Vec::new(),
        suggestions: Vec::new(),
    };
    let message = add(&mut tx, chat, Speaker::User, said).await?;
    tx.audit(AuditDraft::new("message.sent", message.id, json!({ "chat": chat.id })));
    tx.commit().await?;
    Ok(message)
}

/// Keeps the assistant's answer to a principal's message.
pub async fn add_reply(
    app: &AppState,
    principal: &Principal,
    chat: &Chat,
    said: Said,
) -> Result<Message, ChatError> {
    let access = principal.authorize(&app.store, Permission::ChatsWrite)?;
    let mut tx = access.begin(app.now()).await?;
    let message = add(&mut tx, chat, Speaker::Assistant, said).await?;
    tx.audit(AuditDraft::new("message.answered", message.id, json!({ "chat": chat.id })));
    tx.commit().await?;
    Ok(message)
}

/// Adds a message, its event, and what it shows, in the caller's transaction.
pub async fn add(tx: &mut TeamTx, chat: &Chat, role: Speaker, said: Said) -> Result<Message, StoreError> {
    let Said { id, text, cards, suggestions } = said;
    // Screens order messages by time: two in the same millisecond still have an order.
    let last = tx.last_messages(chat.id, 1).await?.first().map_or(0, |last| last.at);
    let at = tx.now().max(last + 1);
    let message = Message { id, chat: chat.id, seq: 0, role, text, cards, suggestions, at };
    let message = tx.insert_message(message).await?;
    for card in &message.cards {
        if matches!(card.kind, CardKind::Analysis | CardKind::Run) {
            tx.show_in_chat(chat.id, &card.id).await?;
        }
    }
    let data = json!({ "chat_id": chat.id, "seq": message.seq, "role": message.role });
    tx.event(EventDraft::new("message.created", message.id, data).in_project(chat.project));
    Ok(message)
}
