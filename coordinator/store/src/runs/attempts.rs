//! Attempts of steps: when, how they ended, and what their output must come to.

use hydron_domain::run::StepFailure;
use hydron_proto::ids::{RunId, ServerId};
use hydron_proto::plan::StepResult;

use crate::column::{Json, Text};
use crate::{Result, TeamTx};

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptEnd {
    /// As planned.
    Succeeded {
        /// What it reports.
        result: Option<StepResult>,
        /// It found its work done.
        already_done: bool,
    },
    /// Otherwise.
    Failed(StepFailure),
    /// Nobody knows.
    Interrupted(StepFailure),
}

/// What the agent says of the whole output of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogDigest {
    /// Bytes.
    pub length: u64,
    /// Their SHA-256.
    pub sha256: Vec<u8>,
}

/// A stored attempt.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct AttemptRow {
    /// Start, the server's clock.
    pub started_at: Option<i64>,
    /// End, the server's clock.
    pub finished_at: Option<i64>,
    /// Why it failed.
    pub failure: Option<Json<StepFailure>>,
    /// What it reports.
    pub result: Option<Json<serde_json::Value>>,
    /// It found its work done.
    pub already_done: bool,
    /// Bytes of output stored.
    pub log_stored: i64,
    /// Bytes of output declared at its end.
    pub log_length: Option<i64>,
    /// Where its output stands.
    pub log_state: String,
}

impl TeamTx {
    /// Records the start of an attempt.
    pub async fn start_attempt(
        &mut self,
        run: RunId,
        server: ServerId,
        step: u32,
        attempt: u32,
        at: i64,
    ) -> Result<()> {
        self.q("INSERT INTO step_attempt (team_id, run_id, server_id, step, attempt, started_at) \
                VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (team_id, run_id, server_id, step, attempt) \
                DO UPDATE SET started_at = excluded.started_at")
            .bind(Text(run))
            .bind(Text(server))
            .bind(i64::from(step))
            .bind(i64::from(attempt))
            .bind(at)
            .exec()
            .await
            .map(drop)
    }

    /// Records the end of an attempt.
    #[expect(clippy::too_many_arguments, reason = "the key of an attempt has four parts")]
    pub async fn end_attempt(
        &mut self,
        run: RunId,
        server: ServerId,
        step: u32,
        attempt: u32,
        at: i64,
        end: &AttemptEnd,
        log: Option<&LogDigest>,
    ) -> Result<()> {
        let (outcome, failure, result, already_done) = match end {
            AttemptEnd::Succeeded { result, already_done } => {
                ("succeeded", None, result.as_ref(), *already_done)
            }
            AttemptEnd::Failed(failure) => ("failed", Some(failure), None, false),
            AttemptEnd::Interrupted(failure) => ("interrupted", Some(failure), None, false),
        };
        self.q("INSERT INTO step_attempt (team_id, run_id, server_id, step, attempt, finished_at, outcome, failure, \
                result, already_done, log_length, log_sha256) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
                ON CONFLICT (team_id, run_id, server_id, step, attempt) DO UPDATE SET finished_at = excluded.finished_at, \
                outcome = excluded.outcome, failure = excluded.failure, result = excluded.result, \
                already_done = excluded.already_done, log_length = excluded.log_length, log_sha256 = excluded.log_sha256")
            .bind(Text(run))
            .bind(Text(server))
            .bind(i64::from(step))
            .bind(i64::from(attempt))
            .bind(at)
            .bind(outcome)
            .bind(failure.map(Json))
            .bind(result.map(Json))
            .bind(already_done)
            .bind(log.map(|log| i64::try_from(log.length).unwrap_or(i64::MAX)))
            .bind(log.map(|log| log.sha256.as_slice()))
            .exec()
            .await
            .map(drop)
    }
}
