//! Questions that wait for a person, wherever they came from.
//!
//! Rule: answering here is the same act as approving the plan itself; there is one way to say yes.

use hydron_domain::approval::{Approval, ApprovalRefused, ApprovalState, ApprovalSubject};
use hydron_proto::envelope::PlanDigest;
use hydron_proto::ids::{ApprovalId, RunId};
use hydron_store::audit::AuditDraft;
use hydron_store::events::EventDraft;
use serde_json::json;

use super::plans;
use super::principal::{Permission, Principal};
use super::refusal::Refusal;
use crate::app::AppState;

/// Approvals in a state, oldest first.
pub async fn list(
    app: &AppState,
    principal: &Principal,
    state: ApprovalState,
) -> Result<Vec<Approval>, Refusal> {
    let access = principal.authorize(&app.store, Permission::ProjectsRead)?;
    Ok(access.team.approvals(state, 200).await?)
}

/// Says yes to exactly what was shown.
pub async fn approve(
    app: &AppState,
    principal: &Principal,
    id: ApprovalId,
    shown: PlanDigest,
) -> Result<(Approval, Option<RunId>), Refusal> {
    let access = principal.authorize(&app.store, Permission::PlansWrite)?;
    let asked = access.team.approval(id).await?.ok_or(Refusal::NotFound("approval"))?;
    asked.approve(shown, app.now())?;
    let run = match asked.subject {
        ApprovalSubject::Infrastructure(plan) => {
            plans::approve_infrastructure(app, principal, plan, shown, None).await?.run
        }
        ApprovalSubject::Provisioning(plan) => {
            plans::approve_provisioning(app, principal, plan, shown).await?.run
        }
    };
    let answered = access.team.approval(id).await?.ok_or(Refusal::NotFound("approval"))?;
    Ok((answered, run))
}

/// Says no.
pub async fn decline(app: &AppState, principal: &Principal, id: ApprovalId) -> Result<Approval, Refusal> {
    let access = principal.authorize(&app.store, Permission::PlansWrite)?;
    let mut tx = access.begin(app.now()).await?;
    let asked = tx.approval(id).await?.ok_or(Refusal::NotFound("approval"))?;
    if asked.state != ApprovalState::Pending {
        return Err(ApprovalRefused::Decided(asked.state).into());
    }
    tx.decide_approval(id, ApprovalState::Declined).await?;
    tx.audit(AuditDraft::new("plan.declined", id, json!({ "subject": asked.subject.id() })));
    let data = json!({ "subject": asked.subject.id(), "state": ApprovalState::Declined });
    tx.event(EventDraft::new("approval.changed", id, data).in_project(asked.project));
    tx.commit().await?;
    access.team.approval(id).await?.ok_or(Refusal::NotFound("approval"))
}
