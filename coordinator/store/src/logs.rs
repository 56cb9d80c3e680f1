//! Output of steps: chunks by offset, contiguous from the first byte, acknowledged once they are here.
//!
//! Rule: bytes that are stored already are dropped, bytes after a hole are refused; so a replay stores each byte once.

use hydron_proto::ids::{RunId, ServerId, TeamId};

use crate::column::Text;
use crate::runs::LogDigest;
use crate::{Result, SystemStore, SystemTx, TeamStore, TeamTx};

/// One attempt of one step on one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogKey {
    /// Which run.
    pub run: RunId,
    /// Which server.
    pub server: ServerId,
    /// Which step.
    pub step: u32,
    /// Which attempt.
    pub attempt: u32,
}

/// Output from `offset` on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSlice {
    /// Offset of the first byte.
    pub offset: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// How much of an attempt's output is here, and how much there must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPosition {
    /// Contiguous bytes stored.
    pub stored: u64,
    /// What the agent declared at the end.
    pub declared: Option<LogDigest>,
    /// `open`, `verified`, `damaged` or `expired`.
    pub state: String,
}

#[derive(sqlx::FromRow)]
#[expect(clippy::struct_field_names, reason = "the names of the columns")]
struct PositionRow {
    log_stored: i64,
    log_length: Option<i64>,
    log_sha256: Option<Vec<u8>>,
    log_state: String,
}

/// Team, run, server, step, attempt.
type KeyRow = (Text<TeamId>, Text<RunId>, Text<ServerId>, i64, i64);

#[derive(sqlx::FromRow)]
struct ResumeRow {
    step: i64,
    attempt: i64,
    log_stored: i64,
    log_length: Option<i64>,
}

impl TeamTx {
    /// Appends bytes at `offset`; returns how many contiguous bytes are stored now. Nothing is stored after a hole.
    pub async fn append_log(&mut self, key: LogKey, offset: u64, bytes: &[u8]) -> Result<u64> {
        let stored = self.open_log(key).await?;
        let Some(known) = stored.checked_sub(offset) else { return Ok(stored) };
        let fresh = bytes.get(usize::try_from(known).unwrap_or(usize::MAX)..).unwrap_or_default();
        if fresh.is_empty() {
            return Ok(stored);
        }
        let now = self.now();
        self.q("INSERT INTO log_chunk (team_id, run_id, server_id, step, attempt, position, length, bytes, received_at) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
            .bind(Text(key.run))
            .bind(Text(key.server))
            .bind(i64::from(key.step))
            .bind(i64::from(key.attempt))
            .bind(signed(stored))
            .bind(signed(fresh.len() as u64))
            .bind(fresh)
            .bind(now)
            .exec()
            .await?;
        let stored = stored + fresh.len() as u64;
        self.q(
            "UPDATE step_attempt SET log_stored = $6 WHERE team_id = $1 AND run_id = $2 AND server_id = $3 \
                AND step = $4 AND attempt = $5",
        )
        .bind(Text(key.run))
        .bind(Text(key.server))
        .bind(i64::from(key.step))
        .bind(i64::from(key.attempt))
        .bind(signed(stored))
        .exec_one("attempt of a step")
        .await?;
        Ok(stored)
    }

    /// Whether the step whose output this would be exists.
    pub async fn has_step(&mut self, key: LogKey) -> Result<bool> {
        let row: Option<(i64,)> = self
            .q("SELECT attempt FROM run_step WHERE team_id = $1 AND run_id = $2 AND server_id = $3 AND step = $4")
            .bind(Text(key.run))
            .bind(Text(key.server))
            .bind(i64::from(key.step))
            .opt()
            .await?;
        Ok(row.is_some_and(|(attempt,)| i64::from(key.attempt) <= attempt && key.attempt >= 1))
    }

    /// The attempt's row, made if output came before its start was recorded; locked until this change ends.
    async fn open_log(&mut self, key: LogKey) -> Result<u64> {
        let row: (i64,) = self
            .q("INSERT INTO step_attempt (team_id, run_id, server_id, step, attempt) VALUES ($1, $2, $3, $4, $5) \
                ON CONFLICT (team_id, run_id, server_id, step, attempt) DO UPDATE SET attempt = excluded.attempt \
                RETURNING log_stored")
            .bind(Text(key.run))
            .bind(Text(key.server))
            .bind(i64::from(key.step))
            .bind(i64::from(key.attempt))
            .one()
            .await?;
        Ok(u64::try_from(row.0).unwrap_or(0))
    }

    /// Records the comparison of stored output with what the agent declared.
    pub async fn set_log_state(&mut self, key: LogKey, state: &'static str) -> Result<()> {
        self.q(
            "UPDATE step_attempt SET log_state = $6 WHERE team_id = $1 AND run_id = $2 AND server_id = $3 \
                AND step = $4 AND attempt = $5",
        )
        .bind(Text(key.run))
        .bind(Text(key.server))
        .bind(i64::from(key.step))
        .bind(i64::from(key.attempt))
        .bind(state)
        .exec()
        .await
        .map(drop)
    }
}

impl TeamStore {
    /// Where the output of an attempt stands; none before anything is known of it.
    pub async fn log_position(&self, key: LogKey) -> Result<Option<LogPosition>> {
        let row: Option<PositionRow> = self
            .q("SELECT log_stored, log_length, log_sha256, log_state FROM step_attempt WHERE team_id = $1 \
                AND run_id = $2 AND server_id = $3 AND step = $4 AND attempt = $5")
            .bind(Text(key.run))
            .bind(Text(key.server))
            .bind(i64::from(key.step))
            .bind(i64::from(key.attempt))
            .opt()
            .await?;
        Ok(row.map(|row| LogPosition {
            stored: unsigned(row.log_stored),
            declared: match (row.log_length, row.log_sha256) {
                (Some(length), Some(sha256)) => Some(LogDigest { length: unsigned(length), sha256 }),
                (_, _) => None,
            },
            state: row.log_state,
        }))
    }

