//! Readings of repositories: durable jobs with their progress and result.
//!
//! Rule: a worker claims a reading for a while; when it dies, the reading is claimed again, a few times.

use hydron_domain::analysis::Analysis;
use hydron_domain::analysis_run::{AnalysisError, AnalysisRun, AnalysisState, SourceSpec, StepView};
use hydron_proto::ids::{AnalysisId, ProjectId, TeamId};
use hydron_proto::names::{CommitId, GitRef};

use crate::column::{Json, Text};
use crate::reading::on_both;
use crate::{Result, SystemTx, TeamTx};

const SELECT: &str = "SELECT id, project_id, source, reference, commit_id, state, steps, error, attempts, created_at, \
     finished_at FROM analysis WHERE team_id = $1";

#[derive(sqlx::FromRow)]
struct Row {
    id: Text<AnalysisId>,
    project_id: Text<ProjectId>,
    source: Json<SourceSpec>,
    reference: Option<Text<GitRef>>,
    commit_id: Option<Text<CommitId>>,
    state: Text<AnalysisState>,
    steps: Json<Vec<StepView>>,
    error: Option<Json<AnalysisError>>,
    attempts: i64,
    created_at: i64,
    finished_at: Option<i64>,
}

impl From<Row> for AnalysisRun {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.0,
            project: row.project_id.0,
            source: row.source.0,
            commit: row.commit_id.map(|commit| commit.0),
            reference: row.reference.map(|reference| reference.0),
            state: row.state.0,
            steps: row.steps.0,
            error: row.error.map(|error| error.0),
            attempts: row.attempts,
            created_at: row.created_at,
            finished_at: row.finished_at,
        }
    }
}

on_both! {
    /// A reading, if the team has it.
    async fn analysis(this, id: AnalysisId) -> Result<Option<AnalysisRun>> {
        let row: Option<Row> = this.q(SELECT).sql(" AND id = $2").bind(Text(id)).opt().await?;
        Ok(row.map(AnalysisRun::from))
    }

    /// What a finished reading found.
    async fn analysis_result(this, id: AnalysisId) -> Result<Option<Analysis>> {
        let row: Option<(Option<Json<Analysis>>,)> =
            this.q("SELECT result FROM analysis WHERE team_id = $1 AND id = $2").bind(Text(id)).opt().await?;
        Ok(row.and_then(|(result,)| result).map(|result| result.0))
    }

    /// A project's readings, newest first.
    async fn analyses(this, project: ProjectId, limit: i64) -> Result<Vec<AnalysisRun>> {
        let rows: Vec<Row> = this
            .q(SELECT)
            .sql(" AND project_id = $2 ORDER BY created_at DESC, id DESC LIMIT $3")
            .bind(Text(project))
            .bind(limit)
            .all()
            .await?;
        Ok(rows.into_iter().map(AnalysisRun::from).collect())
    }

    /// Projects with a reading that is not over.
    async fn projects_being_read(this) -> Result<Vec<ProjectId>> {
        let rows: Vec<(Text<ProjectId>,)> = this
            .q("SELECT DISTINCT project_id FROM analysis WHERE team_id = $1 \
                AND state IN ('queued', 'cloning', 'reading', 'detecting')")
            .all()
            .await?;
        Ok(rows.into_iter().map(|(id,)| id.0).collect())
    }
}

impl SystemTx {
    /// Claims the oldest reading that nobody works on, until `held_until`, of the team of which the fewest are worked on.
    /// None of a team of which `per_team` are: the others of a team wait for each other, never other teams for them.
    pub async fn claim_analysis(
        &mut self,
        held_until: i64,
        per_team: i64,
    ) -> Result<Option<(TeamId, AnalysisId)>> {
        let now = self.now();
        let row: Option<(Text<TeamId>, Text<AnalysisId>)> = self
            .q("UPDATE analysis SET held_until = $1, attempts = attempts + 1 WHERE (team_id, id) IN ( \
                SELECT a.team_id, a.id FROM analysis a WHERE a.held_until < $2 \
                AND a.state IN ('queued', 'cloning', 'reading', 'detecting') \
                AND (SELECT COUNT(*) FROM analysis b WHERE b.team_id = a.team_id AND b.held_until >= $2 \
                AND b.state IN ('queued', 'cloning', 'reading', 'detecting')) < $3 \
                ORDER BY (SELECT COUNT(*) FROM analysis b WHERE b.team_id = a.team_id AND b.held_until >= $2 \
                AND b.state IN ('queued', 'cloning', 'reading', 'detecting')), a.created_at LIMIT 1")
            .pg(" FOR UPDATE SKIP LOCKED")
            .sql(") RETURNING team_id, id")
            .bind(held_until)
            .bind(now)
            .bind(per_team)
            .opt()
            .await?;
        Ok(row.map(|(team, id)| (team.0, id.0)))
    }

    /// Lets go of every claim: this process is the only one, and it has just started.
    pub async fn release_analyses(&mut self) -> Result<u64> {
        self.q("UPDATE analysis SET held_until = 0 WHERE held_until > 0 \
                AND state IN ('queued', 'cloning', 'reading', 'detecting')")
            .exec()
            .await
    }
}

impl TeamTx {
    /// Adds a reading.
    pub async fn insert_analysis(&mut self, run: &AnalysisRun) -> Result<()> {
        self.q("INSERT INTO analysis (team_id, id, project_id, source, state, steps, created_at) \
                VALUES ($1, $2, $3, $4, $5, $6, $7)")
            .bind(Text(run.id))
            .bind(Text(run.project))
            .bind(Json(&run.source))
            .bind(Text(run.state))
            .bind(Json(&run.steps))
            .bind(run.created_at)
            .exec()
            .await
            .map(drop)
    }

    /// Claims a reading that was just added for whoever added it.
    pub async fn hold_analysis(&mut self, id: AnalysisId, held_until: i64) -> Result<()> {
        self.q("UPDATE analysis SET held_until = $3, attempts = attempts + 1 WHERE team_id = $1 AND id = $2")
            .bind(Text(id))
            .bind(held_until)
            .exec_one("analysis")
            .await
    }

    /// Keeps progress; whoever claimed it meanwhile (`attempts` moved on) wins.
    pub async fn save_analysis(&mut self, run: &AnalysisRun, held_until: i64) -> Result<()> {
        self.q("UPDATE analysis SET reference = $3, commit_id = $4, state = $5, steps = $6, error = $7, \
                finished_at = $8, held_until = $9 WHERE team_id = $1 AND id = $2 AND attempts = $10 \
                AND state NOT IN ('done', 'failed')")
            .bind(Text(run.id))
            .bind(run.reference.clone().map(Text))
            .bind(run.commit.clone().map(Text))
            .bind(Text(run.state))
            .bind(Json(&run.steps))
            .bind(run.error.as_ref().map(Json))
            .bind(run.finished_at)
            .bind(held_until)
            .bind(run.attempts)
            .exec_one("analysis")
            .await
    }

    /// Keeps what a reading found.
    pub async fn save_analysis_result(&mut self, id: AnalysisId, result: &Analysis) -> Result<()> {
        self.q("UPDATE analysis SET result = $3 WHERE team_id = $1 AND id = $2")
            .bind(Text(id))
            .bind(Json(result))
            .exec_one("analysis")
            .await
    }
}
