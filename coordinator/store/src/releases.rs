//! Releases: what ran, what runs, what can be brought back, image and configuration.
//!
//! Rule: written in the transaction that stores the agent's report; never more than one live a service and server.

use hydron_domain::release::ReleaseState;
use hydron_proto::ids::{ProjectId, ReleaseId, RunId, ServerId, ServiceId};
use hydron_proto::plan::ReleaseSpec;

use crate::column::{Json, Text};
use crate::{Result, TeamStore, TeamTx};

/// A release of a service on a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Id.
    pub id: ReleaseId,
    /// Its project.
    pub project: ProjectId,
    /// Its service.
    pub service: ServiceId,
    /// Its server.
    pub server: ServerId,
    /// The run that made it.
    pub run: RunId,
    /// The step of that run.
    pub step: u32,
    /// Where it stands.
    pub state: ReleaseState,
    /// Image and configuration; names secrets, never contains them.
    pub spec: ReleaseSpec,
    /// The commit it was built from.
    pub commit: Option<String>,
    /// Hash of the tree it was built from.
    pub tree_hash: Option<String>,
    /// Hash of its configuration.
    pub config_digest: Option<String>,
    /// Content id of its image, once known.
    pub image_id: Option<String>,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970.
    pub live_since: Option<i64>,
    /// Milliseconds since 1970.
    pub retired_at: Option<i64>,
    /// How many of its service retired on its server later.
    pub retired_since: usize,
}

impl Release {
    /// Whether a rollback may name it.
    pub fn can_come_back(&self) -> bool {
        self.state.can_come_back(self.retired_since)
    }
}

/// What it was made from is told by the plan that announced it.
const SELECT: &str = "SELECT r.id, r.project_id, r.service_id, r.server_id, r.run_id, r.step, r.state, r.spec, \
                      p.commit_id, p.tree_hash, p.config_digest, r.image_id, r.created_at, r.live_since, r.retired_at, \
                      (SELECT COUNT(*) FROM service_release n WHERE n.team_id = r.team_id AND n.service_id = r.service_id \
                      AND n.server_id = r.server_id AND n.state = 'retired' AND n.retired_at > r.retired_at) AS retired_since \
                      FROM service_release r LEFT JOIN planned_release p ON p.team_id = r.team_id AND p.id = r.id \
                      WHERE r.team_id = $1";

#[derive(sqlx::FromRow)]
struct Row {
    id: Text<ReleaseId>,
    project_id: Text<ProjectId>,
    service_id: Text<ServiceId>,
    server_id: Text<ServerId>,
    run_id: Text<RunId>,
    step: i64,
    state: Text<ReleaseState>,
    spec: Json<ReleaseSpec>,
    commit_id: Option<String>,
    tree_hash: Option<String>,
    config_digest: Option<String>,
    image_id: Option<String>,
    created_at: i64,
    live_since: Option<i64>,
    retired_at: Option<i64>,
    retired_since: i64,
}

impl From<Row> for Release {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.0,
            project: row.project_id.0,
            service: row.service_id.0,
            server: row.server_id.0,
            run: row.run_id.0,
            step: u32::try_from(row.step).unwrap_or(u32::MAX),
            state: row.state.0,
            spec: row.spec.0,
            commit: row.commit_id,
            tree_hash: row.tree_hash,
            config_digest: row.config_digest,
            image_id: row.image_id,
            created_at: row.created_at,
            live_since: row.live_since,
            retired_at: row.retired_at,
            retired_since: usize::try_from(row.retired_since).unwrap_or(usize::MAX),
        }
    }
}

impl TeamStore {
    /// One release.
    pub async fn release(&self, id: ReleaseId) -> Result<Option<Release>> {
        let row: Option<Row> = self.q(&format!("{SELECT} AND r.id = $2")).bind(Text(id)).opt().await?;
        Ok(row.map(Release::from))
    }

    /// The releases of a service, newest first.
    pub async fn releases(&self, service: ServiceId) -> Result<Vec<Release>> {
        let rows: Vec<Row> = self
            .q(&format!(
                "{SELECT} AND r.service_id = $2 \
                 ORDER BY r.created_at DESC, r.id DESC LIMIT 100"
            ))
            .bind(Text(service))
            .all()
            .await?;
        Ok(rows.into_iter().map(Release::from).collect())
    }

