//! Infrastructure plans and their provisioning plans.
//!
//! Rule: a document is stored as the text that was shown; it changes only together with its state and its approval.

use std::collections::BTreeMap;

use hydron_domain::infrastructure::{InfrastructurePlan, PlanState};
use hydron_domain::planning::InputDigests;
use hydron_domain::provisioning::{ProvisioningPlan, ProvisioningState};
use hydron_proto::ids::{InfrastructurePlanId, ProjectId, ProvisioningPlanId, RunId, ServerId, ServiceId};

use crate::column::{Json, Text};
use crate::reading::on_both;
use crate::{Result, TeamTx};

const INFRASTRUCTURE: &str = "SELECT id, project_id, state, stale_reasons, document, inputs, servers, placement, \
     run_id, created_at, approved_at FROM infrastructure_plan WHERE team_id = $1";
const PROVISIONING: &str = "SELECT id, project_id, infrastructure_plan_id, server_id, state, document, created_at, \
     updated_at FROM provisioning_plan WHERE team_id = $1";

#[derive(sqlx::FromRow)]
struct InfrastructureRow {
    id: Text<InfrastructurePlanId>,
    project_id: Text<ProjectId>,
    state: Text<PlanState>,
    stale_reasons: Json<Vec<String>>,
    document: String,
    inputs: Json<InputDigests>,
    servers: Json<Vec<ServerId>>,
    placement: Json<BTreeMap<ServiceId, ServerId>>,
    run_id: Option<Text<RunId>>,
    created_at: i64,
    approved_at: Option<i64>,
}

impl From<InfrastructureRow> for InfrastructurePlan {
    fn from(row: InfrastructureRow) -> Self {
        Self {
            id: row.id.0,
            project: row.project_id.0,
            state: row.state.0,
            stale_reasons: row.stale_reasons.0,
            document: row.document.into_bytes(),
            inputs: row.inputs.0,
            servers: row.servers.0,
            placement: row.placement.0,
            run: row.run_id.map(|id| id.0),
            created_at: row.created_at,
            approved_at: row.approved_at,
        }
    }
}

#[derive(sqlx::FromRow)]
struct ProvisioningRow {
    id: Text<ProvisioningPlanId>,
    project_id: Text<ProjectId>,
    infrastructure_plan_id: Text<InfrastructurePlanId>,
    server_id: Text<ServerId>,
    state: Text<ProvisioningState>,
    document: String,
    created_at: i64,
    updated_at: i64,
}

