//! Repositories and services: reading, accepting, rejecting, changing, variables.

use std::fmt::Write as _;

use hydron_domain::chat::{Card, CardKind};
use hydron_domain::service::{ServiceEdit, ServiceState};
use hydron_proto::ids::ServiceId;
use serde::Deserialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::{Nothing, Toolbox, words};
use crate::assistant::brain::ToolDone;
use crate::assistant::hidden::{is_copied_placeholder, is_placeholder};
use crate::http::problem::Problem;
use crate::services::analyses::{self, Wanted};
use crate::services::component_view::ServiceView;
use crate::services::components::{self, Decision};
use crate::services::env::{self, NewVar};

/// A repository to read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Repository {
    /// `https://` URL of a Git repository.
    url: String,
    /// Branch or tag; the default branch without it.
    reference: Option<String>,
    /// Directory; the whole repository without it.
    subdir: Option<String>,
}

/// The project's repository, again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Again {
    /// Another directory than before.
    subdir: Option<String>,
}

/// Which services.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Chosen {
    /// Their ids; all that wait for a decision without it.
    #[schema(value_type = Option<Vec<String>>)]
    services: Option<Vec<ServiceId>>,
}

/// A change to a service.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    /// Which service.
    #[schema(value_type = String)]
    service: ServiceId,
    /// The fields to change.
    #[schema(value_type = Object)]
    change: ServiceEdit,
}

/// Variables to set. No Debug: a value may be a secret.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Variables {
    /// Of which service.
    #[schema(value_type = String)]
    service: ServiceId,
    /// Names and values.
    #[schema(inline)]
    #[serde(rename = "variables")]
    set: Vec<Variable>,
    /// Whether the person said that they are secret; judged by name otherwise.
    #[serde(default)]
    secret: bool,
}

/// A variable. No Debug: the value may be a secret.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Variable {
    /// Its name.
    name: String,
    /// Its value, or the placeholder of one.
    value: String,
}

/// Reads a repository.
pub(super) async fn analyze(toolbox: &Toolbox<'_>, input: Repository) -> Result<ToolDone, Problem> {
    let wanted = Wanted { url: input.url, reference: input.reference, subdir: input.subdir };
    start(toolbox, &wanted).await
}

/// Reads the project's repository again.
pub(super) async fn analyze_again(toolbox: &Toolbox<'_>, input: Again) -> Result<ToolDone, Problem> {
    let readings = analyses::list(toolbox.app, toolbox.principal, toolbox.project).await?;
    let last = readings.into_iter().next().ok_or_else(|| {
        Problem::conflict("wrong_state", "No repository is connected yet. Say: deploy <git url>.")
    })?;
    let wanted = Wanted {
        url: last.source.url.to_string(),
        reference: last.source.reference.map(|reference| reference.to_string()),
        subdir: input.subdir.or_else(|| Some(last.source.subdir.to_string())),
    };
    start(toolbox, &wanted).await
}

/// Shows the services.
pub(super) async fn show(toolbox: &Toolbox<'_>, _input: Nothing) -> Result<ToolDone, Problem> {
    let views = components::list(toolbox.app, toolbox.principal, toolbox.project).await?;
    if views.is_empty() {
        return Ok(ToolDone::say(
            "There are no services yet. Say `deploy <git url>` and I look what is in it.",
        ));
    }
    Ok(ToolDone::say(words::services(&views)).card(card(toolbox)))
}

/// Accepts services.
pub(super) async fn accept(toolbox: &Toolbox<'_>, input: Chosen) -> Result<ToolDone, Problem> {
    let views = match input.services {
        Some(ids) => decide(toolbox, &ids, Decision::Accept).await?,
        None => components::accept_all(toolbox.app, toolbox.principal, toolbox.project).await?,
    };
    let left: Vec<&str> = names(&views, ServiceState::Pending);
    let mut text = said("Accepted", &names(&views, ServiceState::Accepted));
    if !left.is_empty() {
        let _ = write!(text, " Still to decide: {}.", left.join(", "));
    }
    Ok(ToolDone::say(text).card(card(toolbox)))
}