    /// Output from `offset` on, at most about `limit` bytes, contiguous.
    pub async fn read_log(&self, key: LogKey, offset: u64, limit: usize) -> Result<LogSlice> {
        let mut slice = LogSlice { offset, bytes: Vec::new() };
        while slice.bytes.len() < limit {
            let at = offset + slice.bytes.len() as u64;
            let row: Option<(i64, Vec<u8>)> = self
                .q("SELECT position, bytes FROM log_chunk WHERE team_id = $1 AND run_id = $2 AND server_id = $3 \
                    AND step = $4 AND attempt = $5 AND position <= $6 AND position + length > $6 LIMIT 1")
                .bind(Text(key.run))
                .bind(Text(key.server))
                .bind(i64::from(key.step))
                .bind(i64::from(key.attempt))
                .bind(signed(at))
                .opt()
                .await?;
            let Some((position, bytes)) = row else { break };
            let skip = usize::try_from(at - unsigned(position)).unwrap_or(usize::MAX);
            let left = limit - slice.bytes.len();
            slice.bytes.extend(bytes.into_iter().skip(skip).take(left));
        }
        Ok(slice)
    }

    /// The first stored offset at or after `offset`: where reading goes on after output that was let go.
    pub async fn next_log_offset(&self, key: LogKey, offset: u64) -> Result<Option<u64>> {
        let row: (Option<i64>,) = self
            .q("SELECT CAST(MIN(position) AS BIGINT) FROM log_chunk WHERE team_id = $1 AND run_id = $2 \
                AND server_id = $3 AND step = $4 AND attempt = $5 AND position >= $6")
            .bind(Text(key.run))
            .bind(Text(key.server))
            .bind(i64::from(key.step))
            .bind(i64::from(key.attempt))
            .bind(signed(offset))
            .one()
            .await?;
        Ok(row.0.map(unsigned))
    }

