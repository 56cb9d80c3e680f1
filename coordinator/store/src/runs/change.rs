//! A run loaded to be changed, and the writing of what has changed.
//!
//! Rule: only what differs from what was loaded is written; the lock on the run's row makes that safe.

use hydron_domain::run::{EnvelopeState, Permitted, RunPart, RunState, RunStep, StepRange, StepState};
use hydron_proto::ids::{RunId, ServerId};

use super::{COLUMNS, RunRow, StoredRules, StoredRun, parse_name};
use crate::column::{Json, Text};
use crate::{Result, StoreError, TeamTx};

/// A run with its parts, locked until the change ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedRun {
    /// The head.
    pub run: StoredRun,
    /// In order of position.
    pub parts: Vec<LoadedPart>,
}

/// A part with what the pure part does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedPart {
    /// What decisions look at.
    pub part: RunPart,
    /// Hex digest of the plan.
    pub digest: String,
    /// Number of its signature.
    pub sequence: i64,
    /// The journal is stored up to here.
    pub event_seq: u64,
}

#[derive(sqlx::FromRow)]
struct PartRow {
    server_id: Text<ServerId>,
    digest: String,
    sequence: i64,
    envelope_state: String,
    envelope_code: Option<String>,
    event_seq: i64,
    permit_first: Option<i64>,
    permit_last: Option<i64>,
    permit_attempt: Option<i64>,
    permit_accepted: bool,
}

#[derive(sqlx::FromRow)]
struct StepRow {
    server_id: Text<ServerId>,
    phase: String,
    rules: Json<StoredRules>,
    state: Text<StepState>,
    attempt: i64,
    started_on: Option<i64>,
}

impl LoadedRun {
    /// The parts as decisions take them.
    pub fn pure_parts(&self) -> Vec<RunPart> {
        self.parts.iter().map(|loaded| loaded.part.clone()).collect()
    }

    /// Puts decided parts back, in the same order.
    pub fn set_pure_parts(&mut self, parts: Vec<RunPart>) {
        for (loaded, part) in self.parts.iter_mut().zip(parts) {
            loaded.part = part;
        }
    }

    /// The part of a server.
    pub fn part_mut(&mut self, server: ServerId) -> Option<&mut LoadedPart> {
        self.parts.iter_mut().find(|loaded| loaded.part.server == server)
    }
}

impl TeamTx {
    /// Loads a run and keeps others from changing it until this change ends.
    pub async fn run_for_update(&mut self, id: RunId) -> Result<Option<LoadedRun>> {
        let row: Option<RunRow> = self
            .q(&format!("SELECT {COLUMNS} FROM run WHERE team_id = $1 AND id = $2"))
            .pg(" FOR UPDATE")
            .bind(Text(id))
            .opt()
            .await?;
        let Some(row) = row else { return Ok(None) };
        let rows: Vec<PartRow> = self
            .q("SELECT server_id, digest, sequence, envelope_state, envelope_code, event_seq, permit_first, \
                permit_last, permit_attempt, permit_accepted FROM run_part \
                WHERE team_id = $1 AND run_id = $2 ORDER BY position")
            .bind(Text(id))
            .all()
            .await?;
        let steps: Vec<StepRow> = self
            .q("SELECT server_id, phase, rules, state, attempt, started_on FROM run_step \
                WHERE team_id = $1 AND run_id = $2 ORDER BY server_id, step")
            .bind(Text(id))
            .all()
            .await?;
        let mut parts = rows.into_iter().map(LoadedPart::try_from).collect::<Result<Vec<_>>>()?;
        for step in steps {
            let server = step.server_id.0;
            let record = RunStep::try_from(step)?;
            if let Some(loaded) = parts.iter_mut().find(|loaded| loaded.part.server == server) {
                loaded.part.steps.push(record);
            }
        }
        Ok(Some(LoadedRun { run: StoredRun::try_from(row)?, parts }))
    }

    /// Writes what differs between `before` (as loaded) and `after`.
    pub async fn save_run(&mut self, before: &LoadedRun, after: &LoadedRun) -> Result<()> {
        if before.run != after.run {
            self.save_head(&after.run).await?;
        }
        for (old, new) in before.parts.iter().zip(&after.parts) {
            if (&old.part.envelope, old.part.permit, old.event_seq)
                != (&new.part.envelope, new.part.permit, new.event_seq)
            {
                self.save_part(after.run.id, new).await?;
            }
            for (first, last, step) in changed_steps(&old.part.steps, &new.part.steps) {
                self.save_steps(after.run.id, new.part.server, (first, last), step).await?;
            }
        }
        Ok(())
    }

    async fn save_head(&mut self, run: &StoredRun) -> Result<()> {
        let failure = match &run.head.state {
            RunState::Failed(failure) => Some(Json(failure)),
            RunState::Started
            | RunState::InProgress
            | RunState::Paused
            | RunState::Completed
            | RunState::Stopped => None,
        };
        self.q("UPDATE run SET state = $3, wish = $4, note = $5, failure = $6, url = $7, changed_at = $8, \
                finished_at = $9 WHERE team_id = $1 AND id = $2")
            .bind(Text(run.id))
            .bind(run.head.state.word())
            .bind(Text(run.head.wish))
            .bind(run.head.note.map(Text))
            .bind(failure)
            .bind(run.url.as_deref())
            .bind(run.head.changed_at)
            .bind(run.finished_at)
            .exec_one("run")
            .await
    }

