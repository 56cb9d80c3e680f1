//! Plans: made, shown with everything that is signed, approved by the digests that were shown.

use std::collections::BTreeMap;

use hydron_domain::chat::{Card, CardKind};
use hydron_proto::envelope::PlanDigest;
use hydron_proto::ids::{InfrastructurePlanId, ProvisioningPlanId};
use serde::Deserialize;
use utoipa::ToSchema;

use super::words::{approval_card, not_open, signed};
use super::{Nothing, Toolbox};
use crate::assistant::brain::ToolDone;
use crate::http::problem::Problem;
use crate::services::plans::{self, PlanView, Start};

/// What a person says yes to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Approval {
    /// The infrastructure plan.
    #[schema(value_type = String)]
    plan: InfrastructurePlanId,
    /// Its digest, as it was shown.
    digest: String,
    /// The digest of each of its provisioning plans, as it was shown.
    provisioning_digests: BTreeMap<String, String>,
}

/// Makes a plan and shows it.
pub(super) async fn make(toolbox: &Toolbox<'_>, _input: Nothing) -> Result<ToolDone, Problem> {
    let view = plans::create(toolbox.app, toolbox.principal, toolbox.project, &[]).await?;
    Ok(shown(&view))
}

/// Shows the newest plan.
pub(super) async fn show(toolbox: &Toolbox<'_>, _input: Nothing) -> Result<ToolDone, Problem> {
    let newest = plans::list(toolbox.app, toolbox.principal, toolbox.project).await?.into_iter().next();
    newest.as_ref().map(shown).ok_or_else(|| {
        Problem::conflict("wrong_state", "There is no plan yet. Accept services, then say: make the plan.")
    })
}

/// Says yes to exactly what was shown; the run begins.
pub(super) async fn approve(toolbox: &Toolbox<'_>, input: Approval) -> Result<ToolDone, Problem> {
    // The chat is about one project; a plan of another is not there.
    let known = plans::get(toolbox.app, toolbox.principal, input.plan).await?;
    if known.plan.project != toolbox.project {
        return Err(Problem::not_found("plan"));
    }
    let digest = digest("digest", &input.digest)?;
    let mut start = Start::default();
    for (id, text) in &input.provisioning_digests {
        let id: ProvisioningPlanId = id.parse().map_err(|_| Problem::not_found("provisioning plan"))?;
        start.provisioning.insert(id, self::digest("provisioning_digests", text)?);
    }
    let approved =
        plans::approve_infrastructure(toolbox.app, toolbox.principal, input.plan, digest, Some(&start))
            .await?;
    Ok(match approved.run {
        Some(run) => ToolDone::say("Approved and signed. The run has begun; I will say how it ends.")
            .card(Card::new(CardKind::Run, run)),
        None => ToolDone::say("Approved.").card(Card::new(CardKind::Plan, input.plan)),
    })
}

/// A plan with everything that would be signed; its approval card while it can be approved.
pub(super) fn shown(view: &PlanView) -> ToolDone {
    if let Some(why) = not_open(view) {
        return ToolDone::say(why).card(Card::new(CardKind::Plan, view.plan.id));
    }
    let text = format!("{}\n\nSay `approve the plan` to sign exactly this.", signed(view));
    ToolDone::say(text).card(approval_card(view))
}

fn digest(field: &str, text: &str) -> Result<PlanDigest, Problem> {
    PlanDigest::parse(text).ok_or_else(|| Problem::invalid_field(field, "must be the digest that was shown"))
}