    /// What serves now in a project.
    pub async fn live_releases(&self, project: ProjectId) -> Result<Vec<Release>> {
        let rows: Vec<Row> = self
            .q(&format!(
                "{SELECT} AND r.project_id = $2 AND r.state = 'live' \
                 ORDER BY r.service_id, r.server_id"
            ))
            .bind(Text(project))
            .all()
            .await?;
        Ok(rows.into_iter().map(Release::from).collect())
    }

    /// What serves now for a service, on every server.
    pub async fn live_releases_of(&self, service: ServiceId) -> Result<Vec<Release>> {
        let rows: Vec<Row> = self
            .q(&format!(
                "{SELECT} AND r.service_id = $2 AND r.state = 'live' \
                 ORDER BY r.server_id"
            ))
            .bind(Text(service))
            .all()
            .await?;
        Ok(rows.into_iter().map(Release::from).collect())
    }
}

impl TeamTx {
    /// Adds a release that a run will make.
    pub async fn insert_release(&mut self, release: &Release) -> Result<()> {
        self.q("INSERT INTO service_release (team_id, id, project_id, service_id, server_id, run_id, step, state, \
                spec, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
            .bind(Text(release.id))
            .bind(Text(release.project))
            .bind(Text(release.service))
            .bind(Text(release.server))
            .bind(Text(release.run))
            .bind(i64::from(release.step))
            .bind(Text(release.state))
            .bind(Json(&release.spec))
            .bind(release.created_at)
            .exec()
            .await
            .map(drop)
    }

    /// Releases that a run makes on a server.
    pub async fn releases_of_run(&mut self, run: RunId, server: ServerId) -> Result<Vec<Release>> {
        let rows: Vec<Row> = self
            .q(&format!("{SELECT} AND r.run_id = $2 AND r.server_id = $3"))
            .bind(Text(run))
            .bind(Text(server))
            .all()
            .await?;
        Ok(rows.into_iter().map(Release::from).collect())
    }

    /// Enters a state that is not live.
    pub async fn set_release_state(&mut self, id: ReleaseId, state: ReleaseState) -> Result<()> {
        self.q("UPDATE service_release SET state = $3 WHERE team_id = $1 AND id = $2")
            .bind(Text(id))
            .bind(Text(state))
            .exec()
            .await
            .map(drop)
    }

    /// Makes it the one that serves; the one before is retired.
    pub async fn make_release_live(
        &mut self,
        service: ServiceId,
        server: ServerId,
        id: ReleaseId,
        image_id: &str,
        at: i64,
    ) -> Result<()> {
        self.q("UPDATE service_release SET state = 'retired', retired_at = $5 WHERE team_id = $1 AND service_id = $2 \
                AND server_id = $3 AND id <> $4 AND state = 'live'")
            .bind(Text(service))
            .bind(Text(server))
            .bind(Text(id))
            .bind(at)
            .exec()
            .await?;
        self.q(
            "UPDATE service_release SET state = 'live', live_since = $5, retired_at = NULL, image_id = $6 \
                WHERE team_id = $1 AND service_id = $2 AND server_id = $3 AND id = $4",
        )
        .bind(Text(service))
        .bind(Text(server))
        .bind(Text(id))
        .bind(at)
        .bind(image_id)
        .exec()
        .await
        .map(drop)
    }

    /// Releases of a run that never came to serve.
    pub async fn fail_releases_of_run(&mut self, run: RunId) -> Result<()> {
        self.q("UPDATE service_release SET state = 'failed' WHERE team_id = $1 AND run_id = $2 \
                AND state IN ('building', 'starting', 'healthy')")
            .bind(Text(run))
            .exec()
            .await
            .map(drop)
    }

    /// Whether something of ours serves on a server.
    pub async fn serves(&mut self, server: ServerId) -> Result<bool> {
        let row: (i64,) = self
            .q("SELECT CAST(COUNT(*) AS BIGINT) FROM service_release \
                WHERE team_id = $1 AND server_id = $2 AND state = 'live'")
            .bind(Text(server))
            .one()
            .await?;
        Ok(row.0 > 0)
    }
}