    async fn save_part(&mut self, run: RunId, loaded: &LoadedPart) -> Result<()> {
        let (state, code) = match &loaded.part.envelope {
            EnvelopeState::Signed => ("signed", None),
            EnvelopeState::Accepted => ("accepted", None),
            EnvelopeState::Refused(code) => ("refused", Some(code.as_str())),
        };
        let permit = loaded.part.permit;
        self.q(
            "UPDATE run_part SET envelope_state = $4, envelope_code = $5, event_seq = $6, permit_first = $7, \
                permit_last = $8, permit_attempt = $9, permit_accepted = $10 \
                WHERE team_id = $1 AND run_id = $2 AND server_id = $3",
        )
        .bind(Text(run))
        .bind(Text(loaded.part.server))
        .bind(state)
        .bind(code)
        .bind(i64::try_from(loaded.event_seq).unwrap_or(i64::MAX))
        .bind(permit.map(|p| i64::from(p.range.first)))
        .bind(permit.map(|p| i64::from(p.range.last)))
        .bind(permit.map(|p| i64::from(p.range.attempt)))
        .bind(permit.is_some_and(|p| p.accepted))
        .exec_one("part of a run")
        .await
    }

    /// Steps in a row that stand alike.
    async fn save_steps(
        &mut self,
        run: RunId,
        server: ServerId,
        (first, last): (i64, i64),
        step: &RunStep,
    ) -> Result<()> {
        let touched = self
            .q("UPDATE run_step SET state = $6, attempt = $7, started_on = $8 \
                WHERE team_id = $1 AND run_id = $2 AND server_id = $3 AND step >= $4 AND step <= $5")
            .bind(Text(run))
            .bind(Text(server))
            .bind(first)
            .bind(last)
            .bind(Text(step.state))
            .bind(i64::from(step.attempt))
            .bind(step.started_on.map(|on| i64::try_from(on).unwrap_or(i64::MAX)))
            .exec()
            .await?;
        if i64::try_from(touched) == Ok(last - first + 1) {
            Ok(())
        } else {
            Err(StoreError::Stale { what: "step of a run" })
        }
    }
}

/// Steps that are not as they were: those in a row that stand alike now, as first, last and how they stand.
fn changed_steps<'a>(was: &[RunStep], is: &'a [RunStep]) -> Vec<(i64, i64, &'a RunStep)> {
    let mut changed: Vec<(i64, i64, &RunStep)> = Vec::new();
    for ((was, is), index) in was.iter().zip(is).zip(0i64..) {
        if was == is {
            continue;
        }
        debug_assert_eq!(was.rules, is.rules);
        match changed.last_mut() {
            Some((_, last, like))
                if *last + 1 == index
                    && (like.state, like.attempt, like.started_on)
                        == (is.state, is.attempt, is.started_on) =>
            {
                *last = index;
            }
            Some(_) | None => changed.push((index, index, is)),
        }
    }
    changed
}

impl TryFrom<PartRow> for LoadedPart {
    type Error = StoreError;

    fn try_from(row: PartRow) -> Result<Self> {
        let corrupt = || StoreError::corrupt("run_part");
        let envelope = match (row.envelope_state.as_str(), row.envelope_code) {
            ("signed", _) => EnvelopeState::Signed,
            ("accepted", _) => EnvelopeState::Accepted,
            ("refused", Some(code)) => EnvelopeState::Refused(code),
            (_, _) => return Err(corrupt()),
        };
        let number = |value: i64| u32::try_from(value).map_err(|_| corrupt());
        let permit = match (row.permit_first, row.permit_last, row.permit_attempt) {
            (Some(first), Some(last), Some(attempt)) => Some(Permitted {
                range: StepRange { first: number(first)?, last: number(last)?, attempt: number(attempt)? },
                accepted: row.permit_accepted,
            }),
            (_, _, _) => None,
        };
        Ok(Self {
            part: RunPart { server: row.server_id.0, envelope, permit, steps: Vec::new() },
            digest: row.digest,
            sequence: row.sequence,
            event_seq: u64::try_from(row.event_seq).map_err(|_| corrupt())?,
        })
    }
}

impl TryFrom<StepRow> for RunStep {
    type Error = StoreError;

    fn try_from(row: StepRow) -> Result<Self> {
        Ok(Self {
            rules: row.rules.0.with_phase(parse_name(&row.phase, "run_step.phase")?),
            state: row.state.0,
            attempt: u32::try_from(row.attempt).map_err(|_| StoreError::corrupt("run_step.attempt"))?,
            started_on: row.started_on.and_then(|on| u64::try_from(on).ok()),
        })
    }
}
