//! Conversations and their messages.
//!
//! Rule: messages are added, never changed; their order is a counter of the conversation.

use hydron_domain::chat::{Card, Chat, Message, Speaker};
use hydron_proto::ids::{ChatId, MessageId, ProjectId};

use crate::column::{Json, Text};
use crate::reading::on_both;
use crate::{Result, StoreError, TeamTx};

#[derive(sqlx::FromRow)]
struct ChatRow {
    id: Text<ChatId>,
    project_id: Text<ProjectId>,
    title: String,
    created_at: i64,
}

impl From<ChatRow> for Chat {
    fn from(row: ChatRow) -> Self {
        Self { id: row.id.0, project: row.project_id.0, title: row.title, created_at: row.created_at }
    }
}

#[derive(sqlx::FromRow)]
struct MessageRow {
    id: Text<MessageId>,
    chat_id: Text<ChatId>,
    seq: i64,
    role: Text<Speaker>,
    body: String,
    cards: Json<Vec<Card>>,
    suggestions: Json<Vec<String>>,
    at: i64,
}

impl From<MessageRow> for Message {
    fn from(row: MessageRow) -> Self {
        Self {
            id: row.id.0,
            chat: row.chat_id.0,
            seq: row.seq,
            role: row.role.0,
            text: row.body,
            cards: row.cards.0,
            suggestions: row.suggestions.0,
            at: row.at,
        }
    }
}

const MESSAGE: &str =
    "SELECT id, chat_id, seq, role, body, cards, suggestions, at FROM message WHERE team_id = $1";

on_both! {
    /// A conversation, if the team has it.
    async fn chat(this, id: ChatId) -> Result<Option<Chat>> {
        let row: Option<ChatRow> = this
            .q("SELECT id, project_id, title, created_at FROM chat WHERE team_id = $1 AND id = $2")
            .bind(Text(id))
            .opt()
            .await?;
        Ok(row.map(Chat::from))
    }

    /// A project's conversations, newest first.
    async fn chats(this, project: ProjectId) -> Result<Vec<Chat>> {
        let rows: Vec<ChatRow> = this
            .q("SELECT id, project_id, title, created_at FROM chat WHERE team_id = $1 AND project_id = $2 \
                ORDER BY created_at DESC, id DESC LIMIT 200")
            .bind(Text(project))
            .all()
            .await?;
        Ok(rows.into_iter().map(Chat::from).collect())
    }

    /// Messages after `seq`, oldest first.
    async fn messages_after(this, chat: ChatId, seq: i64, limit: i64) -> Result<Vec<Message>> {
        let rows: Vec<MessageRow> = this
            .q(MESSAGE)
            .sql(" AND chat_id = $2 AND seq > $3 ORDER BY seq LIMIT $4")
            .bind(Text(chat))
            .bind(seq)
            .bind(limit)
            .all()
            .await?;
        Ok(rows.into_iter().map(Message::from).collect())
    }

    /// Messages before `seq`, newest first.
    async fn messages_before(this, chat: ChatId, seq: i64, limit: i64) -> Result<Vec<Message>> {
        let rows: Vec<MessageRow> = this
            .q(MESSAGE)
            .sql(" AND chat_id = $2 AND seq < $3 ORDER BY seq DESC LIMIT $4")
            .bind(Text(chat))
            .bind(seq)
            .bind(limit)
            .all()
            .await?;
        Ok(rows.into_iter().map(Message::from).collect())
    }

    /// The last messages of a conversation, newest first.
    async fn last_messages(this, chat: ChatId, limit: i64) -> Result<Vec<Message>> {
        let rows: Vec<MessageRow> = this
            .q(MESSAGE)
            .sql(" AND chat_id = $2 ORDER BY seq DESC LIMIT $3")
            .bind(Text(chat))
            .bind(limit)
            .all()
            .await?;
        Ok(rows.into_iter().map(Message::from).collect())
    }
}

impl TeamTx {
    /// Adds a conversation.
    pub async fn insert_chat(&mut self, chat: &Chat) -> Result<()> {
        self.q("INSERT INTO chat (team_id, id, project_id, title, created_at) VALUES ($1, $2, $3, $4, $5)")
            .bind(Text(chat.id))
            .bind(Text(chat.project))
            .bind(chat.title.as_str())
            .bind(chat.created_at)
            .exec()
            .await
            .map(drop)
    }

    /// Adds a message; its place in the conversation is decided here.
    pub async fn insert_message(&mut self, mut message: Message) -> Result<Message> {
        let row: Option<(i64,)> = self
            .q("UPDATE chat SET message_seq = message_seq + 1 WHERE team_id = $1 AND id = $2 RETURNING message_seq")
            .bind(Text(message.chat))
            .opt()
            .await?;
        (message.seq,) = row.ok_or(StoreError::Stale { what: "chat" })?;
        self.q("INSERT INTO message (team_id, id, chat_id, seq, role, body, cards, suggestions, at) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
            .bind(Text(message.id))
            .bind(Text(message.chat))
            .bind(message.seq)
            .bind(Text(message.role))
            .bind(message.text.as_str())
            .bind(Json(&message.cards))
            .bind(Json(&message.suggestions))
            .bind(message.at)
            .exec()
            .await?;
        Ok(message)
    }
}
