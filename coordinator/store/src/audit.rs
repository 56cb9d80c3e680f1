//! The audit log of a team: who did what, to what, when.
//!
//! Rule: written in the transaction of the change it describes; never updated, never deleted, never holds a secret.

use hydron_domain::identity::Actor;
use hydron_proto::ids::TeamId;
use serde_json::Value;

use crate::column::{Json, Text};
use crate::db::Tx;
use crate::{Result, StoreError, TeamStore};

/// An entry to be recorded with a change.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditDraft {
    /// Stable name: `plan.approved`, `token.created`.
    pub action: &'static str,
    /// Id of the thing that was acted on.
    pub subject: String,
    /// What a reader of the log needs; never a secret.
    pub detail: Value,
}

impl AuditDraft {
    /// An entry about `subject`.
    pub fn new(action: &'static str, subject: impl std::fmt::Display, detail: Value) -> Self {
        Self { action, subject: subject.to_string(), detail }
    }
}

/// A recorded entry.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct AuditEntry {
    /// Its place in the team's log.
    pub seq: i64,
    /// Milliseconds since 1970.
    pub at: i64,
    /// `user`, `token`, `agent` or `system`.
    pub actor_kind: String,
    /// The actor's id.
    pub actor_id: String,
    /// The actor's name at the time.
    pub actor_name: String,
    /// Stable name of what was done.
    pub action: String,
    /// Id of the thing that was acted on.
    pub subject: String,
    /// More about it.
    pub detail: Json<Value>,
}

impl TeamStore {
    /// Up to `limit` entries before `seq` (all when `None`), newest first.
    pub async fn audit_before(&self, seq: Option<i64>, limit: i64) -> Result<Vec<AuditEntry>> {
        self.q("SELECT seq, at, actor_kind, actor_id, actor_name, action, subject, detail FROM audit \
                WHERE team_id = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3")
            .bind(seq.unwrap_or(i64::MAX))
            .bind(limit)
            .all()
            .await
    }
}

pub(crate) async fn insert(
    tx: &mut Tx,
    team: TeamId,
    now: i64,
    actor: &Actor,
    drafts: &[AuditDraft],
) -> Result<()> {
    if drafts.is_empty() {
        return Ok(());
    }
    let count = i64::try_from(drafts.len()).unwrap_or(i64::MAX);
    let last: Option<(i64,)> = tx
        .q("UPDATE team SET audit_seq = audit_seq + $2 WHERE id = $1 RETURNING audit_seq")
        .bind(Text(team))
        .bind(count)
        .opt()
        .await?;
    let (last,) = last.ok_or(StoreError::NoSuchTeam)?;
    tx.q("INSERT INTO audit (team_id, seq, at, actor_kind, actor_id, actor_name, action, subject, detail) VALUES ")
        .rows((last - count + 1..).zip(drafts), |row, (seq, draft)| {
            row.bind(Text(team))
                .bind(seq)
                .bind(now)
                .bind(actor.kind())
                .bind(actor.id())
                .bind(actor.name())
                .bind(draft.action)
                .bind(draft.subject.as_str())
                .bind(Json(&draft.detail));
        })
        .exec()
        .await?;
    Ok(())
}
