//! Runs: heads, parts, steps, the agents' journals.
//!
//! Rule: whoever changes a run loads it for update first ([`TeamTx::run_for_update`]): services, the driver and the
//! recorder of agents' reports then take turns, on both engines. Neighbours: `domain::run` decides, `logs` keeps output.

mod attempts;
mod change;
mod detail;
mod events;
mod lease;

pub use attempts::{AttemptChange, AttemptEnd, AttemptEnded, AttemptRow, LogDigest};
pub use change::{LoadedPart, LoadedRun};
pub use detail::{PartDetail, RunDetail, StepDetail};
pub use events::JournalEntry;
pub use lease::Driven;

use hydron_domain::identity::Actor;
use hydron_domain::run::{Run, RunFailure, RunKind, RunNote, RunState, StepRules, StepState, Wish};
use hydron_proto::ids::{ApprovalId, ProjectId, RunId, ServerId, ServiceId};
use hydron_proto::plan::{ActionKind, Phase};

use crate::column::{Json, Text};
use crate::{Result, StoreError, TeamStore, TeamTx};

/// A run, without its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRun {
    /// Id.
    pub id: RunId,
    /// Its project.
    pub project: ProjectId,
    /// What allowed it.
    pub kind: RunKind,
    /// Whether it only reads: whatever changes the project may go beside it.
    pub looks: bool,
    /// What a person reads.
    pub title: String,
    /// Where it stands.
    pub head: Run,
    /// The commit it deploys, if one.
    pub commit: Option<String>,
    /// The address it serves at, once known.
    pub url: Option<String>,
    /// Who asked for it.
    pub requested_by: String,
    /// Their name at the time.
    pub requested_by_name: String,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970.
    pub finished_at: Option<i64>,
}

/// A part to be stored with a new run.
#[derive(Debug, Clone)]
pub struct NewRunPart {
    /// Which server.
    pub server: ServerId,
    /// Digest of the plan, hex.
    pub digest: String,
    /// The approval it rests on, if it needs one.
    pub approval: Option<ApprovalId>,
    /// The signed envelope, exactly as it will be sent.
    pub envelope: Vec<u8>,
    /// Number of the signature for this server.
    pub sequence: i64,
    /// In order of the plan.
    pub steps: Vec<NewRunStep>,
}

/// A step to be stored with a new run.
#[derive(Debug, Clone)]
pub struct NewRunStep {
    /// What a person reads.
    pub title: String,
    /// The service it serves.
    pub service: Option<ServiceId>,
    /// Its kind.
    pub kind: ActionKind,
    /// What decides about its order.
    pub rules: StepRules,
}

pub(crate) const COLUMNS: &str = "id, project_id, kind, looks, title, state, wish, note, failure, commit_id, url, \
                       requested_by, requested_by_name, created_at, changed_at, finished_at";

#[derive(sqlx::FromRow)]
pub(crate) struct RunRow {
    id: Text<RunId>,
    project_id: Text<ProjectId>,
    kind: Text<RunKind>,
    looks: bool,
    title: String,
    state: String,
    wish: Text<Wish>,
    note: Option<Text<RunNote>>,
    failure: Option<Json<RunFailure>>,
    commit_id: Option<String>,
    url: Option<String>,
    requested_by: String,
    requested_by_name: String,
    created_at: i64,
    changed_at: i64,
    finished_at: Option<i64>,
}

impl TryFrom<RunRow> for StoredRun {
    type Error = StoreError;

    fn try_from(row: RunRow) -> Result<Self> {
        let state = RunState::from_word(&row.state, row.failure.map(|failure| failure.0))
            .ok_or_else(|| StoreError::corrupt("run.state"))?;
        Ok(Self {
            id: row.id.0,
            project: row.project_id.0,
            kind: row.kind.0,
            looks: row.looks,
            title: row.title,
            head: Run { state, wish: row.wish.0, note: row.note.map(|n| n.0), changed_at: row.changed_at },
            commit: row.commit_id,
            url: row.url,
            requested_by: row.requested_by,
            requested_by_name: row.requested_by_name,
            created_at: row.created_at,
            finished_at: row.finished_at,
        })
    }
}

impl TeamStore {
    /// One run.
    pub async fn run(&self, id: RunId) -> Result<Option<StoredRun>> {
        let row: Option<RunRow> = self
            .q(&format!("SELECT {COLUMNS} FROM run WHERE team_id = $1 AND id = $2"))
            .bind(Text(id))
            .opt()
            .await?;
        row.map(StoredRun::try_from).transpose()
    }

    /// Up to `limit` runs of a project before `cursor` (all when `None`), newest first. Ids are in order of time.
    pub async fn runs(
        &self,
        project: ProjectId,
        cursor: Option<RunId>,
        limit: i64,
    ) -> Result<Vec<StoredRun>> {
        let before = cursor.map_or_else(|| "run_g".to_owned(), |id| id.to_string());
        let rows: Vec<RunRow> = self
            .q(&format!(
                "SELECT {COLUMNS} FROM run WHERE team_id = $1 AND project_id = $2 AND id < $3 \
                 ORDER BY id DESC LIMIT $4"
            ))
            .bind(Text(project))
            .bind(before)
            .bind(limit)
            .all()
            .await?;
        rows.into_iter().map(StoredRun::try_from).collect()
    }

    /// The signed envelope of a part, exactly as it was signed.
    pub async fn run_envelope(&self, run: RunId, server: ServerId) -> Result<Option<Vec<u8>>> {
        let row: Option<(Vec<u8>,)> = self
            .q("SELECT envelope FROM run_part WHERE team_id = $1 AND run_id = $2 AND server_id = $3")
            .bind(Text(run))
            .bind(Text(server))
            .opt()
            .await?;
        Ok(row.map(|(bytes,)| bytes))
    }
}

