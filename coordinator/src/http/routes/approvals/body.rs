//! An approval in JSON.

use hydron_domain::approval::{Approval, ApprovalState};
use hydron_proto::ids::{ApprovalId, ProjectId};
use hydron_proto::plan::Risk;
use serde::Serialize;
use utoipa::ToSchema;

/// A question to a person.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Approval)]
pub(super) struct ApprovalBody {
    id: ApprovalId,
    project_id: ProjectId,
    /// `infrastructure_plan` or `provisioning_plan`.
    subject_kind: String,
    subject_id: String,
    /// What a yes is about.
    digest: String,
    risk: Risk,
    state: ApprovalState,
    requested_at: i64,
    decided_at: Option<i64>,
    decided_by: Option<String>,
}

impl From<Approval> for ApprovalBody {
    fn from(approval: Approval) -> Self {
        Self {
            id: approval.id,
            project_id: approval.project,
            subject_kind: approval.subject.kind().to_owned(),
            subject_id: approval.subject.id(),
            digest: approval.digest.to_string(),
            risk: approval.risk,
            state: approval.state,
            requested_at: approval.requested_at,
            decided_at: approval.decided_at,
            decided_by: approval.decided_by,
        }
    }
}
