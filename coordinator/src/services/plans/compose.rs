//! Making a plan: documents, generated secrets, announced releases and the question to a person, in one transaction.
//!
//! Rule: a newer plan replaces open ones of the same project.

use std::collections::{BTreeMap, BTreeSet};

use hydron_domain::approval::{Approval, ApprovalState, ApprovalSubject};
use hydron_domain::infrastructure::{InfrastructureDocument, InfrastructurePlan, PlanState};
use hydron_domain::planning::{Blueprint, plan as make_plan};
use hydron_domain::provisioning::{ProvisioningPlan, ProvisioningState};
use hydron_proto::envelope::PlanDigest;
use hydron_proto::ids::{
    ApprovalId, InfrastructurePlanId, ProjectId, ProvisioningPlanId, ReleaseId, ServerId, ServiceId,
};
use hydron_proto::plan::Risk;
use hydron_store::audit::AuditDraft;
use hydron_store::events::EventDraft;
use hydron_store::{TeamStore, TeamTx};
use serde_json::json;

use super::gather::{gather, make_stale};
use super::view::{self, PlanView};
use crate::app::AppState;
use crate::services::input::InvalidField;
use crate::services::principal::{Permission, Principal};
use crate::services::refusal::Refusal;
use crate::services::secrets;

/// Makes a plan for the accepted services on these servers, or on any of the team's.
pub async fn create(
    app: &AppState,
    principal: &Principal,
    project: ProjectId,
    servers: &[ServerId],
) -> Result<PlanView, Refusal> {
    let access = principal.authorize(&app.store, Permission::PlansWrite)?;
    let known = access.team.servers().await?;
    if let Some(unknown) = servers.iter().find(|id| !known.iter().any(|server| server.id == **id)) {
        return Err(InvalidField::unknown("server_ids", format!("there is no server {unknown}")).into());
    }
    let mut tx = access.begin(app.now()).await?;
    if !tx.lock_project(project).await? {
        return Err(Refusal::NotFound("project"));
    }
    let id = compose(app, &access.team, &mut tx, project, servers, BTreeMap::new(), None).await?;
    tx.commit().await?;
    view::read(app, &access.team, id).await
}

/// Makes a plan, or makes `again` anew with other wishes.
pub(in crate::services) async fn compose(
    app: &AppState,
    team: &TeamStore,
    tx: &mut TeamTx,
    project: ProjectId,
    servers: &[ServerId],
    placement: BTreeMap<ServiceId, ServerId>,
    again: Option<InfrastructurePlan>,
) -> Result<InfrastructurePlanId, Refusal> {
    let mut gathered = gather(app, team, tx, project, servers).await?;
    let zone = &app.config.zone;
    let mut new_release = || app.ids.next(ReleaseId::new);
    let blueprint = make_plan(&gathered.planning(zone, &placement, tx.now()), &mut new_release)?;
    let used: BTreeSet<ServerId> = blueprint.provisioning.iter().map(|plan| plan.server).collect();
    gathered.servers.retain(|server| used.contains(&server.id));
    let document = serde_json::to_vec(&blueprint.infrastructure)?;
    for open in tx.infrastructure_plans(project, 10).await? {
        let same = again.as_ref().is_some_and(|plan| plan.id == open.id);
        if !same && open.run.is_none() && !matches!(open.state, PlanState::Stale | PlanState::Completed) {
            make_stale(tx, open, vec!["a newer plan was made".to_owned()]).await?;
        }
    }
    let plan = InfrastructurePlan {
        id: again.as_ref().map_or_else(|| app.ids.next(InfrastructurePlanId::new), |plan| plan.id),
        project,
        state: PlanState::Ready,
        stale_reasons: Vec::new(),
        document,
        inputs: gathered.digests(zone),
        servers: used.into_iter().collect(),
        placement,
        run: None,
        created_at: again.as_ref().map_or(tx.now(), |plan| plan.created_at),
        approved_at: None,
    };
    match &again {
        None => tx.insert_infrastructure_plan(&plan).await?,
        Some(before) => {
            tx.save_infrastructure_plan(&plan, before.state).await?;
            tx.void_approvals(ApprovalSubject::Infrastructure(plan.id)).await?;
            tx.retire_provisioning_plans(plan.id).await?;
        }
    }
    keep_parts(app, tx, &plan, &blueprint).await?;
    let digest = plan.digest();
    ask(app, tx, project, ApprovalSubject::Infrastructure(plan.id), digest, blueprint.infrastructure.risk)
        .await?;
    let data = json!({ "state": plan.state, "digest": digest.to_string() });
    tx.event(EventDraft::new("plan.changed", plan.id, data).in_project(project));
    let detail = json!({ "digest": digest.to_string(), "servers": plan.servers, "version": InfrastructureDocument::VERSION });
    tx.audit(AuditDraft::new("plan.created", plan.id, detail));
    Ok(plan.id)
}

/// Stores what belongs to a plan: its provisioning plans, generated secrets and announced releases.
async fn keep_parts(
    app: &AppState,
    tx: &mut TeamTx,
    plan: &InfrastructurePlan,
    blueprint: &Blueprint,
) -> Result<(), Refusal> {
    for generated in &blueprint.generated {
        let value = secrets::generate(&app.ids, generated.recipe);
        let (team, entropy) = (tx.team(), app.ids.entropy());
        let sealed = secrets::seal(&app.kek, entropy, team, plan.project, &generated.secret, &value)?;
        tx.insert_secret(plan.project, &generated.secret, &sealed, true).await?;
    }
    for document in &blueprint.provisioning {
        let provisioning = ProvisioningPlan {
            id: app.ids.next(ProvisioningPlanId::new),
            project: plan.project,
            infrastructure: plan.id,
            server: document.server,
            state: ProvisioningState::Draft,
            document: document.to_bytes()?,
            created_at: tx.now(),
            updated_at: tx.now(),
        };
        tx.insert_provisioning_plan(&provisioning).await?;
    }
    Ok(tx.insert_planned_releases(plan.project, &blueprint.releases).await?)
}

/// Asks a person about these bytes.
pub(super) async fn ask(
    app: &AppState,
    tx: &mut TeamTx,
    project: ProjectId,
    subject: ApprovalSubject,
    digest: PlanDigest,
    risk: Risk,
) -> Result<Approval, Refusal> {
    let approval = Approval {
        id: app.ids.next(ApprovalId::new),
        project,
        subject,
        digest,
        risk,
        state: ApprovalState::Pending,
        requested_at: tx.now(),
        decided_at: None,
        decided_by: None,
    };
    tx.insert_approval(&approval).await?;
    Ok(approval)
}
