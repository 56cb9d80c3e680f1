//! Looking: where the project stands.

use hydron_proto::ids::ProjectId;

use super::{Nothing, Toolbox};
use crate::app::AppState;
use crate::assistant::brain::ToolDone;
use crate::assistant::situation::{AnalysisNow, PlanNow, RunNow, RunWord, ServiceNow, Situation};
use crate::http::problem::Problem;
use crate::services::component_view::ServiceView;
use crate::services::principal::Principal;
use crate::services::{analyses, components, plans, projects, runs, servers};
use hydron_domain::chat::{Card, CardKind};
use hydron_domain::run::{Run, RunState};

/// Where a project stands, as the principal may see it.
pub async fn situation(
    app: &AppState,
    principal: &Principal,
    project: ProjectId,
) -> Result<Situation, Problem> {
    let overview = projects::get(app, principal, project).await?;
    let readings = analyses::list(app, principal, project).await?;
    let analysis = readings.into_iter().next().map(|reading| AnalysisNow {
        id: reading.id,
        state: reading.state,
        url: reading.source.url.to_string(),
    });
    let services = components::list(app, principal, project).await?.into_iter().map(service_now).collect();
    let plan = plans::list(app, principal, project).await?.into_iter().next();
    let plan = plan.map(|view| PlanNow { id: view.plan.id, state: view.plan.state });
    let run = runs::view::list(app, principal, project, None, 1).await?.into_iter().next();
    let run = run.map(|run| RunNow { id: run.id, state: run_word(&run.head), title: run.title });
    let usable = servers::list(app, principal).await?;
    let usable =
        usable.iter().filter(|view| view.server.enrolled_at.is_some() && view.server.revoked_at.is_none());
    Ok(Situation { analysis, services, plan, run, servers: usable.count(), url: overview.url })
}

/// Says where the project stands.
pub(super) async fn status(toolbox: &Toolbox<'_>, _input: Nothing) -> Result<ToolDone, Problem> {
    let now = situation(toolbox.app, toolbox.principal, toolbox.project).await?;
    let next = now.next_steps();
    let mut done = ToolDone::say(next.advice);
    if let Some(run) = &now.run {
        done = done.card(Card::new(CardKind::Run, run.id));
    } else if let Some(plan) = &now.plan {
        done = done.card(Card::new(CardKind::Plan, plan.id));
    } else if !now.services.is_empty() {
        done = done.card(Card::new(CardKind::Services, toolbox.project));
    } else if let Some(analysis) = &now.analysis {
        done = done.card(Card::new(CardKind::Analysis, analysis.id));
    }
    Ok(done)
}

fn service_now(view: ServiceView) -> ServiceNow {
    ServiceNow {
        id: view.service.id,
        name: view.service.name.to_string(),
        kind: view.service.spec.kind,
        state: view.service.state,
        live: view.live.is_some(),
        missing: view.missing,
    }
}

fn run_word(head: &Run) -> RunWord {
    match head.state {
        RunState::Started | RunState::InProgress => RunWord::Going,
        RunState::Paused => RunWord::Paused,
        RunState::Failed(_) => RunWord::Failed,
        RunState::Completed | RunState::Stopped => RunWord::Over,
    }
}