impl From<ProvisioningRow> for ProvisioningPlan {
    fn from(row: ProvisioningRow) -> Self {
        Self {
            id: row.id.0,
            project: row.project_id.0,
            infrastructure: row.infrastructure_plan_id.0,
            server: row.server_id.0,
            state: row.state.0,
            document: row.document.into_bytes(),
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

on_both! {
    /// An infrastructure plan, if the team has it.
    async fn infrastructure_plan(this, id: InfrastructurePlanId) -> Result<Option<InfrastructurePlan>> {
        let row: Option<InfrastructureRow> = this.q(INFRASTRUCTURE).sql(" AND id = $2").bind(Text(id)).opt().await?;
        Ok(row.map(InfrastructurePlan::from))
    }

    /// A project's infrastructure plans, newest first.
    async fn infrastructure_plans(this, project: ProjectId, limit: i64) -> Result<Vec<InfrastructurePlan>> {
        let rows: Vec<InfrastructureRow> = this
            .q(INFRASTRUCTURE)
            .sql(" AND project_id = $2 ORDER BY created_at DESC, id DESC LIMIT $3")
            .bind(Text(project))
            .bind(limit)
            .all()
            .await?;
        Ok(rows.into_iter().map(InfrastructurePlan::from).collect())
    }

    /// A provisioning plan, if the team has it.
    async fn provisioning_plan(this, id: ProvisioningPlanId) -> Result<Option<ProvisioningPlan>> {
        let row: Option<ProvisioningRow> = this.q(PROVISIONING).sql(" AND id = $2").bind(Text(id)).opt().await?;
        Ok(row.map(ProvisioningPlan::from))
    }

    /// The provisioning plans of an infrastructure plan, replaced ones left out.
    async fn provisioning_plans(this, parent: InfrastructurePlanId) -> Result<Vec<ProvisioningPlan>> {
        let rows: Vec<ProvisioningRow> = this
            .q(PROVISIONING)
            .sql(" AND infrastructure_plan_id = $2 AND state <> 'stale' ORDER BY server_id")
            .bind(Text(parent))
            .all()
            .await?;
        Ok(rows.into_iter().map(ProvisioningPlan::from).collect())
    }
}

impl TeamTx {
    /// Adds an infrastructure plan.
    pub async fn insert_infrastructure_plan(&mut self, plan: &InfrastructurePlan) -> Result<()> {
        self.q("INSERT INTO infrastructure_plan (team_id, id, project_id, state, stale_reasons, document, inputs, \
                servers, placement, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
            .bind(Text(plan.id))
            .bind(Text(plan.project))
            .bind(Text(plan.state))
            .bind(Json(&plan.stale_reasons))
            .bind(text(&plan.document))
            .bind(Json(&plan.inputs))
            .bind(Json(&plan.servers))
            .bind(Json(&plan.placement))
            .bind(plan.created_at)
            .exec()
            .await
            .map(drop)
    }

    /// Keeps a changed plan that still was in state `from`.
    pub async fn save_infrastructure_plan(
        &mut self,
        plan: &InfrastructurePlan,
        from: PlanState,
    ) -> Result<()> {
        self.q("UPDATE infrastructure_plan SET state = $3, stale_reasons = $4, document = $5, inputs = $6, \
                servers = $7, placement = $8, run_id = $9, approved_at = $10 \
                WHERE team_id = $1 AND id = $2 AND state = $11")
            .bind(Text(plan.id))
            .bind(Text(plan.state))
            .bind(Json(&plan.stale_reasons))
            .bind(text(&plan.document))
            .bind(Json(&plan.inputs))
            .bind(Json(&plan.servers))
            .bind(Json(&plan.placement))
            .bind(plan.run.map(Text))
            .bind(plan.approved_at)
            .bind(Text(from))
            .exec_one("infrastructure plan")
            .await
    }

    /// Adds a provisioning plan.
    pub async fn insert_provisioning_plan(&mut self, plan: &ProvisioningPlan) -> Result<()> {
        self.q("INSERT INTO provisioning_plan (team_id, id, project_id, infrastructure_plan_id, server_id, state, \
                document, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)")
            .bind(Text(plan.id))
            .bind(Text(plan.project))
            .bind(Text(plan.infrastructure))
            .bind(Text(plan.server))
            .bind(Text(plan.state))
            .bind(text(&plan.document))
            .bind(plan.created_at)
            .exec()
            .await
            .map(drop)
    }

    /// Keeps a changed plan that still was in state `from`.
    pub async fn save_provisioning_plan(
        &mut self,
        plan: &ProvisioningPlan,
        from: ProvisioningState,
    ) -> Result<()> {
        let now = self.now();
        self.q("UPDATE provisioning_plan SET state = $3, document = $4, updated_at = $5 \
                WHERE team_id = $1 AND id = $2 AND state = $6")
            .bind(Text(plan.id))
            .bind(Text(plan.state))
            .bind(text(&plan.document))
            .bind(now)
            .bind(Text(from))
            .exec_one("provisioning plan")
            .await
    }

    /// Replaces every provisioning plan of an infrastructure plan.
    pub async fn retire_provisioning_plans(&mut self, parent: InfrastructurePlanId) -> Result<()> {
        let now = self.now();
        self.q("UPDATE provisioning_plan SET state = 'stale', updated_at = $3 \
                WHERE team_id = $1 AND infrastructure_plan_id = $2 AND state <> 'stale'")
            .bind(Text(parent))
            .bind(now)
            .exec()
            .await
            .map(drop)
    }
}

/// Documents are JSON, so they are text; a byte that is not would change the digest and be refused.
fn text(document: &[u8]) -> String {
    String::from_utf8_lossy(document).into_owned()
}
