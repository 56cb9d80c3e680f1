//! What runs: redeploying, steering runs, rolling back, restarting, reading output.

use hydron_domain::chat::{Card, CardKind};
use hydron_proto::ids::{RunId, ServiceId};
use hydron_store::releases::Release;
use serde::Deserialize;
use utoipa::ToSchema;

use super::sources::in_project;
use super::{Toolbox, plans as plan_tools};
use crate::assistant::brain::ToolDone;
use crate::http::problem::Problem;
use crate::services::operations::{self, Ask};
use crate::services::refusal::Refusal;
use crate::services::releases::{self, Redeploy};
use crate::services::{plans, runs};

/// Lines of output that are read when nobody says how many.
const LINES: u32 = 200;
/// Characters of a commit or release that are enough to name it.
const ENOUGH: usize = 6;

/// What to redeploy.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Redeploying {
    /// Only these; everything that changed when empty.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    services: Vec<ServiceId>,
}

/// What to do with the newest run.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Steering {
    /// Pause, resume, stop or retry.
    #[schema(inline)]
    what: Steer,
}

/// How a run can be steered.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Steer {
    Pause,
    Resume,
    Stop,
    Retry,
}

/// Which release to bring back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RollingBack {
    /// Of which service.
    #[schema(value_type = String)]
    service: ServiceId,
    /// A release's id or the beginning of its commit; the one before the current without it.
    to: Option<String>,
}

/// What to do with a service.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Operating {
    /// Which service.
    #[schema(value_type = String)]
    service: ServiceId,
    /// Restart, stop or start.
    #[schema(inline)]
    operation: Operate,
}

/// What can be done with a service.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Operate {
    Restart,
    Stop,
    Start,
}

/// Whose output to read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Logs {
    /// Of which service.
    #[schema(value_type = String)]
    service: ServiceId,
    /// How many lines.
    lines: Option<u32>,
}

/// Rolls out what changed.
pub(super) async fn redeploy(toolbox: &Toolbox<'_>, input: Redeploying) -> Result<ToolDone, Problem> {
    in_project(toolbox, &input.services).await?;
    let wanted = Redeploy { commit: None, services: input.services };
    match releases::redeploy(toolbox.app, toolbox.principal, toolbox.project, &wanted).await {
        Ok(run) => Ok(began("I read the newest commit; what changed is being rolled out.", run)),
        Err(Refusal::NeedsApproval { plan, why }) => {
            let view = plans::get(toolbox.app, toolbox.principal, plan).await?;
            let shown = plan_tools::shown(&view);
            let why = format!("This goes beyond what was approved ({why}), so it needs your yes.");
            Ok(ToolDone { say: format!("{why}\n\n{}", shown.say), cards: shown.cards })
        }
        Err(other) => Err(other.into()),
    }
}

/// Steers the newest run.
pub(super) async fn steer(toolbox: &Toolbox<'_>, input: Steering) -> Result<ToolDone, Problem> {
    let (app, principal) = (toolbox.app, toolbox.principal);
    let newest = runs::view::list(app, principal, toolbox.project, None, 1).await?.into_iter().next();
    let run = newest.ok_or_else(|| Problem::conflict("wrong_state", "There is no run yet."))?.id;
    let text = match input.what {
        Steer::Pause => {
            runs::steer::pause(app, principal, run).await?;
            "It pauses after the step that is running."
        }
        Steer::Resume => {
            runs::steer::resume(app, principal, run).await?;
            "It goes on."
        }
        Steer::Stop => {
            runs::steer::stop(app, principal, run).await?;
            "It stops after the step that is running."
        }
        Steer::Retry => {
            runs::steer::retry(app, principal, run, None).await?;
            "What failed is tried again."
        }
    };
    Ok(began(text, run))
}

/// Brings an earlier release back.
pub(super) async fn roll_back(toolbox: &Toolbox<'_>, input: RollingBack) -> Result<ToolDone, Problem> {
    in_project(toolbox, &[input.service]).await?;
    let known = operations::releases(toolbox.app, toolbox.principal, input.service).await?;
    let release = to_bring_back(&known, input.to.as_deref())?;
    let commit =
        release.commit.as_deref().map_or_else(String::new, |commit| format!(" (commit `{}`)", short(commit)));
    let text = format!(
        "**{}** goes back to the release before{commit}, with the environment it had.",
        release.spec.name
    );
    let run = operations::rollback(toolbox.app, toolbox.principal, release.id).await?;
    Ok(began(&text, run))
}

/// Restarts, stops or starts a service.
pub(super) async fn operate(toolbox: &Toolbox<'_>, input: Operating) -> Result<ToolDone, Problem> {
    in_project(toolbox, &[input.service]).await?;
    let (ask, text) = match input.operation {
        Operate::Restart => (Ask::Restart, "It is being restarted."),
        Operate::Stop => (Ask::Stop, "It is being stopped; its address answers 503 until you start it."),
        Operate::Start => (Ask::Start, "It is being started."),
    };
    let run = operations::ask(toolbox.app, toolbox.principal, input.service, ask).await?;
    Ok(began(text, run))
}

/// Reads the output of a service.
pub(super) async fn logs(toolbox: &Toolbox<'_>, input: Logs) -> Result<ToolDone, Problem> {
    in_project(toolbox, &[input.service]).await?;
    let ask = Ask::Logs { lines: input.lines.unwrap_or(LINES) };
    let run = operations::ask(toolbox.app, toolbox.principal, input.service, ask).await?;
    Ok(began("I ask its server for the last lines; open the run to read them.", run))
}

fn began(text: &str, run: RunId) -> ToolDone {
    ToolDone::say(text).card(Card::new(CardKind::Run, run))
}

/// The newest release that was live, or the one that was named.
fn to_bring_back<'r>(known: &'r [Release], to: Option<&str>) -> Result<&'r Release, Problem> {
    let mut able: Vec<&Release> = known.iter().filter(|release| release.can_come_back()).collect();
    able.sort_by_key(|release| std::cmp::Reverse(release.retired_at));
    let Some(to) = to else {
        let none =
            || Problem::conflict("wrong_state", "There is no earlier release of this service to go back to.");
        return able.first().copied().ok_or_else(none);
    };
    let to = to.to_ascii_lowercase();
    let named = |release: &&&Release| {
        let commit = release.commit.as_deref().unwrap_or_default();
        release.id.to_string() == to || (to.len() >= ENOUGH && commit.starts_with(&to))
    };
    able.iter().find(named).copied().ok_or_else(|| {
        let commits: Vec<&str> =
            able.iter().filter_map(|release| release.commit.as_deref()).map(short).collect();
        let choice = if commits.is_empty() { "none".to_owned() } else { commits.join(", ") };
        Problem::conflict(
            "wrong_state",
            format!("No earlier release is called that. Commits to go back to: {choice}."),
        )
    })
}

fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}
