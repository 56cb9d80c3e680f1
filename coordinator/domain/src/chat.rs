//! Conversations: messages, the cards they show, and what may be said next.
//!
//! Rule: a message is stored before it is shown; a card points to a row, it never replaces it.

use hydron_proto::ids::{ChatId, MessageId, ProjectId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::named::named;

named! {
    /// Who speaks.
    Speaker, "speaker" {
        /// A person.
        User = "user",
        /// The assistant.
        Assistant = "assistant",
    }
}

named! {
    /// What a card shows.
    CardKind, "card kind" {
        /// A reading of a repository.
        Analysis = "analysis",
        /// The services.
        Services = "services",
        /// A plan.
        Plan = "plan",
        /// Something to approve.
        Approval = "approval",
        /// A run.
        Run = "run",
        /// A question.
        Question = "question",
        /// A problem.
        Error = "error",
    }
}

/// Longest message of a person, characters.
pub const MAX_TEXT: usize = 8000;

/// A conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chat {
    /// Id.
    pub id: ChatId,
    /// Project.
    pub project: ProjectId,
    /// Title.
    pub title: String,
    /// Milliseconds since 1970.
    pub created_at: i64,
}

/// One message.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Id.
    pub id: MessageId,
    /// Conversation.
    pub chat: ChatId,
    /// Order in the conversation, from 1.
    pub seq: i64,
    /// Who speaks.
    pub role: Speaker,
    /// Markdown subset: paragraphs, lists, `code`, **bold**.
    pub text: String,
    /// Cards below the text.
    pub cards: Vec<Card>,
    /// Sentences that may be said next.
    pub suggestions: Vec<String>,
    /// Milliseconds since 1970.
    pub at: i64,
}

/// Something to look at or decide.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Card {
    /// What it shows.
    pub kind: CardKind,
    /// Id of the row it points to.
    pub id: String,
    /// What was shown, where that matters (digests).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<serde_json::Value>,
}

impl Card {
    /// A card that points to a row.
    pub fn new(kind: CardKind, id: impl std::fmt::Display) -> Self {
        Self { kind, id: id.to_string(), data: None }
    }

    /// The same card with what was shown.
    pub fn with(self, data: serde_json::Value) -> Self {
        Self { data: Some(data), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_keeps_its_row_when_it_gets_what_was_shown() {
        let shown = serde_json::json!({ "digest": "ab" });
        let card = Card::new(CardKind::Approval, "row").with(shown.clone());
        assert_eq!(card, Card { kind: CardKind::Approval, id: "row".to_owned(), data: Some(shown) });
    }
}
