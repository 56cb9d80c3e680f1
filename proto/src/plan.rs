//! Plan documents: what was approved, as the bytes that are signed. JSON, so that a person, the browser and the agent
//! read the same thing; strict, so that a field nobody checks cannot ride along.
//!
//! Rule: a document is decoded once from its stored bytes and never re-encoded to be compared.

mod action;
mod mandate;
mod release;
mod result;
mod risk;
mod step;

pub use action::{
    Action, ActionKind, Certificate, CertificateIssuer, Directory, DockerEngine, Dockerfile, File,
    GitCheckout, ImageBuild, ImagePull, Network, Operation, Packages, Probe, Route, RoutePath, Shell, Volume,
};
pub use mandate::{DockerfileRule, Mandate, SourceRule, StepRule, admit_release};
pub use release::{
    EnvPart, EnvVar, Health, HealthKind, Limits, RELEASES_KEPT, ReleaseImage, ReleaseOrder, ReleaseSpec,
    SecretRef, VolumeMount,
};
pub use result::StepResult;
pub use risk::Risk;
pub use step::{InterruptPolicy, Phase, RepairBounds, Step, StepRef, Undo};

use serde::{Deserialize, Serialize};

use crate::envelope::EnvelopeKind;
use crate::ids::{ProjectId, ServerId, TeamId};

/// Version this build writes and the only one it reads.
pub const PLAN_VERSION: u16 = 1;
/// Most steps of one plan.
pub const MAX_STEPS: usize = 500;

/// Everything that will touch one server in one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PlanDocument {
    /// [`PLAN_VERSION`].
    pub version: u16,
    /// What kind of plan this is.
    pub kind: PlanKind,
    /// Owner of the server.
    pub team: TeamId,
    /// The project it serves.
    pub project: ProjectId,
    /// The server it touches.
    pub server: ServerId,
    /// In order; a step is named by its index.
    pub steps: Vec<Step>,
    /// What later releases may do without a new approval; only in a provisioning plan.
    pub mandates: Vec<Mandate>,
    /// How far an automatic repair may go.
    pub repair: RepairBounds,
}

/// Kinds of plans, each with its own way to be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PlanKind {
    /// Needs a person's approval.
    Provisioning,
    /// Needs a mandate.
    Release,
    /// One step of kind `operate`.
    Operation,
}

impl PlanKind {
    /// The envelope that carries such a plan.
    pub fn envelope(self) -> EnvelopeKind {
        match self {
            Self::Provisioning => EnvelopeKind::Run,
            Self::Release => EnvelopeKind::Release,
            Self::Operation => EnvelopeKind::Operation,
        }
    }
}

/// A plan document that is not one.
#[derive(Debug, thiserror::Error)]
pub enum InvalidPlan {
    /// The JSON does not fit.
    #[error("the plan does not decode: {0}")]
    Decode(#[from] serde_json::Error),
    /// The content contradicts itself.
    #[error("the plan is inconsistent: {0}")]
    Inconsistent(&'static str),
}

impl PlanDocument {
    /// Decodes and checks a document.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidPlan> {
        let plan: Self = serde_json::from_slice(bytes)?;
        plan.check()?;
        Ok(plan)
    }

    /// The bytes to store, show, approve and sign.
    pub fn to_bytes(&self) -> Result<Vec<u8>, InvalidPlan> {
        self.check()?;
        Ok(serde_json::to_vec(self)?)
    }

    /// Every secret that the steps name, once each.
    pub fn secrets(&self) -> Vec<&SecretRef> {
        let mut secrets: Vec<&SecretRef> = self.steps.iter().flat_map(|step| step.action.secrets()).collect();
        secrets.sort();
        secrets.dedup();
        secrets
    }

    fn check(&self) -> Result<(), InvalidPlan> {
        if self.version != PLAN_VERSION {
            return Err(InvalidPlan::Inconsistent("unknown version"));
        }
        if self.steps.is_empty() || self.steps.len() > MAX_STEPS {
            return Err(InvalidPlan::Inconsistent("a plan has 1 to 500 steps"));
        }
        match self.kind {
            PlanKind::Provisioning => {}
            PlanKind::Release if self.mandates.is_empty() => {}
            PlanKind::Operation if self.mandates.is_empty() && self.steps.len() == 1 => {}
            PlanKind::Release => return Err(InvalidPlan::Inconsistent("a release plan carries no mandates")),
            PlanKind::Operation => return Err(InvalidPlan::Inconsistent("an operation is one step")),
        }
        let operates = |step: &Step| matches!(step.action, Action::Operate(_));
        if self.steps.iter().any(|step| operates(step) != (self.kind == PlanKind::Operation)) {
            return Err(InvalidPlan::Inconsistent(
                "operations stand in operation plans, and nothing else does",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
