//! Provisioning plans: every step that will touch one server, as the bytes that are signed.
//!
//! Rule: an edit makes new bytes, so a new digest, so an earlier yes is void.

use hydron_proto::envelope::PlanDigest;
use hydron_proto::ids::{InfrastructurePlanId, ProjectId, ProvisioningPlanId, ServerId};
use hydron_proto::plan::{PlanDocument, Risk};

use crate::infrastructure::PlanRefused;
use crate::named::named;

named! {
    /// Where a provisioning plan stands.
    ProvisioningState, "provisioning plan state" {
        /// Made; its infrastructure plan is not approved yet.
        Draft = "draft",
        /// To be reviewed.
        Ready = "ready",
        /// A person said yes to its digest.
        Approved = "approved",
        /// Its inputs changed, or it was replaced.
        Stale = "stale",
    }
}

/// A plan for one server, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvisioningPlan {
    /// Id.
    pub id: ProvisioningPlanId,
    /// Project.
    pub project: ProjectId,
    /// The plan it belongs to.
    pub infrastructure: InfrastructurePlanId,
    /// The server it touches.
    pub server: ServerId,
    /// State.
    pub state: ProvisioningState,
    /// Plan document, exactly as shown and signed.
    pub document: Vec<u8>,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970.
    pub updated_at: i64,
}

impl ProvisioningPlan {
    /// The digest that a person approves and the signer compares.
    pub fn digest(&self) -> PlanDigest {
        PlanDigest::of(&self.document)
    }

    /// Whether it may still be changed; an approved one may, and loses its approval by it.
    pub fn check_editable(&self) -> Result<(), PlanRefused> {
        match self.state {
            ProvisioningState::Draft | ProvisioningState::Ready | ProvisioningState::Approved => Ok(()),
            ProvisioningState::Stale => Err(PlanRefused::Stale(vec!["it was replaced".to_owned()])),
        }
    }

    /// Whether `shown` may be approved.
    pub fn approve(&self, shown: PlanDigest) -> Result<ProvisioningState, PlanRefused> {
        match self.state {
            ProvisioningState::Ready if shown == self.digest() => Ok(ProvisioningState::Approved),
            ProvisioningState::Ready => Err(PlanRefused::DigestMismatch),
            ProvisioningState::Draft => Err(PlanRefused::WrongState(crate::infrastructure::PlanState::Draft)),
            ProvisioningState::Approved => {
                Err(PlanRefused::WrongState(crate::infrastructure::PlanState::Approved))
            }
            ProvisioningState::Stale => Err(PlanRefused::Stale(vec!["it was replaced".to_owned()])),
        }
    }
}

/// The worst risk of a plan's steps.
pub fn risk(plan: &PlanDocument) -> Risk {
    plan.steps.iter().map(|step| step.risk).max().unwrap_or(Risk::R0)
}

/// The declared interruption of a plan's steps, seconds.
pub fn downtime_s(plan: &PlanDocument) -> u32 {
    plan.steps.iter().map(|step| step.downtime_s).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(state: ProvisioningState) -> ProvisioningPlan {
        ProvisioningPlan {
            id: ProvisioningPlanId::new(1, [1; 10]),
            project: ProjectId::new(1, [1; 10]),
            infrastructure: InfrastructurePlanId::new(1, [1; 10]),
            server: ServerId::new(1, [1; 10]),
            state,
            document: b"{}".to_vec(),
            created_at: 0,
            updated_at: 0,
        }
    }

    #[test]
    fn only_a_plan_that_is_ready_is_approved_and_only_by_the_digest_that_was_shown() {
        let ready = plan(ProvisioningState::Ready);
        assert_eq!(ready.approve(ready.digest()), Ok(ProvisioningState::Approved));
        assert_eq!(ready.approve(PlanDigest::of(b"{ }")), Err(PlanRefused::DigestMismatch));
        for state in [ProvisioningState::Draft, ProvisioningState::Approved, ProvisioningState::Stale] {
            assert!(plan(state).approve(ready.digest()).is_err(), "{state}");
        }
    }

    #[test]
    fn a_plan_that_was_replaced_is_not_edited() {
        for state in [ProvisioningState::Draft, ProvisioningState::Ready, ProvisioningState::Approved] {
            assert_eq!(plan(state).check_editable(), Ok(()), "{state}");
        }
        assert!(matches!(plan(ProvisioningState::Stale).check_editable(), Err(PlanRefused::Stale(_))));
    }
}
