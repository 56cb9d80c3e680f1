//! Infrastructure plans: which servers, what runs where, why, and for how long anything is down.
//!
//! Rule: what is approved is the digest of the stored document; a plan whose inputs changed is stale by content.

use std::collections::BTreeMap;

use hydron_proto::envelope::PlanDigest;
use hydron_proto::ids::{InfrastructurePlanId, ProjectId, RunId, ServerId, ServiceId};
use hydron_proto::names::ServiceName;
use hydron_proto::plan::Risk;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use crate::named::named;
use crate::planning::InputDigests;

named! {
    /// Where an infrastructure plan stands.
    PlanState, "plan state" {
        /// Being made or changed.
        Draft = "draft",
        /// To be reviewed.
        Ready = "ready",
        /// Locked by a person's yes.
        Approved = "approved",
        /// A run carries it out.
        Executing = "executing",
        /// Carried out.
        Completed = "completed",
        /// Its inputs changed, or it was replaced.
        Stale = "stale",
    }
}

/// A plan, as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct InfrastructurePlan {
    /// Id.
    pub id: InfrastructurePlanId,
    /// Project.
    pub project: ProjectId,
    /// State.
    pub state: PlanState,
    /// Why it is stale, in words.
    pub stale_reasons: Vec<String>,
    /// The document, exactly as shown.
    pub document: Vec<u8>,
    /// Digests of everything it was made from.
    pub inputs: InputDigests,
    /// The servers that may be used; all of the team when empty.
    pub servers: Vec<ServerId>,
    /// Where the person wants services, if they said so.
    pub placement: BTreeMap<ServiceId, ServerId>,
    /// The run that carries it out.
    pub run: Option<RunId>,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970.
    pub approved_at: Option<i64>,
}

/// What a person reads and approves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InfrastructureDocument {
    /// Version of this format.
    pub version: u16,
    /// Servers and what runs on each.
    pub servers: Vec<PlannedServer>,
    /// Where the application will answer.
    pub url: Option<String>,
    /// Declared interruptions, one a service; 0 s is said too.
    pub downtime: Vec<Downtime>,
    /// The worst risk of any step.
    pub risk: Risk,
    /// What a person should know before saying yes.
    pub warnings: Vec<String>,
}

/// A server and its services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlannedServer {
    /// Which.
    pub server_id: ServerId,
    /// Its name.
    pub name: String,
    /// What runs there.
    pub services: Vec<PlacedService>,
    /// Why this server.
    pub reason: String,
}

/// A service on a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlacedService {
    /// Which.
    pub service_id: ServiceId,
    /// Its name.
    pub name: ServiceName,
    /// Why there.
    pub reason: String,
}

/// A declared interruption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Downtime {
    /// Which service.
    pub service: ServiceName,
    /// How long, at most.
    pub seconds: u32,
    /// Why.
    pub reason: String,
}

/// Why a plan cannot be changed or approved now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanRefused {
    /// Its state forbids it.
    #[error("the plan is {0}; make a new plan")]
    WrongState(PlanState),
    /// Its inputs changed.
    #[error("the plan is out of date: {}. Make a new plan", .0.join("; "))]
    Stale(Vec<String>),
    /// The digest is not what the person saw.
    #[error("the plan is not the one you were shown; look at it again and approve its current digest")]
    DigestMismatch,
}

impl InfrastructureDocument {
    /// [`InfrastructureDocument::version`] of this build.
    pub const VERSION: u16 = 1;

    /// The digest that names a stored document.
    pub fn digest(document: &[u8]) -> PlanDigest {
        let hash = Sha256::new().chain_update(b"hydron-infrastructure-v1\0").chain_update(document);
        PlanDigest(hash.finalize().into())
    }
}

impl InfrastructurePlan {
    /// The digest that a person approves.
    pub fn digest(&self) -> PlanDigest {
        InfrastructureDocument::digest(&self.document)
    }

    /// Whether it may still be changed.
    pub fn check_editable(&self) -> Result<(), PlanRefused> {
        match self.state {
            PlanState::Draft | PlanState::Ready => Ok(()),
            PlanState::Stale => Err(PlanRefused::Stale(self.stale_reasons.clone())),
            PlanState::Approved | PlanState::Executing | PlanState::Completed => {
                Err(PlanRefused::WrongState(self.state))
            }
        }
    }

    /// Whether `shown` may be approved while the inputs are `now`.
    pub fn approve(&self, shown: PlanDigest, now: &InputDigests) -> Result<PlanState, PlanRefused> {
        self.check_editable()?;
        let changes = self.inputs.changes(now);
        if !changes.is_empty() {
            return Err(PlanRefused::Stale(changes));
        }
        if shown != self.digest() {
            return Err(PlanRefused::DigestMismatch);
        }
        Ok(PlanState::Approved)
    }

    /// What makes it stale now; only plans that have not been started can become so.
    pub fn staleness(&self, now: &InputDigests) -> Vec<String> {
        match self.state {
            PlanState::Draft | PlanState::Ready => self.inputs.changes(now),
            PlanState::Approved if self.run.is_none() => self.inputs.changes(now),
            PlanState::Approved | PlanState::Executing | PlanState::Completed | PlanState::Stale => {
                Vec::new()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(state: PlanState) -> InfrastructurePlan {
        InfrastructurePlan {
            id: InfrastructurePlanId::new(1, [1; 10]),
            project: ProjectId::new(1, [1; 10]),
            state,
            stale_reasons: vec!["service api changed".to_owned()],
            document: b"{}".to_vec(),
            inputs: inputs("a"),
            servers: vec![],
            placement: BTreeMap::new(),
            run: None,
            created_at: 0,
            approved_at: None,
        }
    }

    fn inputs(digest: &str) -> InputDigests {
        serde_json::from_value(serde_json::json!({ "service api": digest })).unwrap()
    }

    #[test]
    fn only_the_plan_that_was_shown_is_approved_and_only_as_long_as_nothing_changed() {
        for state in [PlanState::Draft, PlanState::Ready] {
            let plan = plan(state);
            assert_eq!(plan.approve(plan.digest(), &inputs("a")), Ok(PlanState::Approved));
            let other = InfrastructureDocument::digest(b"{ }");
            assert_eq!(plan.approve(other, &inputs("a")), Err(PlanRefused::DigestMismatch));
            let changes = vec!["service api changed".to_owned()];
            assert_eq!(plan.approve(plan.digest(), &inputs("b")), Err(PlanRefused::Stale(changes)));
        }
    }

    #[test]
    fn a_plan_that_was_approved_or_replaced_is_not_approved_again() {
        for state in [PlanState::Approved, PlanState::Executing, PlanState::Completed] {
            let plan = plan(state);
            assert_eq!(plan.approve(plan.digest(), &inputs("a")), Err(PlanRefused::WrongState(state)));
        }
        let stale = plan(PlanState::Stale);
        let reasons = stale.stale_reasons.clone();
        assert_eq!(stale.approve(stale.digest(), &inputs("a")), Err(PlanRefused::Stale(reasons)));
    }

    #[test]
    fn a_plan_can_become_stale_until_a_run_carries_it_out() {
        let changes = ["service api changed"];
        for state in [PlanState::Draft, PlanState::Ready, PlanState::Approved] {
            assert_eq!(plan(state).staleness(&inputs("b")), changes, "{state}");
        }
        let started = InfrastructurePlan { run: Some(RunId::new(1, [1; 10])), ..plan(PlanState::Approved) };
        assert!(started.staleness(&inputs("b")).is_empty());
        assert!(plan(PlanState::Executing).staleness(&inputs("b")).is_empty());
    }
}
