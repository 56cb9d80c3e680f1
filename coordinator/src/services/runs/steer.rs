//! Steering: pause, resume, stop, retry, and the answer to an unknown outcome.
//!
//! Rule: each is a change of what is wanted, with its audit row; it takes effect at the next step boundary.

use hydron_domain::run::{NotNow, Resolution, RunPart, RunState};
use hydron_proto::ids::{RunId, ServerId};
use hydron_store::audit::AuditDraft;
use hydron_store::events::EventDraft;
use hydron_store::runs::LoadedRun;
use hydron_store::{StoreError, Topic, Wake};
use serde_json::{Value, json};

use crate::app::AppState;
use crate::services::principal::{Denied, Permission, Principal};

/// Why a run could not be steered so.
#[derive(Debug, thiserror::Error)]
pub enum SteerError {
    /// Not allowed.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Not there, or not theirs.
    #[error("there is no such run")]
    NotFound,
    /// Its state does not allow it.
    #[error(transparent)]
    NotNow(#[from] NotNow),
    /// One run at a time changes a project.
    #[error("another run of this project is going on; wait for it or stop it first")]
    Busy,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The run waits after the step that is running.
pub async fn pause(app: &AppState, principal: &Principal, run: RunId) -> Result<(), SteerError> {
    change(app, principal, run, "run.paused", Value::Null, |loaded, _, _| loaded.run.head.pause()).await
}

/// The run goes on.
pub async fn resume(app: &AppState, principal: &Principal, run: RunId) -> Result<(), SteerError> {
    change(app, principal, run, "run.resumed", Value::Null, |loaded, _, now| loaded.run.head.resume(now))
        .await
}

/// The run ends after the step that is running.
pub async fn stop(app: &AppState, principal: &Principal, run: RunId) -> Result<(), SteerError> {
    change(app, principal, run, "run.stopped", Value::Null, |loaded, _, _| loaded.run.head.stop()).await
}

/// Failed steps get another attempt.
pub async fn retry(
    app: &AppState,
    principal: &Principal,
    run: RunId,
    step: Option<u32>,
) -> Result<(), SteerError> {
    change(app, principal, run, "run.retried", json!({ "step": step }), move |loaded, parts, now| {
        loaded.run.finished_at = None;
        loaded.run.head.retry(parts, step, now)
    })
    .await
}

/// A person knows, or decides, how a step ended.
pub async fn resolve(
    app: &AppState,
    principal: &Principal,
    run: RunId,
    server: ServerId,
    step: u32,
    resolution: Resolution,
) -> Result<(), SteerError> {
    let detail = json!({ "server": server, "step": step, "decision": resolution });
    change(app, principal, run, "run.resolved", detail, move |loaded, parts, _| {
        loaded.run.head.resolve(parts, server, step, resolution)
    })
    .await
}

async fn change(
    app: &AppState,
    principal: &Principal,
    run: RunId,
    action: &'static str,
    detail: Value,
    apply: impl FnOnce(&mut LoadedRun, &mut [RunPart], i64) -> Result<(), NotNow>,
) -> Result<(), SteerError> {
    let access = principal.authorize(&app.store, Permission::RunsControl)?;
    let now = app.now();
    let mut tx = access.begin(now).await?;
    let before = tx.run_for_update(run).await?.ok_or(SteerError::NotFound)?;
    let mut after = before.clone();
    let mut parts = after.pure_parts();
    apply(&mut after, &mut parts, now)?;
    // A failed run stood in nobody's way; taken up again, it would.
    if is_failed(&before) && !is_failed(&after) {
        let project = after.run.project;
        if !tx.lock_project(project).await? {
            return Err(SteerError::NotFound);
        }
        if tx.run_going_on(project, Some(run)).await?.is_some() {
            return Err(SteerError::Busy);
        }
    }
    after.set_pure_parts(parts);
    tx.save_run(&before, &after).await?;
    let event = json!({ "state": after.run.head.state.word(), "wish": after.run.head.wish });
    tx.event(EventDraft::new("run.changed", run, event).in_project(after.run.project));
    tx.audit(AuditDraft::new(action, run, detail));
    tx.wake(Wake::new(Topic::Work, run));
    tx.commit().await?;
    Ok(())
}

fn is_failed(loaded: &LoadedRun) -> bool {
    matches!(loaded.run.head.state, RunState::Failed(_))
}
