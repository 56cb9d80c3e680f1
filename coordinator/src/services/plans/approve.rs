//! Approving by digest: the infrastructure plan first, then every provisioning plan; the last one starts the run.
//!
//! Rule: the digest that the person saw must be the digest of the stored bytes, and the inputs must be what they were.

use std::collections::BTreeMap;

use hydron_domain::approval::{ApprovalState, ApprovalSubject};
use hydron_domain::infrastructure::{InfrastructureDocument, InfrastructurePlan, PlanRefused, PlanState};
use hydron_domain::provisioning::{self, ProvisioningPlan, ProvisioningState};
use hydron_domain::run::RunKind;
use hydron_proto::envelope::PlanDigest;
use hydron_proto::ids::{InfrastructurePlanId, ProvisioningPlanId, RunId};
use hydron_proto::plan::{Action, PlanDocument, Risk};
use hydron_store::TeamTx;
use hydron_store::audit::AuditDraft;
use hydron_store::events::EventDraft;
use serde_json::json;

use super::compose::ask;
use super::gather::gather;
use super::view::{self, PlanView, ProvisioningView};
use crate::app::AppState;
use crate::services::principal::{Permission, Principal};
use crate::services::refusal::Refusal;
use crate::services::runs::{self, NewPart, NewRun};

/// What came out of an approval.
#[derive(Debug, Clone)]
pub struct Approved<V> {
    /// The plan afterwards.
    pub plan: V,
    /// The run that it started, if it was the last approval.
    pub run: Option<RunId>,
}

/// Whether one yes covers everything: the digests of the provisioning plans that were shown with it.
#[derive(Debug, Clone, Default)]
pub struct Start {
    /// Digest that was shown, by provisioning plan.
    pub provisioning: BTreeMap<ProvisioningPlanId, PlanDigest>,
}

/// Says yes to an infrastructure plan; with `start`, to its provisioning plans too, and begins.
pub async fn approve_infrastructure(
    app: &AppState,
    principal: &Principal,
    id: InfrastructurePlanId,
    shown: PlanDigest,
    start: Option<&Start>,
) -> Result<Approved<PlanView>, Refusal> {
    let access = principal.authorize(&app.store, Permission::PlansWrite)?;
    let mut tx = access.begin(app.now()).await?;
    let plan = open_plan(&mut tx, id).await?;
    let now =
        gather(app, &access.team, &mut tx, plan.project, &plan.servers).await?.digests(&app.config.zone);
    let state = plan.approve(shown, &now)?;
    let document: InfrastructureDocument = serde_json::from_slice(&plan.document)?;
    principal.may_approve(document.risk)?;
    let from = plan.state;
    let plan = InfrastructurePlan { state, approved_at: Some(tx.now()), ..plan };
    tx.save_infrastructure_plan(&plan, from).await?;
    decide(app, &mut tx, ApprovalSubject::Infrastructure(id), &plan, shown, document.risk).await?;
    let mut parts = Vec::new();
    for part in tx.provisioning_plans(id).await? {
        parts.push(make_ready(app, &mut tx, part).await?);
    }
    let mut run = None;
    if let Some(start) = start {
        for part in parts {
            let shown = start.provisioning.get(&part.id).copied().ok_or(PlanRefused::DigestMismatch)?;
            say_yes(app, principal, &mut tx, part, shown, &plan).await?;
        }
        run = Some(begin(app, &mut tx, plan).await?);
    }
    tx.commit().await?;
    Ok(Approved { plan: view::read(app, &access.team, id).await?, run })
}

/// Says yes to a provisioning plan; the last one begins the run.
pub async fn approve_provisioning(
    app: &AppState,
    principal: &Principal,
    id: ProvisioningPlanId,
    shown: PlanDigest,
) -> Result<Approved<ProvisioningView>, Refusal> {
    let access = principal.authorize(&app.store, Permission::PlansWrite)?;
    let mut tx = access.begin(app.now()).await?;
    let part = tx.provisioning_plan(id).await?.ok_or(Refusal::NotFound("provisioning plan"))?;
    let plan = open_plan(&mut tx, part.infrastructure).await?;
    // The lock is held now; what was read before it may have been old.
    let part = tx.provisioning_plan(id).await?.ok_or(Refusal::NotFound("provisioning plan"))?;
    if plan.state != PlanState::Approved || plan.run.is_some() {
        let refused = if plan.state == PlanState::Stale {
            PlanRefused::Stale(plan.stale_reasons)
        } else {
            PlanRefused::WrongState(plan.state)
        };
        return Err(refused.into());
    }
    let now =
        gather(app, &access.team, &mut tx, plan.project, &plan.servers).await?.digests(&app.config.zone);
    let changes = plan.inputs.changes(&now);
    if !changes.is_empty() {
        return Err(PlanRefused::Stale(changes).into());
    }
    say_yes(app, principal, &mut tx, part, shown, &plan).await?;
    let siblings = tx.provisioning_plans(plan.id).await?;
    let all = siblings.iter().all(|part| part.state == ProvisioningState::Approved);
    let run = if all { Some(begin(app, &mut tx, plan).await?) } else { None };
    tx.commit().await?;
    Ok(Approved { plan: view::read_provisioning(&access.team, id).await?, run })
}

