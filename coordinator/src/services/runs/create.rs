//! Making a run: signs every part and stores run, steps, announced releases, event and audit row in one transaction.

use hydron_domain::release::ReleaseState;
use hydron_domain::run::{Run, RunKind, StepRules};
use hydron_proto::ids::{ApprovalId, ProjectId, RunId, ServerId};
use hydron_proto::plan::{Action, PlanDocument, Risk};
use hydron_store::audit::AuditDraft;
use hydron_store::events::EventDraft;
use hydron_store::releases::Release;
use hydron_store::runs::{NewRunPart, NewRunStep, StoredRun};
use hydron_store::{StoreError, TeamTx, Topic, Wake};
use serde_json::json;

use crate::clock::Ids;
use crate::keys::signer::{SignError, SignRequest, SignedPlan, Signer};

/// A run to be made.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// Its project.
    pub project: ProjectId,
    /// What allows it.
    pub kind: RunKind,
    /// What a person reads, e.g. "Deploy corkboard".
    pub title: String,
    /// The commit it deploys, if one.
    pub commit: Option<String>,
    /// One a server.
    pub parts: Vec<NewPart>,
}

/// One server's part.
#[derive(Debug, Clone)]
pub struct NewPart {
    /// Which server.
    pub server: ServerId,
    /// The plan document, exactly as it was approved.
    pub plan: Vec<u8>,
    /// The approval it rests on; a provisioning plan needs one.
    pub approval: Option<ApprovalId>,
}

/// Why no run was made.
#[derive(Debug, thiserror::Error)]
pub enum CreateRunError {
    /// No part, or two for one server.
    #[error("a run needs one part for each of its servers")]
    Parts,
    /// The project is not there any more.
    #[error("there is no such project")]
    NoProject,
    /// One at a time.
    #[error("a run of this project is going on; wait for it or stop it first")]
    Busy,
    /// The signer refused.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a run in the caller's transaction; the actor of the transaction is who asked. The driver finds it by itself.
/// One run at a time changes a project; runs that only look may go beside it.
pub async fn create(
    tx: &mut TeamTx,
    signer: &Signer,
    ids: &Ids,
    new: NewRun,
) -> Result<RunId, CreateRunError> {
    let mut servers: Vec<ServerId> = new.parts.iter().map(|part| part.server).collect();
    servers.sort_unstable();
    servers.dedup();
    if servers.is_empty() || servers.len() != new.parts.len() {
        return Err(CreateRunError::Parts);
    }
    if !tx.lock_project(new.project).await? {
        return Err(CreateRunError::NoProject);
    }
    let id = ids.next(RunId::new);
    let mut signed = Vec::with_capacity(new.parts.len());
    for part in &new.parts {
        let request = SignRequest {
            run: id,
            project: new.project,
            server: part.server,
            plan: &part.plan,
            approval: part.approval,
        };
        signed.push(signer.sign(tx, request, *ids.secret::<16>()).await?);
    }
    let run = StoredRun {
        id,
        project: new.project,
        kind: new.kind,
        looks: new.kind == RunKind::Operation && signed.iter().all(only_looks),
        title: new.title,
        head: Run::new(tx.now()),
        commit: new.commit,
        url: None,
        requested_by: tx.actor().id(),
        requested_by_name: tx.actor().name(),
        created_at: tx.now(),
        finished_at: None,
    };
    if !run.looks && tx.run_going_on(run.project, None).await?.is_some() {
        return Err(CreateRunError::Busy);
    }
    let parts: Vec<NewRunPart> =
        new.parts.iter().zip(&signed).map(|(part, plan)| stored(part, plan)).collect();
    tx.insert_run(&run, &parts).await?;
    for (part, plan) in new.parts.iter().zip(&signed) {
        announce_releases(tx, &run, part.server, &plan.plan).await?;
    }
    let servers: Vec<String> = servers.iter().map(ServerId::to_string).collect();
    let event = json!({ "state": run.head.state.word(), "kind": run.kind, "title": run.title });
    tx.event(EventDraft::new("run.changed", run.id, event).in_project(run.project));
    let digests: Vec<String> = signed.iter().map(|plan| plan.digest.to_string()).collect();
    let detail = json!({ "kind": run.kind, "title": run.title, "servers": servers, "digests": digests });
    tx.audit(AuditDraft::new("run.started", run.id, detail));
    tx.wake(Wake::new(Topic::Work, run.id));
    Ok(run.id)
}

fn only_looks(signed: &SignedPlan) -> bool {
    signed.plan.steps.iter().all(|step| step.action.risk() == Risk::R0)
}

fn stored(part: &NewPart, signed: &SignedPlan) -> NewRunPart {
    let steps = signed.plan.steps.iter().map(|step| NewRunStep {
        title: step.title.clone(),
        service: step.service,
        kind: step.action.kind(),
        rules: StepRules::from(step),
    });
    NewRunPart {
        server: part.server,
        digest: signed.digest.to_string(),
        approval: part.approval,
        envelope: signed.envelope.clone(),
        sequence: signed.sequence,
        steps: steps.collect(),
    }
}

/// Every release step announces a release: it is there from the start, and its end is told by the agent.
async fn announce_releases(
    tx: &mut TeamTx,
    run: &StoredRun,
    server: ServerId,
    plan: &PlanDocument,
) -> Result<(), StoreError> {
    for (step, index) in plan.steps.iter().zip(0..) {
        let Action::Release(spec) = &step.action else { continue };
        let release = Release {
            id: spec.release,
            project: run.project,
            service: spec.service,
            server,
            run: run.id,
            step: index,
            state: ReleaseState::Building,
            spec: spec.clone(),
            commit: None,
            tree_hash: None,
            config_digest: None,
            image_id: None,
            created_at: run.created_at,
            live_since: None,
            retired_at: None,
            retired_since: 0,
        };
        tx.insert_release(&release).await?;
    }
    Ok(())
}
