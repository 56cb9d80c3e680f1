//! Attempts of steps: when, how they ended, and what their output must come to.

use std::collections::BTreeMap;

use hydron_domain::run::StepFailure;
use hydron_proto::plan::StepResult;

use crate::column::{Json, Text};
use crate::logs::LogKey;
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

/// What is new about one attempt.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AttemptChange {
    /// It began, the server's clock.
    pub started_at: Option<i64>,
    /// It ended.
    pub ended: Option<AttemptEnded>,
}

/// The end of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptEnded {
    /// When, the server's clock.
    pub at: i64,
    /// How.
    pub end: AttemptEnd,
    /// What its output must come to, if the agent knows.
    pub log: Option<LogDigest>,
}

impl LogDigest {
    /// Whether it is that of no output at all, so that there is nothing to compare.
    pub fn is_of_nothing(&self) -> bool {
        self.length == 0 && self.sha256 == EMPTY_SHA256
    }
}

/// SHA-256 of nothing (FIPS 180-4).
const EMPTY_SHA256: [u8; 32] = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
    0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

const INSERT: &str = "INSERT INTO step_attempt (team_id, run_id, server_id, step, attempt, started_at, finished_at, outcome, \
    failure, result, already_done, log_length, log_sha256, log_state) VALUES ";

/// A start says nothing of an end. Output that is there is not nothing, whatever was declared.
const ON_CONFLICT: &str = " ON CONFLICT (team_id, run_id, server_id, step, attempt) DO UPDATE SET \
    started_at = COALESCE(excluded.started_at, step_attempt.started_at), \
    finished_at = COALESCE(excluded.finished_at, step_attempt.finished_at), \
    outcome = CASE WHEN excluded.finished_at IS NULL THEN step_attempt.outcome ELSE excluded.outcome END, \
    failure = CASE WHEN excluded.finished_at IS NULL THEN step_attempt.failure ELSE excluded.failure END, \
    result = CASE WHEN excluded.finished_at IS NULL THEN step_attempt.result ELSE excluded.result END, \
    already_done = CASE WHEN excluded.finished_at IS NULL THEN step_attempt.already_done ELSE excluded.already_done END, \
    log_length = CASE WHEN excluded.finished_at IS NULL THEN step_attempt.log_length ELSE excluded.log_length END, \
    log_sha256 = CASE WHEN excluded.finished_at IS NULL THEN step_attempt.log_sha256 ELSE excluded.log_sha256 END, \
    log_state = CASE WHEN step_attempt.log_state = 'open' AND step_attempt.log_stored = 0 THEN excluded.log_state \
    ELSE step_attempt.log_state END";

impl TeamTx {
    /// Records starts and ends of attempts, thousands at most. What has no output is verified with its end.
    pub async fn change_attempts(&mut self, changes: &BTreeMap<LogKey, AttemptChange>) -> Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        let team = self.team();
        self.q_rows(INSERT)
            .rows(changes, |row, (key, change)| {
                let ended = change.ended.as_ref();
                let (outcome, failure, result, already_done) = match ended.map(|ended| &ended.end) {
                    Some(AttemptEnd::Succeeded { result, already_done }) => {
                        (Some("succeeded"), None, result.as_ref(), *already_done)
                    }
                    Some(AttemptEnd::Failed(failure)) => (Some("failed"), Some(failure), None, false),
                    Some(AttemptEnd::Interrupted(failure)) => {
                        (Some("interrupted"), Some(failure), None, false)
                    }
                    None => (None, None, None, false),
                };
                let log = ended.and_then(|ended| ended.log.as_ref());
                let is_of_nothing = log.is_some_and(LogDigest::is_of_nothing);
                row.bind(Text(team))
                    .bind(Text(key.run))
                    .bind(Text(key.server))
                    .bind(i64::from(key.step))
                    .bind(i64::from(key.attempt))
                    .bind(change.started_at)
                    .bind(ended.map(|ended| ended.at))
                    .bind(outcome)
                    .bind(failure.map(Json))
                    .bind(result.map(Json))
                    .bind(already_done)
                    .bind(log.map(|log| i64::try_from(log.length).unwrap_or(i64::MAX)))
                    .bind(log.map(|log| log.sha256.as_slice()))
                    .bind(if is_of_nothing { "verified" } else { "open" });
            })
            .sql(ON_CONFLICT)
            .exec()
            .await
            .map(drop)
    }
}
