//! What the signer reads: the answer to an approval, and nothing else of it.
//!
//! Rule: read in the transaction that stores the signature, so an answer cannot change in between.

use hydron_proto::envelope::PlanDigest;
use hydron_proto::ids::{ApprovalId, ProjectId};

use crate::column::Text;
use crate::{Result, StoreError, TeamTx};

/// A person's yes to a provisioning plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Warrant {
    /// Of which project.
    pub project: ProjectId,
    /// Exactly these bytes.
    pub digest: PlanDigest,
    /// When, milliseconds since 1970.
    pub decided_at: i64,
}

impl TeamTx {
    /// The yes behind an approval; none while it is pending, declined, expired, or about something else.
    pub async fn warrant(&mut self, id: ApprovalId) -> Result<Option<Warrant>> {
        let row: Option<(Text<ProjectId>, String, i64)> = self
            .q("SELECT project_id, digest, decided_at FROM approval WHERE team_id = $1 AND id = $2 \
                AND state = 'approved' AND subject_kind = 'provisioning_plan' AND decided_at IS NOT NULL")
            .pg(" FOR SHARE")
            .bind(Text(id))
            .opt()
            .await?;
        row.map(|(project, digest, decided_at)| {
            let digest = PlanDigest::parse(&digest).ok_or_else(|| StoreError::corrupt("approval.digest"))?;
            Ok(Warrant { project: project.0, digest, decided_at })
        })
        .transpose()
    }
}
