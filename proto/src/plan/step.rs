//! One step of a plan: what it does and what is promised about it.

use serde::{Deserialize, Serialize};

use super::{Action, Risk};
use crate::ids::{ServerId, ServiceId};

/// One step. Its command is `(run, index, attempt)`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What a person reads, e.g. "Build image api".
    pub title: String,
    /// Where it belongs in the run.
    pub phase: Phase,
    /// The service it serves, if one.
    pub service: Option<ServiceId>,
    /// What happens.
    pub action: Action,
    /// Declared risk; never below what the action computes.
    pub risk: Risk,
    /// Longest run time, seconds.
    pub timeout_s: u32,
    /// What to do when the outcome is unknown.
    pub on_interrupt: InterruptPolicy,
    /// What happens when it fails.
    pub undo: Undo,
    /// Results of other servers that must be there first: a barrier.
    pub after: Vec<StepRef>,
    /// Reverts itself unless confirmed over a new connection.
    pub guarded: bool,
    /// Declared interruption of the service, seconds; 0 when there is none.
    pub downtime_s: u32,
}

/// A step of another server in the same run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct StepRef {
    /// Which server.
    pub server: ServerId,
    /// Index in its plan.
    pub step: u32,
}

/// The phases of a run, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Ordering machines.
    Purchase,
    /// Waiting for them.
    Availability,
    /// Names.
    Domain,
    /// Operating system.
    OsInstall,
    /// What the machine needs: engine, network, volumes.
    Provisioning,
    /// Source and images.
    Build,
    /// Containers.
    Deploy,
    /// Routes and certificates.
    Edge,
    /// Probes through the public URL.
    PostDeploy,
}

/// What happens to a step whose outcome nobody can know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum InterruptPolicy {
    /// Idempotent: run it again.
    Rerun,
    /// Its own check decides.
    CheckThenRerun,
    /// A person decides.
    Ask,
}

/// What happens to a step's own traces when it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Undo {
    /// Left as it is.
    None,
    /// The step takes back what it made.
    Own,
}

/// How far an automatic repair may go. Zero means: never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RepairBounds {
    /// Repairs of one step.
    pub per_step: u8,
    /// Repairs of one run.
    pub per_run: u8,
}
