//! What an agent's journal says about a run, parsed: one variant a kind of journal entry.
//!
//! Rule: the journal is the truth about what ran; reports change records even when the run itself is over.

/// One journal entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// The envelope was verified and kept.
    EnvelopeAccepted,
    /// A permit was verified and kept.
    PermitAccepted {
        /// First step of the range.
        first: u32,
        /// Last step of the range.
        last: u32,
        /// Attempt of the first.
        attempt: u32,
        /// Epoch it came with.
        epoch: u64,
    },
    /// Intent, durable before the start.
    StepStarting {
        /// Which step.
        step: u32,
        /// Which attempt.
        attempt: u32,
    },
    /// The end of an attempt.
    StepExited {
        /// Which step.
        step: u32,
        /// Which attempt.
        attempt: u32,
        /// How it ended.
        outcome: Outcome,
    },
    /// A start without an end.
    StepInterrupted {
        /// Which step.
        step: u32,
        /// Which attempt.
        attempt: u32,
        /// Why nobody knows.
        why: String,
    },
    /// The range is over.
    RangeEnded {
        /// First step that was not walked.
        next_step: u32,
        /// Why it ended.
        end: RangeEnd,
    },
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// As planned.
    Succeeded,
    /// Otherwise.
    Failed(StepFailure),
}

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct StepFailure {
    /// Stable code, e.g. `timed_out`.
    pub code: String,
    /// Redacted text.
    pub message: String,
}

/// Why a range ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RangeEnd {
    /// Its last step is done.
    Completed,
    /// A step failed.
    StepFailed,
    /// A hold took effect.
    Held,
    /// A step was interrupted.
    Interrupted,
}

/// A report about a step that the plan does not have, or about an attempt nobody asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the agent reported step {step} attempt {attempt}, which this run does not have")]
pub struct UnexpectedReport {
    /// Which step.
    pub step: u32,
    /// Which attempt.
    pub attempt: u32,
}