/// Rejects services.
pub(super) async fn reject(toolbox: &Toolbox<'_>, input: Chosen) -> Result<ToolDone, Problem> {
    let ids = if let Some(ids) = input.services {
        ids
    } else {
        let views = own_services(toolbox).await?;
        let pending = views.into_iter().filter(|view| view.service.state == ServiceState::Pending);
        pending.map(|view| view.service.id).collect()
    };
    let views = decide(toolbox, &ids, Decision::Reject).await?;
    let text = said("Rejected", &names(&views, ServiceState::Rejected));
    Ok(ToolDone::say(text).card(card(toolbox)))
}

/// Changes fields of a service.
pub(super) async fn change(toolbox: &Toolbox<'_>, input: Change) -> Result<ToolDone, Problem> {
    in_project(toolbox, &[input.service]).await?;
    let view = components::edit(toolbox.app, toolbox.principal, input.service, &input.change).await?;
    Ok(ToolDone::say(format!("Changed **{}**.", view.service.name)).card(card(toolbox)))
}

/// Sets variables.
pub(super) async fn set_variables(toolbox: &Toolbox<'_>, input: Variables) -> Result<ToolDone, Problem> {
    in_project(toolbox, &[input.service]).await?;
    let mut vars = Vec::new();
    for (index, variable) in input.set.into_iter().enumerate() {
        let value = value_of(toolbox, Zeroizing::new(variable.value)).ok_or_else(|| {
            Problem::invalid_field(
                format!("variables[{index}].value"),
                "is the place of a value that was hidden and not kept; type the value again",
            )
        })?;
        vars.push(NewVar { name: variable.name, value, secret: input.secret.then_some(true) });
    }
    let view = env::put(toolbox.app, toolbox.principal, input.service, &vars).await?;
    let set: Vec<String> = vars
        .iter()
        .map(|var| {
            let secret = view.env.iter().any(|known| known.name == var.name && known.secret);
            format!("`{}`{}", var.name, if secret { " (secret)" } else { "" })
        })
        .collect();
    let text =
        format!("Set {} for **{}**. I did not keep what you typed.", set.join(", "), view.service.name);
    Ok(ToolDone::say(text).card(card(toolbox)))
}

fn value_of(toolbox: &Toolbox<'_>, text: Zeroizing<String>) -> Option<Zeroizing<String>> {
    let value =
        if is_placeholder(&text) { Zeroizing::new(toolbox.vault.open(&text)?.to_owned()) } else { text };
    (!is_copied_placeholder(&value)).then_some(value)
}

async fn start(toolbox: &Toolbox<'_>, wanted: &Wanted) -> Result<ToolDone, Problem> {
    let reading = analyses::start(toolbox.app, toolbox.principal, toolbox.project, wanted).await?;
    let text = format!(
        "I read {} now, without running anything of it, and tell you what I find.",
        reading.source.url
    );
    Ok(ToolDone::say(text).card(Card::new(CardKind::Analysis, reading.id)))
}

async fn decide(
    toolbox: &Toolbox<'_>,
    ids: &[ServiceId],
    decision: Decision,
) -> Result<Vec<ServiceView>, Problem> {
    in_project(toolbox, ids).await?;
    for id in ids {
        components::decide(toolbox.app, toolbox.principal, *id, decision).await?;
    }
    own_services(toolbox).await
}

async fn own_services(toolbox: &Toolbox<'_>) -> Result<Vec<ServiceView>, Problem> {
    Ok(components::list(toolbox.app, toolbox.principal, toolbox.project).await?)
}

/// A chat reaches the services of its own project only.
pub(super) async fn in_project(toolbox: &Toolbox<'_>, ids: &[ServiceId]) -> Result<(), Problem> {
    let views = own_services(toolbox).await?;
    let known = |id: &ServiceId| views.iter().any(|view| view.service.id == *id);
    if ids.iter().all(known) { Ok(()) } else { Err(Problem::not_found("service")) }
}

fn names(views: &[ServiceView], state: ServiceState) -> Vec<&str> {
    views.iter().filter(|view| view.service.state == state).map(|view| view.service.name.as_str()).collect()
}

fn said(what: &str, names: &[&str]) -> String {
    if names.is_empty() { format!("{what}: none.") } else { format!("{what}: {}.", names.join(", ")) }
}

fn card(toolbox: &Toolbox<'_>) -> Card {
    Card::new(CardKind::Services, toolbox.project)
}
