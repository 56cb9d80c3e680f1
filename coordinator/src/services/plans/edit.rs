//! Changing plans before they run: where services go, and what single steps do.
//!
//! Rule: changed bytes have a new digest; every earlier yes to them is void.

use std::collections::BTreeMap;

use hydron_domain::approval::ApprovalSubject;
use hydron_domain::infrastructure::{PlanRefused, PlanState};
use hydron_domain::planning::{StepEdit, edit_steps};
use hydron_domain::provisioning::{self, ProvisioningPlan, ProvisioningState};
use hydron_proto::ids::{InfrastructurePlanId, ProvisioningPlanId, ServerId, ServiceId};
use hydron_proto::plan::PlanDocument;
use hydron_store::audit::AuditDraft;
use hydron_store::events::EventDraft;
use serde_json::json;

use super::compose::{ask, compose};
use super::view::{self, PlanView, ProvisioningView};
use crate::app::AppState;
use crate::services::principal::{Permission, Principal};
use crate::services::refusal::Refusal;

/// Makes the plan again with these wishes about where services go.
pub async fn place(
    app: &AppState,
    principal: &Principal,
    id: InfrastructurePlanId,
    wishes: BTreeMap<ServiceId, ServerId>,
) -> Result<PlanView, Refusal> {
    let access = principal.authorize(&app.store, Permission::PlansWrite)?;
    let mut tx = access.begin(app.now()).await?;
    let plan = tx.infrastructure_plan(id).await?.ok_or(Refusal::NotFound("plan"))?;
    if !tx.lock_project(plan.project).await? {
        return Err(Refusal::NotFound("plan"));
    }
    plan.check_editable()?;
    let mut placement = plan.placement.clone();
    placement.extend(wishes);
    // Every enrolled server may be wished for, not only those that the plan uses now.
    compose(app, &access.team, &mut tx, plan.project, &[], placement, Some(plan)).await?;
    tx.commit().await?;
    view::read(app, &access.team, id).await
}

/// Changes steps of a provisioning plan.
pub async fn edit_provisioning(
    app: &AppState,
    principal: &Principal,
    id: ProvisioningPlanId,
    edits: &[StepEdit],
) -> Result<ProvisioningView, Refusal> {
    let access = principal.authorize(&app.store, Permission::PlansWrite)?;
    let mut tx = access.begin(app.now()).await?;
    let part = tx.provisioning_plan(id).await?.ok_or(Refusal::NotFound("provisioning plan"))?;
    if !tx.lock_project(part.project).await? {
        return Err(Refusal::NotFound("provisioning plan"));
    }
    part.check_editable()?;
    let plan = tx.infrastructure_plan(part.infrastructure).await?.ok_or(Refusal::NotFound("plan"))?;
    match plan.state {
        PlanState::Draft | PlanState::Ready => {}
        PlanState::Approved if plan.run.is_none() => {}
        PlanState::Stale => return Err(PlanRefused::Stale(plan.stale_reasons).into()),
        state @ (PlanState::Approved | PlanState::Executing | PlanState::Completed) => {
            return Err(PlanRefused::WrongState(state).into());
        }
    }
    let edited = edit_steps(&PlanDocument::from_bytes(&part.document)?, edits)?;
    let state =
        if plan.state == PlanState::Approved { ProvisioningState::Ready } else { ProvisioningState::Draft };
    let from = part.state;
    let before = part.digest();
    let part = ProvisioningPlan { state, document: edited.to_bytes()?, ..part };
    tx.save_provisioning_plan(&part, from).await?;
    let subject = ApprovalSubject::Provisioning(id);
    tx.void_approvals(subject).await?;
    if state == ProvisioningState::Ready {
        ask(app, &mut tx, part.project, subject, part.digest(), provisioning::risk(&edited)).await?;
    }
    let indexes: Vec<u32> = edits.iter().map(|edit| edit.index).collect();
    let detail =
        json!({ "steps": indexes, "digest": part.digest().to_string(), "digest_before": before.to_string() });
    tx.audit(AuditDraft::new("plan.edited", id, detail));
    let data = json!({ "state": state, "digest": part.digest().to_string() });
    tx.event(EventDraft::new("plan.changed", id, data).in_project(part.project));
    tx.commit().await?;
    view::read_provisioning(&access.team, id).await
}
