//! May this permit start something? The checks of a permit, in their order, each with its code.
//!
//! Rule: pure; what was signed, what was done and what time it is come in as arguments. Neighbour: `run_task`.

use hydron_proto::envelope::VerifiedEnvelope;
use hydron_proto::ids::{ServerId, TeamId};
use hydron_proto::plan::{SecretRef, Step};
use hydron_proto::reject::RejectCode;
use hydron_proto::seal::{SealContext, SealingKey};
use hydron_proto::wire;

use super::run_state::{PermitKey, RunState, StepPhase};
use crate::config::Policy;
use crate::step_context::Secrets;

/// What a permit that is not refused means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Its range starts.
    Start,
    /// It was accepted before; nothing starts. Its epoch may be higher.
    Repeated,
}

/// Everything a permit is held against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Against<'a> {
    /// The verified envelope of the run.
    pub envelope: &'a VerifiedEnvelope,
    /// Its journal so far.
    pub state: &'a RunState,
    /// This server's policy, as it is now.
    pub policy: &'a Policy,
    /// Now, milliseconds since 1970.
    pub now_unix_ms: i64,
}

/// Everything but secrets.
pub(super) fn check(permit: &wire::Permit, against: Against<'_>) -> Result<Verdict, RejectCode> {
    let Against { envelope, state, policy, now_unix_ms } = against;
    if permit.envelope_digest != envelope.digest.0 {
        return Err(RejectCode::DigestMismatch);
    }
    if permit.epoch < state.epoch {
        return Err(RejectCode::StaleEpoch);
    }
    if is_repeated(permit, state) {
        return Ok(Verdict::Repeated);
    }
    if permit.first_step > permit.last_step || index(permit.last_step) >= envelope.plan.steps.len() {
        return Err(RejectCode::NoSuchStep);
    }
    if state.range.is_some() {
        return Err(RejectCode::Busy);
    }
    check_order(permit, state)?;
    if state.steps.is_empty() {
        envelope.check_time(now_unix_ms)?;
    }
    if !range(permit, &envelope.plan.steps).all(|step| policy.allows(&step.action)) {
        return Err(RejectCode::Policy);
    }
    Ok(Verdict::Start)
}

/// The very permit that is being walked, or that was walked at least as far as its first attempt.
fn is_repeated(permit: &wire::Permit, state: &RunState) -> bool {
    let begun = state.steps.get(&permit.first_step).is_some_and(|step| step.attempt >= permit.attempt);
    state.last_permit == Some(PermitKey::of(permit)) && (state.range.is_some() || begun)
}

fn check_order(permit: &wire::Permit, state: &RunState) -> Result<(), RejectCode> {
    let passed = |step| {
        let phase = state.steps.get(&step).map(|step| step.phase);
        matches!(phase, Some(StepPhase::Succeeded | StepPhase::Interrupted))
    };
    if !(0..permit.first_step).all(passed) {
        return Err(RejectCode::OutOfOrder);
    }
    let done = |step: u32| state.steps.get(&step).is_some_and(|s| s.phase == StepPhase::Succeeded);
    if (permit.first_step..=permit.last_step).any(done) {
        return Err(RejectCode::AlreadyDone);
    }
    let attempted = state.steps.get(&permit.first_step).map_or(0, |step| step.attempt);
    if permit.attempt != attempted.saturating_add(1) {
        return Err(RejectCode::WrongAttempt);
    }
    Ok(())
}

/// The steps of a permit's range.
fn range<'a>(permit: &wire::Permit, steps: &'a [Step]) -> impl Iterator<Item = &'a Step> {
    let length = index(permit.last_step.saturating_sub(permit.first_step)).saturating_add(1);
    steps.iter().skip(index(permit.first_step)).take(length)
}

/// Opens sealed secrets, each in its own place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Opener<'a> {
    /// This executor's key.
    pub key: &'a SealingKey,
    /// Owner of this server.
    pub team: TeamId,
    /// This server.
    pub server: ServerId,
    /// The envelope of the run.
    pub envelope: &'a VerifiedEnvelope,
}

impl Opener<'_> {
    /// Whether a permit brings exactly the secrets of its range, and all of them open.
    pub(super) fn check(&self, permit: &wire::Permit) -> Result<(), RejectCode> {
        let steps: Vec<&Step> = range(permit, &self.envelope.plan.steps).collect();
        let named: Vec<&SecretRef> = steps.iter().flat_map(|step| step.action.secrets()).collect();
        let is_named = |sealed: &wire::SealedSecret| named.iter().any(|secret| is_of(sealed, secret));
        if !permit.secrets.iter().all(is_named) {
            return Err(RejectCode::Secret);
        }
        steps.into_iter().try_for_each(|step| self.open(permit, step).map(|_| ()))
    }

    /// The clear secrets of one step.
    pub(super) fn open(&self, permit: &wire::Permit, step: &Step) -> Result<Secrets, RejectCode> {
        step.action
            .secrets()
            .into_iter()
            .map(|secret| Ok((secret.clone(), self.open_one(permit, secret)?)))
            .collect()
    }

    fn open_one(
        &self,
        permit: &wire::Permit,
        secret: &SecretRef,
    ) -> Result<hydron_proto::seal::SecretValue, RejectCode> {
        let sealed = permit.secrets.iter().find(|sealed| is_of(sealed, secret)).ok_or(RejectCode::Secret)?;
        let place = SealContext {
            team: self.team,
            server: self.server,
            run: self.envelope.run,
            name: &secret.name,
            version: secret.version,
        };
        self.key.open(&place, sealed).map_err(|_| RejectCode::Secret)
    }
}

fn is_of(sealed: &wire::SealedSecret, secret: &SecretRef) -> bool {
    sealed.name == secret.name.as_str() && sealed.version == secret.version
}

/// A step number as an index.
pub(super) fn index(step: u32) -> usize {
    usize::try_from(step).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
