//! One step of a run and its attempts.
//!
//! Rule: an attempt number is used once; it grows by retry, by a person's rerun, or by the declared policy.

use crate::named::named;

use hydron_proto::plan::{InterruptPolicy, Phase, Step, StepRef};

/// After this many attempts an interruption is no longer answered by itself: a step that takes its host down with it
/// would otherwise do so for ever.
pub const MAX_AUTOMATIC_ATTEMPTS: u32 = 4;

named! {
    /// Where a step stands, with regard to its current attempt.
    StepState, "state of a step" {
        /// Not started at this attempt.
        Pending = "pending",
        /// The agent recorded its start.
        Running = "running",
        /// Done.
        Completed = "completed",
        /// Not done.
        Failed = "failed",
        /// Never started, and will not be.
        Skipped = "skipped",
        /// Started, and nobody can know how it ended.
        Unknown = "unknown",
    }
}

/// What the plan says about a step that matters for its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepRules {
    /// Where it belongs.
    pub phase: Phase,
    /// Steps of other servers that must be done.
    pub after: Vec<StepRef>,
    /// Reverts itself unless confirmed.
    pub guarded: bool,
    /// What happens when its outcome is unknown.
    pub on_interrupt: InterruptPolicy,
}

/// A step of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunStep {
    /// What the plan says.
    pub rules: StepRules,
    /// Where it stands.
    pub state: StepState,
    /// The attempt that `state` speaks of; the first is 1.
    pub attempt: u32,
    /// The connection over which its start was reported; a guarded step is confirmed over a later one.
    pub started_on: Option<u64>,
}

impl From<&Step> for StepRules {
    fn from(step: &Step) -> Self {
        Self {
            phase: step.phase,
            after: step.after.clone(),
            guarded: step.guarded,
            on_interrupt: step.on_interrupt,
        }
    }
}

impl StepRules {
    /// Whether a range may not run on into this step.
    pub(super) fn begins_range(&self) -> bool {
        !self.after.is_empty() || self.guarded || self.on_interrupt == InterruptPolicy::Ask
    }
}

impl RunStep {
    /// A step that has not started.
    pub fn new(rules: StepRules) -> Self {
        Self { rules, state: StepState::Pending, attempt: 1, started_on: None }
    }

    /// Whether its last attempt failed.
    pub fn has_failed(&self) -> bool {
        self.state == StepState::Failed
    }

    /// Whether a later step may start.
    pub fn is_done(&self) -> bool {
        self.state == StepState::Completed
    }

    /// Makes it pending again, with an attempt that was never used.
    pub fn next_attempt(&mut self) {
        self.attempt = self.attempt.saturating_add(1);
        self.state = StepState::Pending;
        self.started_on = None;
    }

    /// The interruption of the current attempt: another one by itself, or a question.
    pub(super) fn interrupted(&mut self) {
        match self.rules.on_interrupt {
            InterruptPolicy::Rerun | InterruptPolicy::CheckThenRerun
                if self.attempt < MAX_AUTOMATIC_ATTEMPTS =>
            {
                self.next_attempt();
            }
            InterruptPolicy::Rerun | InterruptPolicy::CheckThenRerun | InterruptPolicy::Ask => {
                self.state = StepState::Unknown;
            }
        }
    }
}
