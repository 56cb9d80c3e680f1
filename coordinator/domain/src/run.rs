//! A run: one execution of approved plans on one or more servers.
//!
//! Rule: states change only through the checked transitions here; what happens next is [`decide`], a pure function of
//! the stored state, so that start-up is recovery. Neighbours: `store/runs` keeps it, `jobs/drive_runs` acts on it.

mod decide;
mod part;
mod phase;
mod report;
mod step;

#[cfg(test)]
mod tests;

pub use decide::{Action, decide};
pub use part::{AgentView, EnvelopeState, Permitted, RunPart, StepRange};
pub use phase::{PhaseState, PhaseView, phases};
pub use report::{Outcome, RangeEnd, Report, StepFailure, UnexpectedReport};
pub use step::{MAX_AUTOMATIC_ATTEMPTS, RunStep, StepRules, StepState};

use hydron_proto::ids::ServerId;

use crate::named::named;

/// After this long, a paused or failed run is not taken up again: the plan needs a new approval. Milliseconds, 7 days.
pub const RESUME_WITHIN_MS: i64 = 7 * 24 * 3600 * 1000;

named! {
    /// Kinds of runs, by what allowed them.
    RunKind, "kind of run" {
        /// Provisioning plans that a person approved.
        Deploy = "deploy",
        /// Release plans inside mandates.
        Release = "release",
        /// One signed operation.
        Operation = "operation",
    }
}

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunState {
    /// Signed and stored; nothing sent yet.
    Started,
    /// Steps are permitted.
    InProgress,
    /// Nothing is permitted until a person decides.
    Paused,
    /// Every step is done.
    Completed,
    /// A step failed; retry may take it up again.
    Failed(RunFailure),
    /// A person stopped it.
    Stopped,
}

/// Why a run failed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct RunFailure {
    /// Stable code.
    pub code: String,
    /// What a person reads.
    pub message: String,
    /// The server on which it happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerId>,
    /// The step that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
}

named! {
    /// What the person wants; takes effect at the next step boundary.
    Wish, "wish for a run" {
        /// Go on.
        Go = "go",
        /// Wait at the boundary.
        Pause = "pause",
        /// End at the boundary.
        Stop = "stop",
    }
}

named! {
    /// A side note; never a state.
    RunNote, "note on a run" {
        /// A server with work left is not connected.
        AgentOffline = "agent_offline",
        /// A step's outcome cannot be known: a person chooses.
        NeedsDecision = "needs_decision",
    }
}

named! {
    /// What a person chose for a step whose outcome is unknown.
    Resolution, "decision about a step" {
        /// It was done: go on after it.
        AdoptResult = "adopt_result",
        /// Run it again.
        Rerun = "rerun",
        /// End the run here.
        Stop = "stop",
    }
}

/// A command that does not fit the state of the run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotNow {
    /// The state does not allow it.
    #[error("a run that is {state} cannot {verb}; {hint}")]
    WrongState {
        /// What was asked.
        verb: &'static str,
        /// The state.
        state: &'static str,
        /// What is possible.
        hint: &'static str,
    },
    /// Too long ago.
    #[error("this run has waited for more than 7 days; make a new plan and approve it")]
    TooOld,
    /// No server takes the same plan twice.
    #[error("a server of this run cannot read its journal any more, so it cannot go on; deploy again")]
    JournalLost,
    /// The named step is not in that state.
    #[error("step {0} is not waiting for a decision")]
    NotUnknown(u32),
    /// The named step did not fail.
    #[error("step {0} did not fail; only a failed step can be retried")]
    NotFailed(u32),
}

/// The head of a run; its parts are [`RunPart`]s.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Where it stands.
    pub state: RunState,
    /// What the person wants.
    pub wish: Wish,
    /// A side note.
    pub note: Option<RunNote>,
    /// When `state` last changed, milliseconds since 1970.
    pub changed_at: i64,
}

impl RunState {
    /// The word of the product documents.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::InProgress => "in_progress",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Failed(_) => "failed",
            Self::Stopped => "stopped",
        }
    }

    /// The state behind its word and, for a failed run, its failure.
    pub fn from_word(word: &str, failure: Option<RunFailure>) -> Option<Self> {
        match (word, failure) {
            ("started", None) => Some(Self::Started),
            ("in_progress", None) => Some(Self::InProgress),
            ("paused", None) => Some(Self::Paused),
            ("completed", None) => Some(Self::Completed),
            ("failed", Some(failure)) => Some(Self::Failed(failure)),
            ("stopped", None) => Some(Self::Stopped),
            (_, Some(_) | None) => None,
        }
    }

    /// Whether nothing more happens by itself.
    pub fn is_over(&self) -> bool {
        match self {
            Self::Completed | Self::Failed(_) | Self::Stopped => true,
            Self::Started | Self::InProgress | Self::Paused => false,
        }
    }
}

