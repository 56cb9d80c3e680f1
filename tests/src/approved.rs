//! Approved runs, put into a coordinator's own store by its own signer.
//!
//! Rule: what is put in is what an approval through the interface leaves behind: an approval of the very bytes, a signed
//! envelope, a run. No plan of the product has steps that count themselves or do nothing, so no request could ask for these.

use std::path::Path;
use std::sync::Arc;

use hydron_coordinator::app::AppState;
use hydron_coordinator::clock::{SystemClock, SystemEntropy};
use hydron_coordinator::config::Settings;
use hydron_coordinator::services::runs::{NewPart, NewRun, create};
use hydron_domain::approval::{Approval, ApprovalState, ApprovalSubject};
use hydron_domain::identity::Actor;
use hydron_domain::run::RunKind;
use hydron_proto::envelope::PlanDigest;
use hydron_proto::ids::{ApprovalId, ProjectId, ProvisioningPlanId, RunId, ServerId, TeamId};
use hydron_proto::plan::{
    Action, InterruptPolicy, Phase, PlanDocument, PlanKind, RepairBounds, Risk, Shell, Step, Undo,
};
use hydron_store::Store;

/// The store and the keys of a stopped coordinator; `app.store.close()` lets them go.
pub async fn opened(data_dir: &Path, database_url: Option<String>) -> anyhow::Result<AppState> {
    let settings = Settings { data_dir: Some(data_dir.to_owned()), database_url, ..Settings::default() };
    let config = settings.check(None)?;
    let store = Store::open(&config.database).await?;
    Ok(AppState::build(config, store, Arc::new(SystemClock), Arc::new(SystemEntropy))?)
}

/// A plan of these steps.
pub fn plan(team: TeamId, project: ProjectId, server: ServerId, steps: Vec<Step>) -> PlanDocument {
    PlanDocument {
        version: 1,
        kind: PlanKind::Provisioning,
        team,
        project,
        server,
        steps,
        mandates: vec![],
        repair: RepairBounds { per_step: 0, per_run: 0 },
    }
}

/// What is asked of a person about these very bytes.
pub fn request(app: &AppState, project: ProjectId, plan: &[u8]) -> Approval {
    Approval {
        id: app.ids.next(ApprovalId::new),
        project,
        subject: ApprovalSubject::Provisioning(app.ids.next(ProvisioningPlanId::new)),
        digest: PlanDigest::of(plan),
        risk: Risk::R3,
        state: ApprovalState::Pending,
        requested_at: app.now(),
        decided_at: None,
        decided_by: None,
    }
}

/// Stores a person's yes to each of these plans, and makes the run of all of them.
pub async fn run(
    app: &AppState,
    actor: &Actor,
    (team, project): (TeamId, ProjectId),
    (title, plans): (&str, Vec<PlanDocument>),
) -> anyhow::Result<RunId> {
    let mut tx = app.store.team(team).begin(actor, app.now()).await?;
    let mut parts = Vec::new();
    for plan in plans {
        let bytes = plan.to_bytes()?;
        let approval = request(app, project, &bytes);
        tx.insert_approval(&approval).await?;
        tx.decide_approval(approval.id, ApprovalState::Approved).await?;
        parts.push(NewPart { server: plan.server, plan: bytes, approval: Some(approval.id) });
    }
    let new = NewRun { project, kind: RunKind::Deploy, title: title.to_owned(), commit: None, parts };
    let run = create(&mut tx, &app.signer, &app.ids, new).await?;
    tx.commit().await?;
    Ok(run)
}

/// A step that runs a script, and may be begun again.
pub fn shell_step(script: &str) -> Step {
    let action = Action::Shell(Shell { script: script.to_owned(), env: vec![], expect: vec![0] });
    Step {
        title: "Measured".to_owned(),
        phase: Phase::Provisioning,
        service: None,
        risk: action.risk(),
        action,
        timeout_s: 300,
        on_interrupt: InterruptPolicy::Rerun,
        undo: Undo::None,
        after: vec![],
        guarded: false,
        downtime_s: 0,
    }
}
