//! Projects: making, listing, renaming, deleting, and what a person sees at a glance.
//!
//! Rule: a project with something live is not deleted; what is live is taken down by a plan first.

use hydron_domain::planning::default_host;
use hydron_domain::project::{Project, ProjectSigns, ProjectStatus, ProjectType, Slug, project_name};
use hydron_proto::ids::{DomainId, ProjectId};
use hydron_store::TeamStore;
use hydron_store::audit::AuditDraft;
use hydron_store::events::EventDraft;
use hydron_store::runs::StoredRun;
use hydron_store::servers::Server;
use serde_json::json;

use super::input::InvalidField;
use super::principal::{Permission, Principal};
use super::refusal::Refusal;
use crate::app::AppState;

/// A project at a glance.
#[derive(Debug, Clone)]
pub struct Overview {
    /// The project.
    pub project: Project,
    /// What a person sees.
    pub status: ProjectStatus,
    /// Where it answers, once something serves.
    pub url: Option<String>,
    /// The newest run.
    pub last_run: Option<StoredRun>,
    /// Services that were not rejected.
    pub service_count: i64,
    /// The server of the first live service, or the one it is linked to.
    pub server: Option<Server>,
}

/// The team's projects.
pub async fn list(app: &AppState, principal: &Principal) -> Result<Vec<Overview>, Refusal> {
    let access = principal.authorize(&app.store, Permission::ProjectsRead)?;
    let mut overviews = Vec::new();
    for project in access.team.projects().await? {
        overviews.push(overview(&access.team, project).await?);
    }
    Ok(overviews)
}

/// One project.
pub async fn get(app: &AppState, principal: &Principal, id: ProjectId) -> Result<Overview, Refusal> {
    let access = principal.authorize(&app.store, Permission::ProjectsRead)?;
    let project = access.team.project(id).await?.ok_or(Refusal::NotFound("project"))?;
    overview(&access.team, project).await
}

/// Makes a project and its host name.
pub async fn create(
    app: &AppState,
    principal: &Principal,
    name: &str,
    kind: Option<ProjectType>,
) -> Result<Overview, Refusal> {
    let access = principal.authorize(&app.store, Permission::ProjectsWrite)?;
    let (name, now, id) = (project_name(name)?, app.now(), app.ids.next(ProjectId::new));
    let slug = Slug::of(&name);
    let host = default_host(&slug, id, &app.config.zone).map_err(|error| InvalidField::new("name", error))?;
    let kind = kind.unwrap_or(ProjectType::WebApp);
    let project = Project { id, name, slug, kind, host, created_at: now, updated_at: now };
    let mut tx = access.begin(now).await?;
    tx.insert_project(&project, app.ids.next(DomainId::new)).await?;
    tx.event(EventDraft::new("project.created", id, json!({ "name": project.name })).in_project(id));
    tx.audit(AuditDraft::new("project.created", id, json!({ "name": project.name, "host": project.host })));
    tx.commit().await?;
    overview(&access.team, project).await
}

/// Renames a project or changes its kind. Its host stays.
pub async fn update(
    app: &AppState,
    principal: &Principal,
    id: ProjectId,
    name: Option<&str>,
    kind: Option<ProjectType>,
) -> Result<Overview, Refusal> {
    let access = principal.authorize(&app.store, Permission::ProjectsWrite)?;
    let name = name.map(project_name).transpose()?;
    let mut tx = access.begin(app.now()).await?;
    let known = tx.project(id).await?.ok_or(Refusal::NotFound("project"))?;
    let project = Project {
        name: name.unwrap_or(known.name),
        kind: kind.unwrap_or(known.kind),
        updated_at: app.now(),
        ..known
    };
    tx.update_project(id, &project.name, project.kind).await?;
    tx.event(EventDraft::new("project.changed", id, json!({ "name": project.name })).in_project(id));
    tx.audit(AuditDraft::new("project.changed", id, json!({ "name": project.name, "type": project.kind })));
    tx.commit().await?;
    overview(&access.team, project).await
}

/// Takes a project out of sight; only when nothing of it is live or running.
pub async fn delete(app: &AppState, principal: &Principal, id: ProjectId) -> Result<(), Refusal> {
    let access = principal.authorize(&app.store, Permission::ProjectsDelete)?;
    let mut tx = access.begin(app.now()).await?;
    if !tx.lock_project(id).await? {
        return Err(Refusal::NotFound("project"));
    }
    if !access.team.live_releases(id).await?.is_empty() {
        return Err(Refusal::WrongState(
            "services of this project are live; take them down first".to_owned(),
        ));
    }
    if tx.run_going_on(id, None).await?.is_some() {
        return Err(Refusal::WrongState("a run of this project is going on; stop it first".to_owned()));
    }
    tx.delete_project(id).await?;
    tx.event(EventDraft::new("project.deleted", id, json!({})).in_project(id));
    tx.audit(AuditDraft::new("project.deleted", id, json!({})));
    tx.commit().await?;
    Ok(())
}

async fn overview(team: &TeamStore, project: Project) -> Result<Overview, Refusal> {
    let live = team.live_releases(project.id).await?;
    let last_run = team.runs(project.id, None, 1).await?.into_iter().next();
    let counts = team.service_counts().await?;
    let service_count = counts.iter().find(|(id, _)| *id == project.id).map_or(0, |(_, count)| *count);
    let links = team.project_servers().await?;
    let linked = links.iter().find(|(id, _)| *id == project.id).map(|(_, server)| *server);
    let server = match live.first().map(|release| release.server).or(linked) {
        Some(id) => team.server(id).await?,
        None => None,
    };
    let word = last_run.as_ref().map_or("", |run| run.head.state.word());
    let status = ProjectStatus::from_signs(ProjectSigns {
        analyzing: team.projects_being_read().await?.contains(&project.id),
        services: service_count > 0,
        running: last_run.as_ref().is_some_and(|run| run.finished_at.is_none() && word != "failed"),
        last_failed: word == "failed",
        live: !live.is_empty(),
    });
    let port = server.as_ref().map_or(443, |server| server.facts.https_port);
    let url = (!live.is_empty()).then(|| match port {
        0 | 443 => format!("https://{}", project.host),
        port => format!("https://{}:{port}", project.host),
    });
    Ok(Overview { project, status, url, last_run, service_count, server })
}