/// The plan, read again under the project's lock.
async fn open_plan(tx: &mut TeamTx, id: InfrastructurePlanId) -> Result<InfrastructurePlan, Refusal> {
    let plan = tx.infrastructure_plan(id).await?.ok_or(Refusal::NotFound("plan"))?;
    if !tx.lock_project(plan.project).await? {
        return Err(Refusal::NotFound("plan"));
    }
    tx.infrastructure_plan(id).await?.ok_or(Refusal::NotFound("plan"))
}

async fn make_ready(
    app: &AppState,
    tx: &mut TeamTx,
    part: ProvisioningPlan,
) -> Result<ProvisioningPlan, Refusal> {
    let from = part.state;
    let ready = ProvisioningPlan { state: ProvisioningState::Ready, ..part };
    tx.save_provisioning_plan(&ready, from).await?;
    let risk = provisioning::risk(&PlanDocument::from_bytes(&ready.document)?);
    let subject = ApprovalSubject::Provisioning(ready.id);
    tx.void_approvals(subject).await?;
    ask(app, tx, ready.project, subject, ready.digest(), risk).await?;
    Ok(ready)
}

async fn say_yes(
    app: &AppState,
    principal: &Principal,
    tx: &mut TeamTx,
    part: ProvisioningPlan,
    shown: PlanDigest,
    plan: &InfrastructurePlan,
) -> Result<(), Refusal> {
    let state = part.approve(shown)?;
    let risk = provisioning::risk(&PlanDocument::from_bytes(&part.document)?);
    principal.may_approve(risk)?;
    let from = part.state;
    let part = ProvisioningPlan { state, ..part };
    tx.save_provisioning_plan(&part, from).await?;
    decide(app, tx, ApprovalSubject::Provisioning(part.id), plan, shown, risk).await
}

/// Answers the question about a subject; asks it first when the old question has ended.
async fn decide(
    app: &AppState,
    tx: &mut TeamTx,
    subject: ApprovalSubject,
    plan: &InfrastructurePlan,
    shown: PlanDigest,
    risk: Risk,
) -> Result<(), Refusal> {
    let now = tx.now();
    let asked = tx.approval_of(subject).await?.filter(|asked| asked.approve(shown, now).is_ok());
    let asked = match asked {
        Some(asked) => asked,
        None => ask(app, tx, plan.project, subject, shown, risk).await?,
    };
    asked.approve(shown, now)?;
    tx.decide_approval(asked.id, ApprovalState::Approved).await?;
    let detail = json!({ "subject": subject.id(), "digest": shown.to_string(), "risk": risk });
    tx.audit(AuditDraft::new("plan.approved", asked.id, detail));
    let data = json!({ "subject": subject.id(), "state": ApprovalState::Approved });
    tx.event(EventDraft::new("approval.changed", asked.id, data).in_project(plan.project));
    let data = json!({ "state": "approved", "digest": shown.to_string() });
    tx.event(EventDraft::new("plan.changed", subject.id(), data).in_project(plan.project));
    Ok(())
}

/// Signs and starts the run of a fully approved plan.
async fn begin(app: &AppState, tx: &mut TeamTx, plan: InfrastructurePlan) -> Result<RunId, Refusal> {
    let project = tx.project(plan.project).await?.ok_or(Refusal::NotFound("project"))?;
    let mut parts = Vec::new();
    let mut commit = None;
    for part in tx.provisioning_plans(plan.id).await? {
        let approval = tx.approval_of(ApprovalSubject::Provisioning(part.id)).await?;
        let document = PlanDocument::from_bytes(&part.document)?;
        commit = commit.or_else(|| commit_of(&document));
        parts.push(NewPart {
            server: part.server,
            plan: part.document,
            approval: approval.map(|approval| approval.id),
        });
    }
    let title = format!("Deploy {}", project.name);
    let new = NewRun { project: project.id, kind: RunKind::Deploy, title, commit, parts };
    let run = runs::create(tx, &app.signer, &app.ids, new).await?;
    let from = plan.state;
    let plan = InfrastructurePlan { state: PlanState::Executing, run: Some(run), ..plan };
    tx.save_infrastructure_plan(&plan, from).await?;
    Ok(run)
}

/// The commit that a plan deploys.
pub(in crate::services) fn commit_of(document: &PlanDocument) -> Option<String> {
    document.steps.iter().find_map(|step| {
        if let Action::GitCheckout(checkout) = &step.action {
            Some(checkout.commit.to_string())
        } else {
            None
        }
    })
}
