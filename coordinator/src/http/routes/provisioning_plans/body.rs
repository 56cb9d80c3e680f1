//! A provisioning plan in JSON: the signed bytes, decoded, with each step in words.

use hydron_domain::planning::summary;
use hydron_domain::provisioning::{self, ProvisioningState};
use hydron_proto::ids::{InfrastructurePlanId, ProjectId, ProvisioningPlanId, ServerId, ServiceId};
use hydron_proto::plan::{Action, ActionKind, InterruptPolicy, Mandate, Phase, Risk, Step, StepRef};
use serde::Serialize;
use utoipa::ToSchema;

use crate::services::plans::view::ProvisioningView;

/// Every step that will touch one server.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProvisioningPlan)]
pub(in crate::http::routes) struct ProvisioningBody {
    id: ProvisioningPlanId,
    project_id: ProjectId,
    infrastructure_plan_id: InfrastructurePlanId,
    server_id: ServerId,
    state: ProvisioningState,
    /// What is approved and signed.
    digest: String,
    risk: Risk,
    downtime_s: u32,
    steps: Vec<StepBody>,
    /// What later releases may do without a new approval.
    mandates: Vec<Mandate>,
    /// Secrets that the steps name; never their values.
    secrets: Vec<SecretBody>,
    created_at: i64,
    updated_at: i64,
}

/// One step.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PlanStep)]
pub(super) struct StepBody {
    index: u32,
    title: String,
    phase: Phase,
    service_id: Option<ServiceId>,
    kind: ActionKind,
    risk: Risk,
    timeout_s: u32,
    downtime_s: u32,
    on_interrupt: InterruptPolicy,
    after: Vec<StepRef>,
    action: Action,
    /// What it does, in words.
    summary: String,
}

/// A secret by name.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PlanSecret)]
pub(super) struct SecretBody {
    name: String,
    version: u32,
    /// Made by Hydron for this plan or an earlier one.
    generated: bool,
}

impl From<ProvisioningView> for ProvisioningBody {
    fn from(view: ProvisioningView) -> Self {
        let ProvisioningView { plan, document, generated } = view;
        let secret = |secret: &hydron_proto::plan::SecretRef| SecretBody {
            generated: generated.contains(&secret.name),
            name: secret.name.to_string(),
            version: secret.version,
        };
        Self {
            id: plan.id,
            project_id: plan.project,
            infrastructure_plan_id: plan.infrastructure,
            server_id: plan.server,
            state: plan.state,
            digest: plan.digest().to_string(),
            risk: provisioning::risk(&document),
            downtime_s: provisioning::downtime_s(&document),
            secrets: document.secrets().into_iter().map(secret).collect(),
            steps: (0..).zip(document.steps).map(StepBody::from).collect(),
            mandates: document.mandates,
            created_at: plan.created_at,
            updated_at: plan.updated_at,
        }
    }
}

impl From<(u32, Step)> for StepBody {
    fn from((index, step): (u32, Step)) -> Self {
        Self {
            index,
            title: step.title,
            phase: step.phase,
            service_id: step.service,
            kind: step.action.kind(),
            risk: step.risk,
            timeout_s: step.timeout_s,
            downtime_s: step.downtime_s,
            on_interrupt: step.on_interrupt,
            after: step.after,
            summary: summary(&step.action),
            action: step.action,
        }
    }
}
