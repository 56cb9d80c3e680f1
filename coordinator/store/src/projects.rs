//! Projects and their hosts.
//!
//! Rule: a deleted project keeps its rows and is never found again; its default host stays taken.

use hydron_domain::project::{Project, ProjectType, Slug};
use hydron_proto::ids::{DomainId, ProjectId};
use hydron_proto::names::Hostname;

use crate::column::Text;
use crate::reading::on_both;
use crate::{Result, TeamTx};

const SELECT: &str = "SELECT project.id, project.name, project.slug, project.kind, domain.host, project.created_at, \
     project.updated_at FROM project JOIN domain ON domain.team_id = project.team_id \
     AND domain.project_id = project.id AND domain.is_default \
     WHERE project.team_id = $1 AND project.deleted_at IS NULL";

#[derive(sqlx::FromRow)]
struct Row {
    id: Text<ProjectId>,
    name: String,
    slug: String,
    kind: Text<ProjectType>,
    host: Text<Hostname>,
    created_at: i64,
    updated_at: i64,
}

impl From<Row> for Project {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.0,
            name: row.name,
            slug: Slug::of(&row.slug),
            kind: row.kind.0,
            host: row.host.0,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

on_both! {
    /// A project, if the team has it.
    async fn project(this, id: ProjectId) -> Result<Option<Project>> {
        let row: Option<Row> = this.q(SELECT).sql(" AND project.id = $2").bind(Text(id)).opt().await?;
        Ok(row.map(Project::from))
    }

    /// The team's projects, newest first.
    async fn projects(this) -> Result<Vec<Project>> {
        let rows: Vec<Row> = this.q(SELECT).sql(" ORDER BY project.created_at DESC, project.id DESC").all().await?;
        Ok(rows.into_iter().map(Project::from).collect())
    }
}

impl TeamTx {
    /// Adds a project with its default host.
    pub async fn insert_project(&mut self, project: &Project, domain: DomainId) -> Result<()> {
        self.q("INSERT INTO project (team_id, id, name, slug, kind, created_at, updated_at) \
                VALUES ($1, $2, $3, $4, $5, $6, $6)")
            .bind(Text(project.id))
            .bind(project.name.as_str())
            .bind(project.slug.as_str())
            .bind(Text(project.kind))
            .bind(project.created_at)
            .exec()
            .await?;
        self.q("INSERT INTO domain (team_id, id, project_id, host, is_default, state, created_at) \
                VALUES ($1, $2, $3, $4, $5, 'active', $6)")
            .bind(Text(domain))
            .bind(Text(project.id))
            .bind(project.host.as_str())
            .bind(true)
            .bind(project.created_at)
            .exec()
            .await
            .map(drop)
    }

    /// Serialises changes of one project; false when the team has no such project.
    pub async fn lock_project(&mut self, id: ProjectId) -> Result<bool> {
        let row: Option<(String,)> = self
            .q("SELECT id FROM project WHERE team_id = $1 AND id = $2 AND deleted_at IS NULL")
            .pg(" FOR UPDATE")
            .bind(Text(id))
            .opt()
            .await?;
        Ok(row.is_some())
    }

    /// Changes name and kind. The slug and with it the host stay.
    pub async fn update_project(&mut self, id: ProjectId, name: &str, kind: ProjectType) -> Result<()> {
        let now = self.now();
        self.q("UPDATE project SET name = $3, kind = $4, updated_at = $5 WHERE team_id = $1 AND id = $2")
            .bind(Text(id))
            .bind(name)
            .bind(Text(kind))
            .bind(now)
            .exec_one("project")
            .await
    }

    /// Takes a project out of sight.
    pub async fn delete_project(&mut self, id: ProjectId) -> Result<()> {
        let now = self.now();
        self.q("UPDATE project SET deleted_at = $3 WHERE team_id = $1 AND id = $2 AND deleted_at IS NULL")
            .bind(Text(id))
            .bind(now)
            .exec_one("project")
            .await
    }

    /// Notes that something in the project changed.
    pub async fn touch_project(&mut self, id: ProjectId) -> Result<()> {
        let now = self.now();
        self.q("UPDATE project SET updated_at = $3 WHERE team_id = $1 AND id = $2")
            .bind(Text(id))
            .bind(now)
            .exec()
            .await
            .map(drop)
    }
}
