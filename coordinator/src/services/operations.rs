//! Operations on what runs: restart, stop, start, logs, rollback. Each is a signed run of one step of a closed list.
//!
//! Rule: an operation names a service or a release by id and carries no text; the server decides whether it knows it.

use hydron_domain::release::ReleaseState;
use hydron_domain::run::RunKind;
use hydron_proto::ids::{ReleaseId, RunId, ServerId, ServiceId};
use hydron_proto::plan::{
    Action, EnvVar, InterruptPolicy, InvalidPlan, Operation, PLAN_VERSION, Phase, PlanDocument, PlanKind,
    RepairBounds, SecretRef, Step, Undo,
};
use hydron_store::StoreError;
use hydron_store::releases::Release;

use super::runs::create::{CreateRunError, NewPart, NewRun, create};
use crate::app::AppState;
use crate::services::input::{InvalidField, ReadError};
use crate::services::principal::{Denied, Permission, Principal};

/// Most lines of a service's output at once.
const MOST_LINES: u32 = 10_000;
/// Longest operation, seconds.
const TIMEOUT_S: u32 = 10 * 60;

/// What is asked of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// Stop and start again.
    Restart,
    /// Stop; routes answer 503.
    Stop,
    /// Start again.
    Start,
    /// The last lines of its output.
    Logs {
        /// How many.
        lines: u32,
    },
}

/// Why an operation was not begun.
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// Not allowed.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Not there, or not theirs.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// A field cannot be used.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// Nothing of it runs.
    #[error("{0}")]
    WrongState(&'static str),
    /// The plan could not be made.
    #[error(transparent)]
    Plan(#[from] InvalidPlan),
    /// The run could not be made.
    #[error(transparent)]
    Create(#[from] CreateRunError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Asks something of a service, on every server where it is live.
pub async fn ask(
    app: &AppState,
    principal: &Principal,
    service: ServiceId,
    ask: Ask,
) -> Result<RunId, OperationError> {
    let access = principal.authorize(&app.store, Permission::RunsControl)?;
    if let Ask::Logs { lines } = ask
        && !(1..=MOST_LINES).contains(&lines)
    {
        return Err(InvalidField::new("lines", "must be between 1 and 10000").into());
    }
    let known = access.team.service(service).await?.ok_or(OperationError::NotFound("service"))?;
    let live = access.team.live_releases_of(service).await?;
    if live.is_empty() {
        return Err(OperationError::WrongState("nothing of this service is live; deploy it first"));
    }
    let operation = |release: &Release| match ask {
        Ask::Restart => Operation::Restart { service },
        Ask::Stop => Operation::Stop { service },
        Ask::Start => Operation::Start { service },
        Ask::Logs { lines } => Operation::Logs { service, lines, secrets: secrets_of(release) },
    };
    let title = format!("{} {}", verb(ask), known.name);
    start(app, &access, title, &live, operation).await
}

/// Brings back a release that its server recorded live: image and environment.
pub async fn rollback(
    app: &AppState,
    principal: &Principal,
    release: ReleaseId,
) -> Result<RunId, OperationError> {
    let access = principal.authorize(&app.store, Permission::RunsControl)?;
    let release = access.team.release(release).await?.ok_or(OperationError::NotFound("release"))?;
    if !release.can_come_back() {
        return Err(OperationError::WrongState(if release.state == ReleaseState::Retired {
            "its server keeps the last three releases that were live, and this one is older; deploy its commit again"
        } else {
            "only a release that was live before and is not live now can come back"
        }));
    }
    let title = format!("Roll back {}", release.spec.name);
    start(app, &access, title, std::slice::from_ref(&release), |release| Operation::Rollback {
        service: release.service,
        release: release.id,
        secrets: secrets_of(release),
    })
    .await
}

/// The releases of a service, newest first.
pub async fn releases(
    app: &AppState,
    principal: &Principal,
    service: ServiceId,
) -> Result<Vec<Release>, ReadError> {
    let access = principal.authorize(&app.store, Permission::ProjectsRead)?;
    access.team.service(service).await?.ok_or(ReadError::NotFound("service"))?;
    Ok(access.team.releases(service).await?)
}

async fn start(
    app: &AppState,
    access: &crate::services::principal::Access,
    title: String,
    on: &[Release],
    operation: impl Fn(&Release) -> Operation,
) -> Result<RunId, OperationError> {
    let project = on.first().map(|release| release.project).ok_or(OperationError::NotFound("release"))?;
    let mut parts = Vec::with_capacity(on.len());
    for release in on {
        let plan = plan(access.team.id(), release, operation(release), &title).to_bytes()?;
        parts.push(NewPart { server: release.server, plan, approval: None });
    }
    let mut tx = access.begin(app.now()).await?;
    let new = NewRun { project, kind: RunKind::Operation, title, commit: None, parts };
    let run = create(&mut tx, &app.signer, &app.ids, new).await?;
    tx.commit().await?;
    Ok(run)
}

fn plan(
    team: hydron_proto::ids::TeamId,
    release: &Release,
    operation: Operation,
    title: &str,
) -> PlanDocument {
    let server: ServerId = release.server;
    let risk = operation.risk();
    PlanDocument {
        version: PLAN_VERSION,
        kind: PlanKind::Operation,
        team,
        project: release.project,
        server,
        steps: vec![Step {
            title: title.to_owned(),
            phase: Phase::Deploy,
            service: Some(release.service),
            action: Action::Operate(operation),
            risk,
            timeout_s: TIMEOUT_S,
            on_interrupt: InterruptPolicy::CheckThenRerun,
            undo: Undo::None,
            after: Vec::new(),
            guarded: false,
            downtime_s: 0,
        }],
        mandates: Vec::new(),
        repair: RepairBounds { per_step: 0, per_run: 0 },
    }
}

fn secrets_of(release: &Release) -> Vec<SecretRef> {
    let mut secrets: Vec<SecretRef> = release.spec.env.iter().flat_map(EnvVar::secrets).cloned().collect();
    secrets.sort();
    secrets.dedup();
    secrets
}

fn verb(ask: Ask) -> &'static str {
    match ask {
        Ask::Restart => "Restart",
        Ask::Stop => "Stop",
        Ask::Start => "Start",
        Ask::Logs { .. } => "Read the output of",
    }
}
