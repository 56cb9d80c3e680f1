//! What may come in: the checks of a signed envelope, in their order, each with its code.
//!
//! Rule: nothing is written before all of them passed; the signature is checked before anything is decoded.
//! Neighbours: `hydron-proto::envelope` (signature, addressee, plan), `ledger` (what was seen), `permit` (later checks).

use hydron_proto::envelope::{EnvelopeKind, VerifiedEnvelope, Verifier};
use hydron_proto::frame::MAX_ENVELOPE;
use hydron_proto::names::ResourceName;
use hydron_proto::plan::{
    Action, ImageBuild, Mandate, Operation, PlanDocument, ReleaseImage, ReleaseSpec, SourceRule,
    admit_release,
};
use hydron_proto::reject::RejectCode;
use hydron_proto::wire::SignedEnvelope;
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use super::ledger::Ledger;
use crate::config::Policy;

/// What an envelope is held against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gate<'a> {
    /// What was seen before.
    pub ledger: &'a Ledger,
    /// What this server allows.
    pub policy: &'a Policy,
    /// Now, milliseconds since 1970.
    pub now_unix_ms: i64,
}

/// Verifies bytes as they are stored: signature, addressee, digest, plan.
pub(super) fn verify(verifier: Verifier<'_>, bytes: &[u8]) -> Result<VerifiedEnvelope, RejectCode> {
    if bytes.len() > MAX_ENVELOPE {
        return Err(RejectCode::Malformed);
    }
    verifier.verify(&SignedEnvelope::decode(bytes).map_err(|_| RejectCode::Malformed)?)
}

/// A verified envelope, and the hash of the very bytes that were verified.
#[derive(Debug, Clone)]
pub(super) struct Held {
    /// What they say.
    pub(super) envelope: VerifiedEnvelope,
    /// SHA-256 of the signed envelope as it is stored.
    pub(super) sha256: [u8; 32],
}

impl Held {
    /// Verifies bytes and remembers which they were.
    pub(super) fn verify(verifier: Verifier<'_>, bytes: &[u8]) -> Result<Self, RejectCode> {
        Ok(Self { envelope: verify(verifier, bytes)?, sha256: Sha256::digest(bytes).into() })
    }
}

impl Gate<'_> {
    /// Whether a verified envelope, new to this server, may be held.
    pub(super) fn admit(&self, envelope: &VerifiedEnvelope) -> Result<(), RejectCode> {
        envelope.check_time(self.now_unix_ms)?;
        if self.ledger.is_replay(envelope) {
            return Err(RejectCode::Replay);
        }
        match envelope.kind {
            EnvelopeKind::Run => {}
            EnvelopeKind::Release => self.admit_release(&envelope.plan)?,
            EnvelopeKind::Operation => self.admit_operation(&envelope.plan)?,
        }
        if !self.policy.allows_plan(&envelope.plan) {
            return Err(RejectCode::Policy);
        }
        Ok(())
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the mandate has judged every kind; two are judged further"
    )]
    fn admit_release(&self, plan: &PlanDocument) -> Result<(), RejectCode> {
        let mandates = self.ledger.mandates();
        admit_release(mandates, plan, self.now_unix_ms)?;
        let inside = plan.steps.iter().all(|step| match &step.action {
            Action::Release(spec) => self.is_own_image(plan, spec),
            Action::ImageBuild(build) => {
                let mandate = mandates.iter().find(|mandate| Some(mandate.service) == step.service);
                mandate.is_some_and(|mandate| is_own_checkout(plan, build, mandate))
            }
            _other_kinds => true,
        });
        if inside { Ok(()) } else { Err(RejectCode::OutsideMandate) }
    }

    /// A tag is only a name: it must be built for this very service, by this plan or by an accepted one.
    fn is_own_image(&self, plan: &PlanDocument, spec: &ReleaseSpec) -> bool {
        let ReleaseImage::Built { tag } = &spec.image else { return true };
        let built = |action: &Action| matches!(action, Action::ImageBuild(b) if b.service == spec.name && b.tag == *tag);
        plan.steps.iter().any(|step| built(&step.action)) || self.ledger.knows_tag(spec.service, tag)
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "only operations are operations")]
    fn admit_operation(&self, plan: &PlanDocument) -> Result<(), RejectCode> {
        let known = plan.steps.iter().all(|step| match &step.action {
            Action::Operate(operation) => self.knows_object(operation),
            _other_kinds => false,
        });
        if known { Ok(()) } else { Err(RejectCode::UnknownObject) }
    }

    fn knows_object(&self, operation: &Operation) -> bool {
        match operation {
            Operation::Restart { service }
            | Operation::Stop { service }
            | Operation::Start { service }
            // Its secrets are only looked for, to be taken out: more of them show less.
            | Operation::Logs { service, .. } => self.ledger.knows_service(*service),
            Operation::Rollback { service, release, secrets } => self
                .ledger
                .release_secrets(*service, *release)
                .is_some_and(|known| secrets.iter().all(|secret| known.contains(secret))),
            Operation::Inventory {} => true,
        }
    }
}

/// A checkout is only a name: every step of the plan that makes it must fetch what the mandate of this service allows.
fn is_own_checkout(plan: &PlanDocument, build: &ImageBuild, mandate: &Mandate) -> bool {
    let Some(name) = &build.checkout else { return true };
    let SourceRule::Git { url, reference, .. } = &mandate.source else { return false };
    let mut made = makers(plan, name).peekable();
    made.peek().is_some() && made.all(|checkout| checkout.url == *url && checkout.reference == *reference)
}

#[expect(clippy::wildcard_enum_match_arm, reason = "one kind makes checkouts")]
fn makers<'a>(
    plan: &'a PlanDocument,
    name: &'a ResourceName,
) -> impl Iterator<Item = &'a hydron_proto::plan::GitCheckout> {
    plan.steps.iter().filter_map(move |step| match &step.action {
        Action::GitCheckout(checkout) if checkout.checkout == *name => Some(checkout),
        _other_kinds => None,
    })
}

#[cfg(test)]
mod tests;
