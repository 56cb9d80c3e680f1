//! A run as screens show it: parts, steps, and the current attempt of each.

use std::collections::BTreeMap;

use hydron_domain::run::{StepFailure, StepState};
use hydron_proto::ids::{RunId, ServerId, ServiceId};
use hydron_proto::plan::{ActionKind, Phase};

use super::{StoredRun, parse_name};
use crate::column::{Json, Text};
use crate::{Result, TeamStore};

/// A run with everything below it.
#[derive(Debug, Clone, PartialEq)]
pub struct RunDetail {
    /// The head.
    pub run: StoredRun,
    /// In order of position.
    pub parts: Vec<PartDetail>,
}

/// One server's part.
#[derive(Debug, Clone, PartialEq)]
pub struct PartDetail {
    /// Which server.
    pub server: ServerId,
    /// Its name.
    pub name: String,
    /// In order of the plan.
    pub steps: Vec<StepDetail>,
}

/// A step and its current attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct StepDetail {
    /// Place in the plan.
    pub index: u32,
    /// What a person reads.
    pub title: String,
    /// Where it belongs.
    pub phase: Phase,
    /// The service it serves.
    pub service: Option<ServiceId>,
    /// Its kind.
    pub kind: ActionKind,
    /// Where it stands.
    pub state: StepState,
    /// The attempt that everything here speaks of.
    pub attempt: u32,
    /// Start, the server's clock.
    pub started_at: Option<i64>,
    /// End, the server's clock.
    pub finished_at: Option<i64>,
    /// Why it failed.
    pub failure: Option<StepFailure>,
    /// What it reports.
    pub result: Option<serde_json::Value>,
    /// It found its work done.
    pub already_done: bool,
    /// Bytes of output stored.
    pub log_length: u64,
}

#[derive(sqlx::FromRow)]
struct Row {
    server_id: Text<ServerId>,
    step: i64,
    title: String,
    phase: String,
    service_id: Option<Text<ServiceId>>,
    kind: String,
    state: Text<StepState>,
    attempt: i64,
    started_at: Option<i64>,
    finished_at: Option<i64>,
    failure: Option<Json<StepFailure>>,
    result: Option<Json<serde_json::Value>>,
    already_done: Option<bool>,
    log_stored: Option<i64>,
}

impl TeamStore {
    /// A run with its parts and steps.
    pub async fn run_detail(&self, id: RunId) -> Result<Option<RunDetail>> {
        let Some(run) = self.run(id).await? else { return Ok(None) };
        let parts: Vec<(Text<ServerId>, String)> = self
            .q("SELECT run_part.server_id, server.name FROM run_part JOIN server ON server.team_id = run_part.team_id \
                AND server.id = run_part.server_id WHERE run_part.team_id = $1 AND run_part.run_id = $2 \
                ORDER BY run_part.position")
            .bind(Text(id))
            .all()
            .await?;
        let rows: Vec<Row> = self
            .q("SELECT s.server_id, s.step, s.title, s.phase, s.service_id, s.kind, s.state, s.attempt, a.started_at, \
                a.finished_at, a.failure, a.result, a.already_done, a.log_stored FROM run_step s \
                LEFT JOIN step_attempt a ON a.team_id = s.team_id AND a.run_id = s.run_id \
                AND a.server_id = s.server_id AND a.step = s.step AND a.attempt = s.attempt \
                WHERE s.team_id = $1 AND s.run_id = $2 ORDER BY s.step")
            .bind(Text(id))
            .all()
            .await?;
        let mut steps: BTreeMap<ServerId, Vec<StepDetail>> = BTreeMap::new();
        for row in rows {
            steps.entry(row.server_id.0).or_default().push(row.try_into()?);
        }
        let parts = parts
            .into_iter()
            .map(|(server, name)| PartDetail {
                server: server.0,
                name,
                steps: steps.remove(&server.0).unwrap_or_default(),
            })
            .collect();
        Ok(Some(RunDetail { run, parts }))
    }
}

impl TryFrom<Row> for StepDetail {
    type Error = crate::StoreError;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            index: u32::try_from(row.step).unwrap_or(u32::MAX),
            title: row.title,
            phase: parse_name(&row.phase, "run_step.phase")?,
            service: row.service_id.map(|id| id.0),
            kind: parse_name(&row.kind, "run_step.kind")?,
            state: row.state.0,
            attempt: u32::try_from(row.attempt).unwrap_or(u32::MAX),
            started_at: row.started_at,
            finished_at: row.finished_at,
            failure: row.failure.map(|failure| failure.0),
            result: row.result.map(|result| result.0),
            already_done: row.already_done.unwrap_or(false),
            log_length: row.log_stored.and_then(|length| u64::try_from(length).ok()).unwrap_or(0),
        })
    }
}
