//! What a brain is: it gets a turn, calls tools and writes a reply, piece by piece.
//!
//! Rule: a brain decides what to call, never what is allowed. Text, cards and suggestions are handed over as they come,
//! so that a brain that thinks slowly can be read while it does.

use futures_util::future::BoxFuture;
use hydron_domain::chat::{Card, CardKind, Message};
use hydron_proto::ids::MessageId;
use serde_json::{Value, json};

use super::situation::Situation;

/// One message of a person, and what a brain may know about it.
#[derive(Debug, Clone)]
pub struct Turn {
    /// What was said; values of variables are replaced by placeholders.
    pub text: String,
    /// Where the project stands.
    pub situation: Situation,
    /// What was said before, oldest first; the newest few dozen.
    pub earlier: Vec<Message>,
}

/// Understands messages.
pub trait Brain: Send + Sync + std::fmt::Debug {
    /// Its stable name.
    fn name(&self) -> &'static str;

    /// Whether it does nothing but what the person's own sentence says. Only such a brain may carry a person's yes to a
    /// plan; any other can show the plan and end its turn.
    fn speaks_for_the_person(&self) -> bool;

    /// Answers a turn.
    fn answer<'a>(&'a self, turn: &'a Turn, tools: &'a dyn Tools, reply: &'a mut Reply) -> BoxFuture<'a, ()>;
}

/// What a brain can do: call tools by name, with input that fits the tool's JSON schema.
pub trait Tools: Send + Sync {
    /// Every tool that may be called in this turn.
    fn list(&self) -> Vec<ToolDescription>;

    /// Calls one.
    fn call<'a>(&'a self, name: &'a str, input: Value) -> BoxFuture<'a, Result<ToolDone, ToolProblem>>;
}

/// A tool, as a brain sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolDescription {
    /// Stable name.
    pub name: &'static str,
    /// What it does and when to use it.
    pub about: &'static str,
    /// JSON schema of its input.
    pub schema: Value,
}

/// What a tool did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ToolDone {
    /// In words, for the person.
    pub say: String,
    /// What to show.
    pub cards: Vec<Card>,
}

/// Why a tool did nothing: the same words and codes as in the REST interface.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolProblem {
    /// Stable name.
    pub code: String,
    /// What is wrong and what to do.
    pub detail: String,
    /// The field that is wrong.
    pub field: Option<String>,
}

/// An answer that grows.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// Id of the message that it becomes.
    pub id: MessageId,
    /// Markdown subset: paragraphs, lists, `code`, **bold**.
    pub text: String,
    /// Cards below the text.
    pub cards: Vec<Card>,
    /// Sentences that may be said next; when none are given, the situation suggests.
    pub suggestions: Vec<String>,
}

impl ToolDone {
    /// Something that is told in words alone.
    pub fn say(text: impl Into<String>) -> Self {
        Self { say: text.into(), cards: Vec::new() }
    }

    /// The same with a card.
    pub fn card(mut self, card: Card) -> Self {
        self.cards.push(card);
        self
    }
}

impl Reply {
    /// An empty reply.
    pub fn new(id: MessageId) -> Self {
        Self { id, text: String::new(), cards: Vec::new(), suggestions: Vec::new() }
    }

    /// Adds a paragraph.
    pub fn say(&mut self, paragraph: &str) {
        if paragraph.is_empty() {
            return;
        }
        if !self.text.is_empty() {
            self.text.push_str("\n\n");
        }
        self.text.push_str(paragraph);
    }

    /// Adds what a tool did.
    pub fn done(&mut self, done: ToolDone) {
        self.say(&done.say);
        for card in done.cards {
            self.show(card);
        }
    }

    /// Adds a card, unless the same thing is shown already.
    pub fn show(&mut self, card: Card) {
        self.cards.retain(|known| (known.kind, &known.id) != (card.kind, &card.id));
        self.cards.push(card);
    }

    /// Adds a problem, with its code.
    pub fn problem(&mut self, problem: &ToolProblem) {
        self.say("That did not work; nothing was changed by it.");
        let mut data = json!({ "code": problem.code, "detail": problem.detail });
        if let (Some(field), Some(data)) = (&problem.field, data.as_object_mut()) {
            data.insert("field".to_owned(), json!(field));
        }
        self.show(Card::new(CardKind::Error, &problem.code).with(data));
    }

    /// Asks; choosing an answer is the same as typing it.
    pub fn ask(&mut self, question: &str, answers: &[String]) {
        self.say(question);
        let data = json!({ "text": question, "options": answers });
        self.show(Card::new(CardKind::Question, self.id).with(data));
        self.suggestions = answers.to_vec();
    }
}
