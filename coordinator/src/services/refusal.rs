//! Why a use case on the way to an approved plan was refused: one vocabulary for all of them.
//!
//! Rule: every variant has a stable code and says what to do next; nothing was changed when one is returned.

use hydron_domain::analysis_run::AnalysisError;
use hydron_domain::approval::ApprovalRefused;
use hydron_domain::infrastructure::PlanRefused;
use hydron_domain::planning::{InvalidStepEdit, PlanningError};
use hydron_domain::project::InvalidProject;
use hydron_domain::service::{InvalidEdit, ServiceRefused};
use hydron_proto::ids::InfrastructurePlanId;
use hydron_proto::plan::InvalidPlan;
use hydron_store::StoreError;

use super::input::{InvalidField, ReadError};
use super::principal::Denied;
use super::runs::create::CreateRunError;
use crate::clients::git::FetchError;
use crate::keys::kek::KekError;

/// A refusal.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Not allowed.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Not there, or another team's.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// A field is wrong.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// The repository cannot be read.
    #[error(transparent)]
    Source(#[from] FetchError),
    /// A reading that was waited for ended with an error.
    #[error("{}", .0.message)]
    Reading(AnalysisError),
    /// A service's state forbids it.
    #[error(transparent)]
    Service(#[from] ServiceRefused),
    /// Something else's state forbids it.
    #[error("{0}")]
    WrongState(String),
    /// A plan's state, inputs or digest forbid it.
    #[error(transparent)]
    Plan(#[from] PlanRefused),
    /// An approval's state or digest forbid it.
    #[error(transparent)]
    Approval(#[from] ApprovalRefused),
    /// No plan can be made.
    #[error(transparent)]
    Planning(#[from] PlanningError),
    /// A redeploy goes beyond what was approved; this plan waits for a person.
    #[error("this goes beyond what was approved: {why}. A new plan is ready for approval")]
    NeedsApproval {
        /// The plan.
        plan: InfrastructurePlanId,
        /// What goes beyond.
        why: String,
    },
    /// The run could not be made.
    #[error(transparent)]
    Run(#[from] CreateRunError),
    /// A stored value does not open.
    #[error(transparent)]
    Kek(#[from] KekError),
    /// A stored document does not decode.
    #[error(transparent)]
    Document(#[from] InvalidPlan),
    /// A stored document does not decode.
    #[error("a stored document does not decode")]
    Json(#[from] serde_json::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ReadError> for Refusal {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Denied(denied) => Self::Denied(denied),
            ReadError::NotFound(what) => Self::NotFound(what),
            ReadError::Store(error) => Self::Store(error),
        }
    }
}

impl From<InvalidEdit> for Refusal {
    fn from(edit: InvalidEdit) -> Self {
        Self::Invalid(InvalidField::new(edit.field, edit.problem))
    }
}

impl From<InvalidStepEdit> for Refusal {
    fn from(edit: InvalidStepEdit) -> Self {
        Self::Invalid(InvalidField::new(edit.field, edit.problem))
    }
}

impl From<InvalidProject> for Refusal {
    fn from(problem: InvalidProject) -> Self {
        Self::Invalid(InvalidField::new("name", problem))
    }
}