    /// Where the output of every attempt of a part stands, for an agent that resumes: step, attempt, stored, complete.
    pub async fn log_positions(&self, run: RunId, server: ServerId) -> Result<Vec<(u32, u32, u64, bool)>> {
        let rows: Vec<ResumeRow> = self
            .q("SELECT step, attempt, log_stored, log_length FROM step_attempt \
                WHERE team_id = $1 AND run_id = $2 AND server_id = $3 ORDER BY step, attempt")
            .bind(Text(run))
            .bind(Text(server))
            .all()
            .await?;
        let position = |row: ResumeRow| {
            let complete = row.log_length == Some(row.log_stored);
            (small(row.step), small(row.attempt), unsigned(row.log_stored), complete)
        };
        Ok(rows.into_iter().map(position).collect())
    }
}

/// How long output is kept, milliseconds (30 days).
pub const KEEP_MS: i64 = 30 * 24 * 3600 * 1000;
/// How much output of a project is kept, bytes (1 GiB).
pub const KEEP_BYTES: i64 = 1 << 30;

impl SystemStore {
    /// Output that is whole and was not compared with what its server declared, at most `limit` attempts.
    pub async fn unverified_logs(&self, limit: i64) -> Result<Vec<(TeamId, LogKey)>> {
        let rows: Vec<KeyRow> = self
            .q("SELECT team_id, run_id, server_id, step, attempt FROM step_attempt \
                WHERE log_state = 'open' AND log_length <= log_stored LIMIT $1")
            .bind(limit)
            .all()
            .await?;
        let key = |(team, run, server, step, attempt): KeyRow| {
            let key = LogKey { run: run.0, server: server.0, step: small(step), attempt: small(attempt) };
            (team.0, key)
        };
        Ok(rows.into_iter().map(key).collect())
    }

    /// Projects whose output is over `bytes`, with how much it is.
    pub async fn projects_over(&self, bytes: i64) -> Result<Vec<(TeamId, String, i64)>> {
        let rows: Vec<(Text<TeamId>, String, i64)> = self
            .q("SELECT run.team_id, run.project_id, CAST(SUM(log_chunk.length) AS BIGINT) FROM log_chunk \
                JOIN run ON run.team_id = log_chunk.team_id AND run.id = log_chunk.run_id \
                GROUP BY run.team_id, run.project_id HAVING SUM(log_chunk.length) > $1")
            .bind(bytes)
            .all()
            .await?;
        Ok(rows.into_iter().map(|(team, project, bytes)| (team.0, project, bytes)).collect())
    }
}

impl SystemTx {
    /// Lets output go that is older than `before`, at most `limit` chunks; how many went. What was let go is a gap.
    pub async fn expire_logs(&mut self, before: i64, limit: i64) -> Result<u64> {
        self.q("DELETE FROM log_chunk WHERE (team_id, run_id, server_id, step, attempt, position) IN \
                (SELECT team_id, run_id, server_id, step, attempt, position FROM log_chunk \
                WHERE received_at < $1 ORDER BY received_at LIMIT $2)")
            .bind(before)
            .bind(limit)
            .exec()
            .await
    }

    /// Lets the oldest output of a project go, at most `limit` chunks; how many went.
    pub async fn trim_logs(&mut self, team: TeamId, project: &str, limit: i64) -> Result<u64> {
        self.q("DELETE FROM log_chunk WHERE (team_id, run_id, server_id, step, attempt, position) IN \
                (SELECT c.team_id, c.run_id, c.server_id, c.step, c.attempt, c.position FROM log_chunk c \
                JOIN run ON run.team_id = c.team_id AND run.id = c.run_id \
                WHERE run.team_id = $1 AND run.project_id = $2 ORDER BY c.received_at, c.position LIMIT $3)")
            .bind(Text(team))
            .bind(project)
            .bind(limit)
            .exec()
            .await
    }
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn small(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
