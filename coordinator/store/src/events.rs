//! Events of a team: what others see happen. Server-sent events carry the sequence as their id.
//!
//! Rule: the sequence comes from a counter row of the team in the same transaction, so its order is commit order and a
//! reader that asks for "after n" never misses one.

use hydron_proto::ids::{ProjectId, TeamId};
use serde_json::Value;

use crate::column::{Json, Text};
use crate::db::Tx;
use crate::{Result, StoreError, TeamStore};

/// An event to be recorded with a change.
#[derive(Debug, Clone, PartialEq)]
pub struct EventDraft {
    /// The project it belongs to, if any.
    pub project: Option<ProjectId>,
    /// Stable name: `service.accepted`, `run.changed`.
    pub kind: &'static str,
    /// Id of the thing that changed.
    pub subject: String,
    /// What a screen needs to update itself; never a secret.
    pub data: Value,
}

/// A recorded event.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its place in the team's sequence.
    pub seq: i64,
    /// The project it belongs to, if any.
    pub project: Option<ProjectId>,
    /// Stable name.
    pub kind: String,
    /// Id of the thing that changed.
    pub subject: String,
    /// What a screen needs to update itself.
    pub data: Value,
    /// Milliseconds since 1970.
    pub at: i64,
}

impl EventDraft {
    /// An event about `subject`.
    pub fn new(kind: &'static str, subject: impl std::fmt::Display, data: Value) -> Self {
        Self { project: None, kind, subject: subject.to_string(), data }
    }

    /// The same event, in a project.
    pub fn in_project(self, project: ProjectId) -> Self {
        Self { project: Some(project), ..self }
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    seq: i64,
    project_id: Option<Text<ProjectId>>,
    kind: String,
    subject: String,
    data: Json<Value>,
    at: i64,
}

impl From<Row> for Event {
    fn from(row: Row) -> Self {
        let Row { seq, project_id, kind, subject, data, at } = row;
        Self { seq, project: project_id.map(|id| id.0), kind, subject, data: data.0, at }
    }
}

impl TeamStore {
    /// Up to `limit` events after `seq`, oldest first.
    pub async fn events_after(&self, seq: i64, limit: i64) -> Result<Vec<Event>> {
        let rows: Vec<Row> = self
            .q("SELECT seq, project_id, kind, subject, data, at FROM event \
                WHERE team_id = $1 AND seq > $2 ORDER BY seq LIMIT $3")
            .bind(seq)
            .bind(limit)
            .all()
            .await?;
        Ok(rows.into_iter().map(Event::from).collect())
    }

    /// The newest sequence number; 0 before the first event.
    pub async fn last_event(&self) -> Result<i64> {
        let row: Option<(i64,)> = self.q("SELECT event_seq FROM team WHERE id = $1").opt().await?;
        Ok(row.map_or(0, |(seq,)| seq))
    }
}

pub(crate) async fn insert(tx: &mut Tx, team: TeamId, now: i64, drafts: &[EventDraft]) -> Result<()> {
    let count = i64::try_from(drafts.len()).unwrap_or(i64::MAX);
    let last: Option<(i64,)> = tx
        .q("UPDATE team SET event_seq = event_seq + $2 WHERE id = $1 RETURNING event_seq")
        .bind(Text(team))
        .bind(count)
        .opt()
        .await?;
    let (last,) = last.ok_or(StoreError::NoSuchTeam)?;
    tx.q("INSERT INTO event (team_id, seq, project_id, kind, subject, data, at) VALUES ")
        .rows((last - count + 1..).zip(drafts), |row, (seq, draft)| {
            row.bind(Text(team))
                .bind(seq)
                .bind(draft.project.map(Text))
                .bind(draft.kind)
                .bind(draft.subject.as_str())
                .bind(Json(&draft.data))
                .bind(now);
        })
        .exec()
        .await?;
    Ok(())
}
