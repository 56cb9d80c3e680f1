//! Services of projects.
//!
//! Rule: a change names the revision it was made from; whoever was faster wins.

use hydron_domain::service::{Service, ServiceSpec, ServiceState};
use hydron_proto::ids::{AnalysisId, ProjectId, ServiceId};
use hydron_proto::names::ServiceName;

use crate::column::{Json, Text};
use crate::reading::on_both;
use crate::{Result, TeamTx};

const SELECT: &str = "SELECT id, project_id, name, state, locked, revision, analysis_id, spec, created_at, updated_at \
     FROM service WHERE team_id = $1";

#[derive(sqlx::FromRow)]
struct Row {
    id: Text<ServiceId>,
    project_id: Text<ProjectId>,
    name: Text<ServiceName>,
    state: Text<ServiceState>,
    locked: bool,
    revision: i64,
    analysis_id: Option<Text<AnalysisId>>,
    spec: Json<ServiceSpec>,
    created_at: i64,
    updated_at: i64,
}

impl From<Row> for Service {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.0,
            project: row.project_id.0,
            name: row.name.0,
            state: row.state.0,
            locked: row.locked,
            revision: row.revision,
            analysis: row.analysis_id.map(|id| id.0),
            spec: row.spec.0,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

on_both! {
    /// A service, if the team has it.
    async fn service(this, id: ServiceId) -> Result<Option<Service>> {
        let row: Option<Row> = this.q(SELECT).sql(" AND id = $2").bind(Text(id)).opt().await?;
        Ok(row.map(Service::from))
    }

    /// A project's services by name.
    async fn services(this, project: ProjectId) -> Result<Vec<Service>> {
        let rows: Vec<Row> =
            this.q(SELECT).sql(" AND project_id = $2 ORDER BY name").bind(Text(project)).all().await?;
        Ok(rows.into_iter().map(Service::from).collect())
    }

    /// How many services each project has that were not rejected.
    async fn service_counts(this) -> Result<Vec<(ProjectId, i64)>> {
        let rows: Vec<(Text<ProjectId>, i64)> = this
            .q("SELECT project_id, CAST(COUNT(*) AS BIGINT) FROM service \
                WHERE team_id = $1 AND state <> 'rejected' GROUP BY project_id")
            .all()
            .await?;
        Ok(rows.into_iter().map(|(id, count)| (id.0, count)).collect())
    }
}

impl TeamTx {
    /// Adds a service.
    pub async fn insert_service(&mut self, service: &Service) -> Result<()> {
        self.q(
            "INSERT INTO service (team_id, id, project_id, name, state, locked, revision, analysis_id, spec, \
                created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)",
        )
        .bind(Text(service.id))
        .bind(Text(service.project))
        .bind(Text(&service.name))
        .bind(Text(service.state))
        .bind(service.locked)
        .bind(service.revision)
        .bind(service.analysis.map(Text))
        .bind(Json(&service.spec))
        .bind(service.created_at)
        .exec()
        .await
        .map(drop)
    }

    /// Keeps a changed service; `Stale` when somebody changed it since it was read.
    pub async fn save_service(&mut self, service: &Service) -> Result<()> {
        let now = self.now();
        self.q("UPDATE service SET name = $3, state = $4, locked = $5, revision = revision + 1, analysis_id = $6, \
                spec = $7, updated_at = $8 WHERE team_id = $1 AND id = $2 AND revision = $9")
            .bind(Text(service.id))
            .bind(Text(&service.name))
            .bind(Text(service.state))
            .bind(service.locked)
            .bind(service.analysis.map(Text))
            .bind(Json(&service.spec))
            .bind(now)
            .bind(service.revision)
            .exec_one("service")
            .await
    }
}