impl Run {
    /// A fresh run.
    pub fn new(now: i64) -> Self {
        Self { state: RunState::Started, wish: Wish::Go, note: None, changed_at: now }
    }

    /// The person wants it to wait.
    pub fn pause(&mut self) -> Result<(), NotNow> {
        match self.state {
            RunState::Started | RunState::InProgress if self.wish != Wish::Stop => {
                self.wish = Wish::Pause;
                Ok(())
            }
            RunState::Paused => Ok(()),
            RunState::Started
            | RunState::InProgress
            | RunState::Completed
            | RunState::Failed(_)
            | RunState::Stopped => Err(self.not_now("pause", "only a run that is going can pause")),
        }
    }

    /// The person wants it to go on. A step with an unknown outcome still needs its own decision.
    pub fn resume(&mut self, now: i64) -> Result<(), NotNow> {
        match self.state {
            RunState::Paused | RunState::Started | RunState::InProgress if self.wish != Wish::Stop => {
                self.fresh_enough(now)?;
                self.wish = Wish::Go;
                Ok(())
            }
            RunState::Started
            | RunState::InProgress
            | RunState::Paused
            | RunState::Completed
            | RunState::Failed(_)
            | RunState::Stopped => Err(self.not_now("resume", "only a paused run can resume")),
        }
    }

    /// The person wants it to end.
    pub fn stop(&mut self) -> Result<(), NotNow> {
        match self.state {
            RunState::Started | RunState::InProgress | RunState::Paused => {
                self.wish = Wish::Stop;
                Ok(())
            }
            RunState::Completed | RunState::Failed(_) | RunState::Stopped => {
                Err(self.not_now("stop", "it is over already"))
            }
        }
    }

    /// Failed steps get another attempt, and the run goes on from there.
    pub fn retry(&mut self, parts: &mut [RunPart], step: Option<u32>, now: i64) -> Result<(), NotNow> {
        if !matches!(self.state, RunState::Failed(_)) {
            return Err(self.not_now("retry", "only a failed run can be retried"));
        }
        self.fresh_enough(now)?;
        if parts.iter().any(RunPart::has_lost_its_journal) {
            return Err(NotNow::JournalLost);
        }
        if let Some(index) = step
            && !parts.iter().any(|part| part.steps.get(index as usize).is_some_and(RunStep::has_failed))
        {
            return Err(NotNow::NotFailed(index));
        }
        parts.iter_mut().for_each(RunPart::reopen);
        self.move_to(RunState::InProgress, now);
        self.wish = Wish::Go;
        Ok(())
    }

    /// A person decided about a step whose outcome is unknown.
    pub fn resolve(
        &mut self,
        parts: &mut [RunPart],
        server: ServerId,
        step: u32,
        resolution: Resolution,
    ) -> Result<(), NotNow> {
        if self.state.is_over() {
            return Err(self.not_now("resolve", "it is over already"));
        }
        let record = parts
            .iter_mut()
            .find(|part| part.server == server)
            .and_then(|part| part.steps.get_mut(step as usize))
            .filter(|record| record.state == StepState::Unknown)
            .ok_or(NotNow::NotUnknown(step))?;
        match resolution {
            Resolution::AdoptResult => record.state = StepState::Completed,
            Resolution::Rerun => record.next_attempt(),
            Resolution::Stop => self.wish = Wish::Stop,
        }
        Ok(())
    }

    /// Enters a state; used by whoever carries out [`decide`]'s actions.
    pub fn move_to(&mut self, state: RunState, now: i64) {
        self.state = state;
        self.changed_at = now;
    }

    fn fresh_enough(&self, now: i64) -> Result<(), NotNow> {
        if now.saturating_sub(self.changed_at) > RESUME_WITHIN_MS { Err(NotNow::TooOld) } else { Ok(()) }
    }

    fn not_now(&self, verb: &'static str, hint: &'static str) -> NotNow {
        NotNow::WrongState { verb, state: self.state.word(), hint }
    }
}
