//! Redeploying: the newest commit is read again, what changed becomes a release plan, and inside the mandates it runs.
//!
//! Rule: outside the mandates nothing runs: a new plan is made and a person is asked.

use std::collections::{BTreeMap, BTreeSet};

use hydron_domain::analysis_run::{AnalysisState, SourceSpec};
use hydron_domain::planning::{ReleasePlans, release_plans};
use hydron_domain::run::RunKind;
use hydron_domain::service::ServiceState;
use hydron_proto::ids::{ProjectId, ReleaseId, RunId, ServiceId};
use hydron_proto::names::{CommitId, RelPath};
use hydron_proto::plan::admit_release;
use hydron_store::{TeamStore, TeamTx};

use super::analyses;
use super::input::InvalidField;
use super::plans::approve::commit_of;
use super::plans::compose::compose;
use super::plans::gather::gather;
use super::principal::{Access, Permission, Principal};
use super::refusal::Refusal;
use super::runs::{self, CreateRunError, NewPart, NewRun};
use crate::app::AppState;
use crate::clients::git::FetchError;
use crate::jobs::analyse;

/// What to redeploy.
#[derive(Debug, Clone, Default)]
pub struct Redeploy {
    /// Exactly this commit; the newest of the ref when absent.
    pub commit: Option<String>,
    /// Only these services; all when empty.
    pub services: Vec<ServiceId>,
}

/// Reads the source again and starts a run of what changed.
pub async fn redeploy(
    app: &AppState,
    principal: &Principal,
    project: ProjectId,
    wanted: &Redeploy,
) -> Result<RunId, Refusal> {
    let access = principal.authorize(&app.store, Permission::RunsControl)?;
    let commit = wanted.commit.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let commit: Option<CommitId> =
        commit.map(|text| text.parse().map_err(|error| InvalidField::new("commit", error))).transpose()?;
    access.team.project(project).await?.ok_or(Refusal::NotFound("project"))?;
    check_ready(app, &access, project, &wanted.services).await?;
    for source in sources(&access.team, project, commit).await? {
        read_again(app, &access, project, source).await?;
    }
    release(app, &access, project, &wanted.services).await
}

/// What can be said before the source is fetched; the run itself is refused again where it is made.
async fn check_ready(
    app: &AppState,
    access: &Access,
    project: ProjectId,
    only: &[ServiceId],
) -> Result<(), Refusal> {
    let team = &access.team;
    if team.live_releases(project).await?.is_empty() {
        let text = "nothing of this project is live; make a plan and approve it first";
        return Err(Refusal::WrongState(text.to_owned()));
    }
    if access.begin(app.now()).await?.run_going_on(project, None).await?.is_some() {
        return Err(CreateRunError::Busy.into());
    }
    let services = team.services(project).await?;
    match only.iter().find(|id| !services.iter().any(|service| service.id == **id)) {
        Some(unknown) => {
            Err(InvalidField::unknown("services", format!("there is no service {unknown} here")).into())
        }
        None => Ok(()),
    }
}

/// Every repository that accepted services come from, once.
async fn sources(
    team: &TeamStore,
    project: ProjectId,
    commit: Option<CommitId>,
) -> Result<Vec<SourceSpec>, Refusal> {
    let readings = team.analyses(project, 50).await?;
    let mut found: BTreeMap<(String, String), SourceSpec> = BTreeMap::new();
    for service in team.services(project).await? {
        let Some(source) = service.spec.source.filter(|_| service.state == ServiceState::Accepted) else {
            continue;
        };
        let known =
            readings.iter().find(|run| run.source.url == source.url && run.state == AnalysisState::Done);
        let subdir = known.map_or_else(RelPath::root, |run| run.source.subdir.clone());
        let key = (source.url.to_string(), source.reference.to_string());
        let reference = Some(source.reference);
        found.entry(key).or_insert(SourceSpec { url: source.url, reference, commit: commit.clone(), subdir });
    }
    Ok(found.into_values().collect())
}

