//! An infrastructure plan in JSON, and how digests come in.

use hydron_domain::infrastructure::{Downtime, PlanState, PlannedServer};
use hydron_domain::provisioning::{self, ProvisioningState};
use hydron_proto::envelope::PlanDigest;
use hydron_proto::ids::{InfrastructurePlanId, ProjectId, ProvisioningPlanId, RunId, ServerId};
use hydron_proto::plan::Risk;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::AppState;
use crate::http::problem::Problem;
use crate::http::routes::runs::{RunBody, shown};
use crate::services::plans::PlanView;
use crate::services::plans::view::ProvisioningView;
use crate::services::principal::Principal;

/// Which servers, what runs where, and why.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InfrastructurePlan)]
pub(super) struct PlanBody {
    id: InfrastructurePlanId,
    project_id: ProjectId,
    state: PlanState,
    /// What changed since it was made, in words.
    stale_reasons: Vec<String>,
    /// What is approved.
    digest: String,
    /// Names everything it was made from.
    input_digest: String,
    servers: Vec<PlannedServer>,
    url: Option<String>,
    downtime: Vec<Downtime>,
    risk: Risk,
    /// What to know before saying yes.
    warnings: Vec<String>,
    run_id: Option<RunId>,
    created_at: i64,
    approved_at: Option<i64>,
    provisioning_plans: Vec<ProvisioningSummary>,
}

/// A provisioning plan, without its steps.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProvisioningPlanSummary)]
pub(super) struct ProvisioningSummary {
    id: ProvisioningPlanId,
    server_id: ServerId,
    state: ProvisioningState,
    digest: String,
    risk: Risk,
    downtime_s: u32,
    step_count: usize,
}

/// The run that an approval started, as `/runs/{id}` shows it.
pub(in crate::http::routes) async fn started(
    app: &AppState,
    principal: &Principal,
    run: Option<RunId>,
) -> Result<Option<RunBody>, Problem> {
    match run {
        Some(id) => Ok(Some(shown(app, principal, id).await?)),
        None => Ok(None),
    }
}

impl From<PlanView> for PlanBody {
    fn from(view: PlanView) -> Self {
        let PlanView { plan, document, provisioning } = view;
        Self {
            id: plan.id,
            project_id: plan.project,
            state: plan.state,
            digest: plan.digest().to_string(),
            input_digest: plan.inputs.total(),
            stale_reasons: plan.stale_reasons,
            servers: document.servers,
            url: document.url,
            downtime: document.downtime,
            risk: document.risk,
            warnings: document.warnings,
            run_id: plan.run,
            created_at: plan.created_at,
            approved_at: plan.approved_at,
            provisioning_plans: provisioning.iter().map(ProvisioningSummary::from).collect(),
        }
    }
}

impl From<&ProvisioningView> for ProvisioningSummary {
    fn from(view: &ProvisioningView) -> Self {
        Self {
            id: view.plan.id,
            server_id: view.plan.server,
            state: view.plan.state,
            digest: view.plan.digest().to_string(),
            risk: provisioning::risk(&view.document),
            downtime_s: provisioning::downtime_s(&view.document),
            step_count: view.document.steps.len(),
        }
    }
}

/// A digest as a person was shown it.
pub(in crate::http::routes) fn digest(field: &str, text: &str) -> Result<PlanDigest, Problem> {
    PlanDigest::parse(text)
        .ok_or_else(|| Problem::invalid_field(field, "must be the 64 hexadecimal digits that the plan shows"))
}
