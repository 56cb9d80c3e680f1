//! One reading of a repository as a durable job: its state, its eight steps, its error.
//!
//! Rule: what a person sees survives a crash; a reading that was cut off is begun again a few times, then failed aloud.

use hydron_proto::ids::{AnalysisId, ProjectId};
use hydron_proto::names::{CommitId, GitRef, GitUrl, RelPath};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::analysis::AnalysisStep;
use crate::named::named;

named! {
    /// Where a reading stands.
    AnalysisState, "analysis state" {
        /// Waits for a worker.
        Queued = "queued",
        /// Fetches the commit.
        Cloning = "cloning",
        /// Lists and reads files.
        Reading = "reading",
        /// Decides what is what.
        Detecting = "detecting",
        /// Finished.
        Done = "done",
        /// Ended with an error.
        Failed = "failed",
    }
}

named! {
    /// Where one of the eight steps stands.
    #[schema(as = AnalysisStepState)]
    StepState, "step state" {
        /// Not yet.
        Pending = "pending",
        /// Now.
        Running = "running",
        /// Over.
        Completed = "completed",
        /// Ended the reading.
        Failed = "failed",
    }
}

/// How often a reading that was cut off is begun again.
pub const MAX_ATTEMPTS: i64 = 3;

/// One reading.
#[derive(Debug, Clone, PartialEq)]
pub struct AnalysisRun {
    /// Id.
    pub id: AnalysisId,
    /// Project.
    pub project: ProjectId,
    /// What to read.
    pub source: SourceSpec,
    /// The commit, once it is known.
    pub commit: Option<CommitId>,
    /// The full name of the ref, once it is known.
    pub reference: Option<GitRef>,
    /// State.
    pub state: AnalysisState,
    /// The eight steps.
    pub steps: Vec<StepView>,
    /// Why it failed.
    pub error: Option<AnalysisError>,
    /// How often it was begun.
    pub attempts: i64,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970.
    pub finished_at: Option<i64>,
}

/// What to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SourceSpec {
    /// Repository.
    pub url: GitUrl,
    /// Branch or tag; the default branch when absent.
    #[serde(rename = "ref", default)]
    pub reference: Option<GitRef>,
    /// Exactly this commit of it; the newest when absent.
    #[serde(default)]
    pub commit: Option<CommitId>,
    /// Directory to look at; the whole repository when empty.
    #[serde(default = "RelPath::root")]
    pub subdir: RelPath,
}

/// One of the eight steps, as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StepView {
    /// Stable name.
    pub name: AnalysisStep,
    /// The sentence on screen.
    pub label: String,
    /// State.
    pub state: StepState,
    /// What it found or where it is.
    #[serde(default)]
    pub detail: Option<String>,
}

/// Why a reading failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AnalysisError {
    /// Stable code.
    pub code: String,
    /// What happened and what to do.
    pub message: String,
    /// The field to change, if one.
    #[serde(default)]
    pub field: Option<String>,
}

/// A change of state that is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an analysis cannot go from {from} to {to}")]
pub struct InvalidTransition {
    /// From.
    pub from: AnalysisState,
    /// To.
    pub to: AnalysisState,
}

impl AnalysisState {
    /// Whether nothing will change any more.
    pub fn is_over(self) -> bool {
        match self {
            Self::Done | Self::Failed => true,
            Self::Queued | Self::Cloning | Self::Reading | Self::Detecting => false,
        }
    }

    /// The state in which a step runs.
    pub fn of(step: AnalysisStep) -> Self {
        match step {
            AnalysisStep::Resolving | AnalysisStep::Cloning => Self::Cloning,
            AnalysisStep::ReadingTree | AnalysisStep::ReadingManifests => Self::Reading,
            AnalysisStep::DetectingServices
            | AnalysisStep::DetectingDependencies
            | AnalysisStep::ReadingEnvironment
            | AnalysisStep::WritingDockerfiles => Self::Detecting,
        }
    }

    /// Checks a change: forward, or back to the start after a crash.
    pub fn to(self, next: Self) -> Result<Self, InvalidTransition> {
        let allowed = !self.is_over() && (next >= self || next == Self::Queued);
        if allowed { Ok(next) } else { Err(InvalidTransition { from: self, to: next }) }
    }
}

/// The eight steps before anything happened.
pub fn pending_steps() -> Vec<StepView> {
    AnalysisStep::ALL
        .into_iter()
        .map(|step| StepView {
            name: step,
            label: step.title().to_owned(),
            state: StepState::Pending,
            detail: None,
        })
        .collect()
}

/// Marks `step` as running and everything before it as completed; a step that is over stays so.
pub fn advance(steps: &mut [StepView], step: AnalysisStep, detail: Option<&str>) {
    if steps.iter().any(|view| view.name == step && view.state == StepState::Completed) {
        return;
    }
    for view in steps {
        if view.name < step && view.state != StepState::Completed {
            view.state = StepState::Completed;
        } else if view.name == step {
            view.state = StepState::Running;
            view.detail = detail.map(str::to_owned);
        }
    }
}

/// Ends the steps: all completed, or the running one failed.
pub fn finish(steps: &mut [StepView], failed: bool) {
    for view in steps {
        view.state = match (view.state, failed) {
            (StepState::Completed, _) | (StepState::Running | StepState::Pending, false) => {
                StepState::Completed
            }
            (StepState::Running | StepState::Failed, true) | (StepState::Failed, false) => StepState::Failed,
            (StepState::Pending, true) => StepState::Pending,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_moves_forward_or_begins_again_and_an_end_is_an_end() {
        assert!(AnalysisState::Queued.to(AnalysisState::Cloning).is_ok());
        assert!(AnalysisState::Detecting.to(AnalysisState::Queued).is_ok());
        assert!(AnalysisState::Detecting.to(AnalysisState::Cloning).is_err());
        assert!(AnalysisState::Reading.to(AnalysisState::Reading).is_ok());
        for state in AnalysisState::ALL {
            assert!(AnalysisState::Done.to(*state).is_err());
            assert!(AnalysisState::Failed.to(*state).is_err());
        }
    }

    #[test]
    fn steps_complete_in_order_and_the_running_one_fails() {
        let mut steps = pending_steps();
        assert_eq!(steps.len(), 8);
        advance(&mut steps, AnalysisStep::ReadingTree, Some("12 files"));
        assert_eq!(steps[1].state, StepState::Completed);
        assert_eq!(steps[2].state, StepState::Running);
        assert_eq!(steps[3].state, StepState::Pending);
        advance(&mut steps, AnalysisStep::Cloning, None);
        assert_eq!(steps[1].state, StepState::Completed, "what is over stays so");
        finish(&mut steps, true);
        assert_eq!(steps[2].state, StepState::Failed);
        assert_eq!(steps[3].state, StepState::Pending);
    }

    #[test]
    fn a_later_step_completes_the_ones_before_it() {
        let mut steps = pending_steps();
        advance(&mut steps, AnalysisStep::Cloning, None);
        advance(&mut steps, AnalysisStep::ReadingTree, None);
        let states: Vec<_> = steps.iter().take(4).map(|step| step.state).collect();
        assert_eq!(
            states,
            [StepState::Completed, StepState::Completed, StepState::Running, StepState::Pending]
        );
    }
}
