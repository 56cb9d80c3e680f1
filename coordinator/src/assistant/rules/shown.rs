//! What this chat showed for approval last.
//!
//! Rule: read from the stored message, not from the project: a yes is for what the person saw.

use hydron_domain::chat::{CardKind, Message, Speaker};
use serde_json::{Value, json};

/// A plan and its digests as they were shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shown {
    plan: String,
    digest: String,
    provisioning: Value,
}

impl Shown {
    /// The newest approval card that the assistant showed.
    pub(super) fn last(earlier: &[Message]) -> Option<Self> {
        let mut cards = earlier
            .iter()
            .rev()
            .filter(|message| message.role == Speaker::Assistant)
            .flat_map(|message| message.cards.iter().rev());
        let card = cards.find(|card| card.kind == CardKind::Approval)?;
        let data = card.data.as_ref()?;
        Some(Self {
            plan: card.id.clone(),
            digest: data.get("digest")?.as_str()?.to_owned(),
            provisioning: data.get("provisioning_digests")?.clone(),
        })
    }

    /// As the approving tool takes it.
    pub(super) fn as_input(&self) -> Value {
        json!({ "plan": self.plan, "digest": self.digest, "provisioning_digests": self.provisioning })
    }
}