/// A reading that is waited for, on the same path as the job's.
async fn read_again(
    app: &AppState,
    access: &Access,
    project: ProjectId,
    source: SourceSpec,
) -> Result<(), Refusal> {
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
    let run = analyses::queue(app, &mut tx, project, source).await?;
    tx.hold_analysis(run.id, app.now() + analyse::HOLD_MS).await?;
    tx.commit().await?;
    analyse::perform(app, access.team.id(), run.id).await;
    let ended = access.team.analysis(run.id).await?.ok_or(Refusal::NotFound("analysis"))?;
    match ended.error {
        None if ended.state == AnalysisState::Done => Ok(()),
        None => Err(Refusal::Source(FetchError::Git(None))),
        Some(error) => Err(Refusal::Reading(error)),
    }
}

async fn release(
    app: &AppState,
    access: &Access,
    project: ProjectId,
    only: &[ServiceId],
) -> Result<RunId, Refusal> {
    let mut tx = access.begin(app.now()).await?;
    if !tx.lock_project(project).await? {
        return Err(Refusal::NotFound("project"));
    }
    let servers: BTreeSet<_> =
        access.team.live_releases(project).await?.iter().map(|release| release.server).collect();
    let servers: Vec<_> = servers.into_iter().collect();
    let gathered = gather(app, &access.team, &mut tx, project, &servers).await?;
    let only: Option<BTreeSet<ServiceId>> = (!only.is_empty()).then(|| only.iter().copied().collect());
    let mut new_release = || app.ids.next(ReleaseId::new);
    let wishes = BTreeMap::new();
    let planning = gathered.planning(&app.config.zone, &wishes, tx.now());
    let plans = release_plans(&planning, only.as_ref(), &mut new_release)?;
    if let Some(why) = outside(&mut tx, &plans).await? {
        let plan = compose(app, &access.team, &mut tx, project, &servers, BTreeMap::new(), None).await?;
        tx.commit().await?;
        return Err(Refusal::NeedsApproval { plan, why });
    }
    if plans.plans.is_empty() {
        return Err(Refusal::WrongState("nothing changed, and there is nothing to probe".to_owned()));
    }
    tx.insert_planned_releases(project, &plans.releases).await?;
    let run = start(app, &mut tx, &gathered.project.name, project, plans).await?;
    tx.commit().await?;
    Ok(run)
}

async fn start(
    app: &AppState,
    tx: &mut TeamTx,
    name: &str,
    project: ProjectId,
    plans: ReleasePlans,
) -> Result<RunId, Refusal> {
    let commit = plans.plans.iter().find_map(commit_of);
    let mut parts = Vec::new();
    for plan in plans.plans {
        parts.push(NewPart { server: plan.server, plan: plan.to_bytes()?, approval: None });
    }
    let title = if plans.changed.is_empty() {
        format!("Redeploy {name}: nothing changed")
    } else {
        let changed: Vec<&str> = plans.changed.iter().map(hydron_proto::names::ServiceName::as_str).collect();
        format!("Redeploy {name}: {}", changed.join(", "))
    };
    Ok(runs::create(
        tx,
        &app.signer,
        &app.ids,
        NewRun { project, kind: RunKind::Release, title, commit, parts },
    )
    .await?)
}

/// What goes beyond the mandates that the servers hold, in words; none when it all stays inside.
async fn outside(tx: &mut TeamTx, plans: &ReleasePlans) -> Result<Option<String>, Refusal> {
    if let Some(generated) = plans.generated.first() {
        return Ok(Some(format!("it needs a new secret, {}", generated.secret.name)));
    }
    for plan in &plans.plans {
        let mandates = tx.mandates(plan.server).await?;
        if let Err(code) = admit_release(&mandates, plan, tx.now()) {
            return Ok(Some(code.to_string()));
        }
    }
    Ok(None)
}