impl TeamTx {
    /// The signed envelope of a part, exactly as it was signed.
    pub async fn run_envelope(&mut self, run: RunId, server: ServerId) -> Result<Option<Vec<u8>>> {
        let row: Option<(Vec<u8>,)> = self
            .q("SELECT envelope FROM run_part WHERE team_id = $1 AND run_id = $2 AND server_id = $3")
            .bind(Text(run))
            .bind(Text(server))
            .opt()
            .await?;
        Ok(row.map(|(bytes,)| bytes))
    }

    /// Whether a run that is not over has a lower signature for this server that its executor does not hold yet.
    pub async fn has_earlier_offer(&mut self, server: ServerId, sequence: i64) -> Result<bool> {
        let row: (i64,) = self
            .q("SELECT CAST(COUNT(*) AS BIGINT) FROM run_part JOIN run ON run.team_id = run_part.team_id \
                AND run.id = run_part.run_id WHERE run_part.team_id = $1 AND run_part.server_id = $2 \
                AND run_part.sequence < $3 AND run_part.envelope_state = 'signed' \
                AND run.state IN ('started', 'in_progress', 'paused')")
            .bind(Text(server))
            .bind(sequence)
            .one()
            .await?;
        Ok(row.0 > 0)
    }

    /// A run that changes this project, other than `except`, and has not ended. A failed one may be retried, but does not
    /// stand in the way.
    pub async fn run_going_on(&mut self, project: ProjectId, except: Option<RunId>) -> Result<Option<RunId>> {
        let row: Option<(Text<RunId>,)> = self
            .q("SELECT id FROM run WHERE team_id = $1 AND project_id = $2 AND id <> $3 AND NOT looks \
                AND finished_at IS NULL AND state <> 'failed' ORDER BY id LIMIT 1")
            .bind(Text(project))
            .bind(except.map_or_else(String::new, |id| id.to_string()))
            .opt()
            .await?;
        Ok(row.map(|(id,)| id.0))
    }

    /// Adds a run with its signed parts; every step waits.
    pub async fn insert_run(&mut self, run: &StoredRun, parts: &[NewRunPart]) -> Result<()> {
        self.q("INSERT INTO run (team_id, id, project_id, kind, looks, title, state, wish, commit_id, requested_by, \
                requested_by_name, created_at, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)")
            .bind(Text(run.id))
            .bind(Text(run.project))
            .bind(Text(run.kind))
            .bind(run.looks)
            .bind(run.title.as_str())
            .bind(run.head.state.word())
            .bind(Text(run.head.wish))
            .bind(run.commit.as_deref())
            .bind(run.requested_by.as_str())
            .bind(run.requested_by_name.as_str())
            .bind(run.created_at)
            .bind(run.head.changed_at)
            .exec()
            .await?;
        for (part, position) in parts.iter().zip(0i64..) {
            self.insert_run_part(run.id, position, part).await?;
            self.link_project_server(run.project, part.server).await?;
        }
        Ok(())
    }

    async fn insert_run_part(&mut self, run: RunId, position: i64, part: &NewRunPart) -> Result<()> {
        self.q("INSERT INTO run_part (team_id, run_id, server_id, position, digest, approval_id, envelope, sequence, \
                envelope_state) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'signed')")
            .bind(Text(run))
            .bind(Text(part.server))
            .bind(position)
            .bind(part.digest.as_str())
            .bind(part.approval.map(Text))
            .bind(part.envelope.as_slice())
            .bind(part.sequence)
            .exec()
            .await?;
        let team = self.team();
        self.q_rows(
            "INSERT INTO run_step (team_id, run_id, server_id, step, title, phase, service_id, kind, rules, state, \
             attempt) VALUES ",
        )
        .rows(part.steps.iter().zip(0i64..), |row, (step, index)| {
            row.bind(Text(team))
                .bind(Text(run))
                .bind(Text(part.server))
                .bind(index)
                .bind(step.title.as_str())
                .bind(phase_name(step.rules.phase))
                .bind(step.service.map(Text))
                .bind(kind_name(step.kind))
                .bind(Json(StoredRules::from(&step.rules)))
                .bind(Text(StepState::Pending))
                .bind(1i64);
        })
        .exec()
        .await
        .map(drop)
    }
}

/// The actor of a request, for the columns that name who asked.
pub fn requester(actor: &Actor) -> (String, String) {
    (actor.id(), actor.name())
}

/// What of a step's rules is kept as JSON; the phase has its own column.
#[derive(serde::Serialize, serde::Deserialize)]
struct StoredRules {
    after: Vec<hydron_proto::plan::StepRef>,
    guarded: bool,
    on_interrupt: hydron_proto::plan::InterruptPolicy,
}

impl From<&StepRules> for StoredRules {
    fn from(rules: &StepRules) -> Self {
        Self { after: rules.after.clone(), guarded: rules.guarded, on_interrupt: rules.on_interrupt }
    }
}

impl StoredRules {
    fn with_phase(self, phase: Phase) -> StepRules {
        StepRules { phase, after: self.after, guarded: self.guarded, on_interrupt: self.on_interrupt }
    }
}

/// The serde name of a unit variant, as the plan documents write it.
fn serde_name(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        Ok(_) | Err(_) => String::new(),
    }
}

fn phase_name(phase: Phase) -> String {
    serde_name(&phase)
}

fn kind_name(kind: ActionKind) -> String {
    serde_name(&kind)
}

fn parse_name<T: serde::de::DeserializeOwned>(name: &str, what: &'static str) -> Result<T> {
    serde_json::from_value(serde_json::Value::String(name.to_owned())).map_err(|_| StoreError::corrupt(what))
}
