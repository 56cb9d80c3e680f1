//! Approvals: a person's yes to exactly the bytes that were shown.
//!
//! Rule: an approval is a row bound to a digest; it is decided once, and an edited plan voids what was pending.

use hydron_proto::envelope::PlanDigest;
use hydron_proto::ids::{ApprovalId, InfrastructurePlanId, ProjectId, ProvisioningPlanId};
use hydron_proto::plan::Risk;

use crate::identity::Role;
use crate::named::named;

named! {
    /// Where an approval stands.
    ApprovalState, "approval state" {
        /// Waits for a person.
        Pending = "pending",
        /// A person said yes.
        Approved = "approved",
        /// A person said no.
        Declined = "declined",
        /// Nobody decided in time, or its plan changed.
        Expired = "expired",
    }
}

/// How long an approval may wait, and how long an approved plan may wait for its start.
pub const APPROVAL_TTL_MS: i64 = 24 * 60 * 60 * 1000;

/// What an approval is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApprovalSubject {
    /// Which servers, what runs where.
    Infrastructure(InfrastructurePlanId),
    /// Every step on one server.
    Provisioning(ProvisioningPlanId),
}

impl ApprovalSubject {
    /// The stable name of the kind.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Infrastructure(_) => "infrastructure_plan",
            Self::Provisioning(_) => "provisioning_plan",
        }
    }

    /// The id, as text.
    pub fn id(self) -> String {
        match self {
            Self::Infrastructure(id) => id.to_string(),
            Self::Provisioning(id) => id.to_string(),
        }
    }
}

/// A question to a person, and the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Id.
    pub id: ApprovalId,
    /// Project.
    pub project: ProjectId,
    /// About what.
    pub subject: ApprovalSubject,
    /// Exactly these bytes.
    pub digest: PlanDigest,
    /// How much harm the plan can do.
    pub risk: Risk,
    /// State.
    pub state: ApprovalState,
    /// Milliseconds since 1970.
    pub requested_at: i64,
    /// Milliseconds since 1970.
    pub decided_at: Option<i64>,
    /// Who decided, as the audit log names them.
    pub decided_by: Option<String>,
}

/// Why an approval cannot be decided.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApprovalRefused {
    /// Decided before.
    #[error("this approval is already {0}")]
    Decided(ApprovalState),
    /// The digest is not what the person saw.
    #[error("the plan is not the one you were shown; look at it again and approve its current digest")]
    DigestMismatch,
    /// Too old.
    #[error("this approval has expired; make a new plan")]
    Expired,
}

impl Approval {
    /// Decides; the digest must be the one that was shown.
    pub fn approve(&self, shown: PlanDigest, now: i64) -> Result<(), ApprovalRefused> {
        self.check_open(now)?;
        if shown == self.digest { Ok(()) } else { Err(ApprovalRefused::DigestMismatch) }
    }

    /// Whether it can still be decided.
    pub fn check_open(&self, now: i64) -> Result<(), ApprovalRefused> {
        match self.state {
            ApprovalState::Pending if now - self.requested_at >= APPROVAL_TTL_MS => {
                Err(ApprovalRefused::Expired)
            }
            ApprovalState::Pending => Ok(()),
            ApprovalState::Expired => Err(ApprovalRefused::Expired),
            ApprovalState::Approved | ApprovalState::Declined => Err(ApprovalRefused::Decided(self.state)),
        }
    }
}

/// The least role that may approve a plan of this risk.
pub fn approver(risk: Risk) -> Role {
    match risk {
        Risk::R0 | Risk::R1 | Risk::R2 => Role::Developer,
        Risk::R3 => Role::Admin,
        Risk::R4 => Role::Owner,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending() -> Approval {
        Approval {
            id: ApprovalId::new(1, [1; 10]),
            project: ProjectId::new(1, [1; 10]),
            subject: ApprovalSubject::Provisioning(ProvisioningPlanId::new(1, [1; 10])),
            digest: PlanDigest([1; 32]),
            risk: Risk::R2,
            state: ApprovalState::Pending,
            requested_at: 0,
            decided_at: None,
            decided_by: None,
        }
    }

    #[test]
    fn only_the_digest_that_was_shown_is_approved_and_only_once_and_in_time() {
        let approval = pending();
        assert_eq!(approval.approve(PlanDigest([1; 32]), 5), Ok(()));
        assert_eq!(approval.approve(PlanDigest([2; 32]), 5), Err(ApprovalRefused::DigestMismatch));
        // A day, and not a millisecond more.
        assert_eq!(approval.approve(PlanDigest([1; 32]), 86_399_999), Ok(()));
        assert_eq!(approval.approve(PlanDigest([1; 32]), 86_400_000), Err(ApprovalRefused::Expired));
        let declined = Approval { state: ApprovalState::Declined, ..approval };
        assert_eq!(
            declined.approve(PlanDigest([1; 32]), 5),
            Err(ApprovalRefused::Decided(ApprovalState::Declined))
        );
    }

    #[test]
    fn the_day_of_an_approval_begins_when_it_was_asked_for() {
        let approval = Approval { requested_at: 1_000, ..pending() };
        assert_eq!(approval.check_open(86_400_999), Ok(()));
        assert_eq!(approval.check_open(86_401_000), Err(ApprovalRefused::Expired));
    }

    #[test]
    fn a_subject_is_stored_by_its_kind_and_id() {
        let plan = ProvisioningPlanId::new(1, [1; 10]);
        let subject = ApprovalSubject::Provisioning(plan);
        assert_eq!((subject.kind(), subject.id()), ("provisioning_plan", plan.to_string()));
        let plan = InfrastructurePlanId::new(1, [1; 10]);
        let subject = ApprovalSubject::Infrastructure(plan);
        assert_eq!((subject.kind(), subject.id()), ("infrastructure_plan", plan.to_string()));
    }
}
