//! Plans as a person sees them: the document, its provisioning plans, its state now.
//!
//! Rule: shown from the stored bytes; staleness and progress are worked out at the moment of looking.

use hydron_domain::infrastructure::{InfrastructureDocument, InfrastructurePlan, PlanState};
use hydron_domain::provisioning::ProvisioningPlan;
use hydron_domain::run::RunState;
use hydron_proto::ids::{InfrastructurePlanId, ProjectId, ProvisioningPlanId};
use hydron_proto::plan::PlanDocument;
use hydron_store::TeamStore;

use super::gather::gather;
use crate::app::AppState;
use crate::services::principal::{Permission, Principal};
use crate::services::refusal::Refusal;

/// A plan with its parts.
#[derive(Debug, Clone)]
pub struct PlanView {
    /// The plan; state and reasons are those of now.
    pub plan: InfrastructurePlan,
    /// Its document, decoded.
    pub document: InfrastructureDocument,
    /// One a server.
    pub provisioning: Vec<ProvisioningView>,
}

/// A provisioning plan, decoded.
#[derive(Debug, Clone)]
pub struct ProvisioningView {
    /// The plan.
    pub plan: ProvisioningPlan,
    /// Its document, decoded.
    pub document: PlanDocument,
    /// Secrets it names that Hydron made itself.
    pub generated: Vec<hydron_proto::names::SecretName>,
}

/// One plan.
pub async fn get(
    app: &AppState,
    principal: &Principal,
    id: InfrastructurePlanId,
) -> Result<PlanView, Refusal> {
    let access = principal.authorize(&app.store, Permission::ProjectsRead)?;
    read(app, &access.team, id).await
}

/// A project's plans, newest first.
pub async fn list(
    app: &AppState,
    principal: &Principal,
    project: ProjectId,
) -> Result<Vec<PlanView>, Refusal> {
    let access = principal.authorize(&app.store, Permission::ProjectsRead)?;
    access.team.project(project).await?.ok_or(Refusal::NotFound("project"))?;
    let mut views = Vec::new();
    for plan in access.team.infrastructure_plans(project, 20).await? {
        views.push(view(app, &access.team, plan).await?);
    }
    Ok(views)
}

/// The provisioning plans of a plan.
pub async fn provisioning(
    app: &AppState,
    principal: &Principal,
    id: InfrastructurePlanId,
) -> Result<Vec<ProvisioningView>, Refusal> {
    Ok(get(app, principal, id).await?.provisioning)
}

/// One provisioning plan.
pub async fn get_provisioning(
    app: &AppState,
    principal: &Principal,
    id: ProvisioningPlanId,
) -> Result<ProvisioningView, Refusal> {
    let access = principal.authorize(&app.store, Permission::ProjectsRead)?;
    read_provisioning(&access.team, id).await
}

pub(in crate::services) async fn read_provisioning(
    team: &TeamStore,
    id: ProvisioningPlanId,
) -> Result<ProvisioningView, Refusal> {
    let plan = team.provisioning_plan(id).await?.ok_or(Refusal::NotFound("provisioning plan"))?;
    provisioning_view(team, plan).await
}

pub(in crate::services) async fn read(
    app: &AppState,
    team: &TeamStore,
    id: InfrastructurePlanId,
) -> Result<PlanView, Refusal> {
    let plan = team.infrastructure_plan(id).await?.ok_or(Refusal::NotFound("plan"))?;
    team.project(plan.project).await?.ok_or(Refusal::NotFound("plan"))?;
    view(app, team, plan).await
}

async fn view(app: &AppState, team: &TeamStore, plan: InfrastructurePlan) -> Result<PlanView, Refusal> {
    let plan = as_of_now(app, team, plan).await?;
    let document = serde_json::from_slice(&plan.document)?;
    let mut provisioning = Vec::new();
    for part in team.provisioning_plans(plan.id).await? {
        provisioning.push(provisioning_view(team, part).await?);
    }
    Ok(PlanView { plan, document, provisioning })
}

async fn provisioning_view(team: &TeamStore, plan: ProvisioningPlan) -> Result<ProvisioningView, Refusal> {
    let document = PlanDocument::from_bytes(&plan.document)?;
    let generated = team.secret_versions(plan.project).await?;
    let generated = generated.into_iter().filter(|(_, _, ours)| *ours).map(|(name, _, _)| name).collect();
    Ok(ProvisioningView { plan, document, generated })
}

/// The plan with the state that its run and its inputs give it now.
async fn as_of_now(
    app: &AppState,
    team: &TeamStore,
    plan: InfrastructurePlan,
) -> Result<InfrastructurePlan, Refusal> {
    if let Some(run) = plan.run {
        let run = team.run(run).await?;
        let state = match run.map(|run| run.head.state) {
            Some(RunState::Completed) => PlanState::Completed,
            Some(RunState::Started | RunState::InProgress | RunState::Paused) => PlanState::Executing,
            Some(RunState::Failed(_) | RunState::Stopped) => PlanState::Approved,
            None => plan.state,
        };
        return Ok(InfrastructurePlan { state, ..plan });
    }
    let open = match plan.state {
        PlanState::Draft | PlanState::Ready | PlanState::Approved => true,
        PlanState::Executing | PlanState::Completed | PlanState::Stale => false,
    };
    if !open {
        return Ok(plan);
    }
    let now =
        gather(app, team, &mut team.clone(), plan.project, &plan.servers).await?.digests(&app.config.zone);
    let stale_reasons = plan.staleness(&now);
    let state = if stale_reasons.is_empty() { plan.state } else { PlanState::Stale };
    Ok(InfrastructurePlan { state, stale_reasons, ..plan })
}
