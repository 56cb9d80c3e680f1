//! Talking to the assistant over REST: what is kept, what is done, what is told by itself.

mod follow_ups;
mod keeping;
mod way;

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::Caller;

/// A chat of a project, as one party sees it.
pub(crate) struct Talk {
    pub(crate) caller: Caller,
    pub(crate) id: String,
}

impl Talk {
    pub(crate) async fn begin(caller: &Caller, project: &str) -> Self {
        let chat = caller.post(&format!("/projects/{project}/chats"), json!({})).await.ok(201);
        Self { caller: caller.clone(), id: chat["id"].as_str().unwrap().to_owned() }
    }

    /// Says something; the answer.
    pub(crate) async fn say(&self, text: &str) -> Value {
        let exchange = self.caller.post(&self.path(), json!({ "text": text })).await.ok(201);
        exchange["reply"].clone()
    }

    pub(crate) fn path(&self) -> String {
        format!("/chats/{}/messages", self.id)
    }

    pub(crate) async fn messages(&self) -> Vec<Value> {
        self.caller.get(&self.path()).await.ok(200)["items"].as_array().unwrap().clone()
    }

    /// Waits until a message contains this.
    pub(crate) async fn until_told(&self, part: &str) -> Value {
        for _ in 0..400 {
            let found = self.messages().await;
            let told = found.iter().find(|message| message["text"].as_str().unwrap().contains(part));
            if let Some(message) = told.filter(|message| message["role"] == "assistant") {
                return message.clone();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("never told {part:?}: {:?}", self.messages().await);
    }
}

/// The card of this kind.
#[track_caller]
pub(crate) fn card<'m>(message: &'m Value, kind: &str) -> &'m Value {
    let found = message["cards"].as_array().unwrap().iter().find(|card| card["kind"] == kind);
    found.unwrap_or_else(|| panic!("no {kind} card: {message}"))
}
