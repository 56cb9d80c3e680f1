//! Readings of repositories: asking for one, looking at it. The work is done by `jobs::analyse`.
//!
//! Rule: a URL that cannot be asked is refused before anything is stored.

use hydron_domain::analysis::{self, Analysis, AnalysisChange};
use hydron_domain::analysis_run::{AnalysisRun, AnalysisState, SourceSpec, pending_steps};
use hydron_domain::service::Service;
use hydron_proto::ids::{AnalysisId, ProjectId};
use hydron_proto::names::{GitRef, GitUrl, RelPath};
use hydron_store::audit::AuditDraft;
use hydron_store::events::EventDraft;
use hydron_store::{TeamStore, TeamTx, Topic, Wake};
use serde_json::json;

use super::input::InvalidField;
use super::principal::{Permission, Principal};
use super::refusal::Refusal;
use crate::app::AppState;

/// The job's name in wakeups.
pub const WORK: &str = "analyse";

/// What to read, as typed.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Repository URL.
    pub url: String,
    /// Branch or tag.
    pub reference: Option<String>,
    /// Directory.
    pub subdir: Option<String>,
}

impl Wanted {
    /// Parses every field.
    pub fn parse(&self) -> Result<SourceSpec, InvalidField> {
        let url: GitUrl = self.url.trim().parse().map_err(|error| InvalidField::new("url", error))?;
        let reference = self.reference.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let reference: Option<GitRef> = reference
            .map(|text| text.parse().map_err(|error| InvalidField::new("ref", error)))
            .transpose()?;
        let subdir =
            self.subdir.as_deref().unwrap_or_default().trim().trim_matches('/').trim_start_matches("./");
        let subdir = if subdir == "." { "" } else { subdir };
        let subdir: RelPath = subdir.parse().map_err(|error| InvalidField::new("subdir", error))?;
        Ok(SourceSpec { url, reference, commit: None, subdir })
    }
}

/// Asks for a reading.
pub async fn start(
    app: &AppState,
    principal: &Principal,
    project: ProjectId,
    wanted: &Wanted,
) -> Result<AnalysisRun, Refusal> {
    let access = principal.authorize(&app.store, Permission::ProjectsWrite)?;
    access.team.project(project).await?.ok_or(Refusal::NotFound("project"))?;
    let source = wanted.parse()?;
    app.git.check(&source.url).await?;
    let mut tx = access.begin(app.now()).await?;
    if !tx.lock_project(project).await? {
        return Err(Refusal::NotFound("project"));
    }
    if tx.projects_being_read().await?.contains(&project) {
        return Err(Refusal::WrongState(
            "an analysis of this project is running; wait for its end".to_owned(),
        ));
    }
    let run = queue(app, &mut tx, project, source).await?;
    tx.wake(Wake::new(Topic::Work, WORK));
    tx.commit().await?;
    Ok(run)
}

/// Adds a reading in the caller's transaction.
pub(super) async fn queue(
    app: &AppState,
    tx: &mut TeamTx,
    project: ProjectId,
    source: SourceSpec,
) -> Result<AnalysisRun, Refusal> {
    let run = AnalysisRun {
        id: app.ids.next(AnalysisId::new),
        project,
        source,
        commit: None,
        reference: None,
        state: AnalysisState::Queued,
        steps: pending_steps(),
        error: None,
        attempts: 0,
        created_at: tx.now(),
        finished_at: None,
    };
    tx.insert_analysis(&run).await?;
    tx.event(EventDraft::new("analysis.changed", run.id, json!({ "state": run.state })).in_project(project));
    tx.audit(AuditDraft::new(
        "analysis.started",
        run.id,
        json!({ "url": run.source.url, "ref": run.source.reference }),
    ));
    Ok(run)
}

/// A reading with what it found, and how that differs from the one before.
#[derive(Debug)]
pub struct Reading {
    /// The reading itself.
    pub run: AnalysisRun,
    /// What it found, once it is done.
    pub result: Option<Analysis>,
    /// Differences from the reading before of the same repository; none if there is none.
    pub changes: Option<Vec<AnalysisChange>>,
}

/// A reading and what it found.
pub async fn get(app: &AppState, principal: &Principal, id: AnalysisId) -> Result<Reading, Refusal> {
    let access = principal.authorize(&app.store, Permission::ProjectsRead)?;
    let run = access.team.analysis(id).await?.ok_or(Refusal::NotFound("analysis"))?;
    let result = access.team.analysis_result(id).await?;
    let changes = match &result {
        Some(result) => changes_since(&access.team, &run, result).await?,
        None => None,
    };
    Ok(Reading { run, result, changes })
}

/// What differs from the newest earlier reading that covers at least the same directory.
async fn changes_since(
    team: &TeamStore,
    run: &AnalysisRun,
    result: &Analysis,
) -> Result<Option<Vec<AnalysisChange>>, Refusal> {
    let subdir = run.source.subdir.as_str();
    let covers = |other: &AnalysisRun| {
        let theirs = other.source.subdir.as_str();
        theirs.is_empty() || theirs == subdir
    };
    let earlier = team.analyses(run.project, 50).await?.into_iter().find(|other| {
        (other.created_at, other.id) < (run.created_at, run.id)
            && other.state == AnalysisState::Done
            && other.source.url == run.source.url
            && covers(other)
    });
    let Some(earlier) = earlier else { return Ok(None) };
    let Some(before) = team.analysis_result(earlier.id).await? else { return Ok(None) };
    let mut list = analysis::changes(&before, result, subdir);
    let services = team.services(run.project).await?;
    for change in &mut list {
        let found_as = |service: &&Service| {
            service.spec.found_as.as_ref().unwrap_or(&service.name).as_str() == change.service
        };
        let Some(service) = services.iter().find(found_as) else { continue };
        change.service_id = Some(service.id);
        let field = match change.field.as_deref() {
            Some("health") => "health_path",
            Some(other) => other,
            None => continue,
        };
        change.kept = service.spec.edited.contains(field) || service.locked;
    }
    Ok(Some(list))
}

/// A project's readings, newest first.
pub async fn list(
    app: &AppState,
    principal: &Principal,
    project: ProjectId,
) -> Result<Vec<AnalysisRun>, Refusal> {
    let access = principal.authorize(&app.store, Permission::ProjectsRead)?;
    access.team.project(project).await?.ok_or(Refusal::NotFound("project"))?;
    Ok(access.team.analyses(project, 50).await?)
}
