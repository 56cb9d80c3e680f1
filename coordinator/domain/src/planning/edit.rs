//! Edits of a provisioning plan's steps before approval.
//!
//! Rule: an edited step keeps its kind, its service and its project; risk is computed again and mandates follow.

use hydron_proto::names::ResourceName;
use hydron_proto::plan::{Action, PlanDocument, Step};
use serde::Deserialize;
use utoipa::ToSchema;

use super::mandates::follow_steps;

/// A change of one step; absent fields stay.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StepEdit {
    /// Which step.
    pub index: u32,
    /// New title.
    #[serde(default)]
    pub title: Option<String>,
    /// New time-out, seconds.
    #[serde(default)]
    pub timeout_s: Option<u32>,
    /// New action, of the same kind.
    #[serde(default)]
    pub action: Option<serde_json::Value>,
}

/// An edit that cannot be made, and the field it stands in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct InvalidStepEdit {
    /// Field of the request.
    pub field: String,
    /// What is wrong and what to do.
    pub problem: String,
}

/// The document after the edits.
pub fn edit_steps(plan: &PlanDocument, edits: &[StepEdit]) -> Result<PlanDocument, InvalidStepEdit> {
    let mut edited = plan.clone();
    for edit in edits {
        let at = |field: &str, problem: &str| InvalidStepEdit {
            field: format!("steps[{}].{field}", edit.index),
            problem: problem.to_owned(),
        };
        let index = usize::try_from(edit.index).unwrap_or(usize::MAX);
        let step = edited.steps.get_mut(index).ok_or_else(|| at("index", "the plan has no such step"))?;
        if let Some(title) = &edit.title {
            let title = title.trim();
            if title.is_empty() || title.len() > 200 || title.chars().any(char::is_control) {
                return Err(at("title", "must be one line of 1 to 200 characters"));
            }
            title.clone_into(&mut step.title);
        }
        if let Some(timeout) = edit.timeout_s {
            if !(1..=7200).contains(&timeout) {
                return Err(at("timeout_s", "must be 1 to 7200 seconds"));
            }
            step.timeout_s = timeout;
        }
        if let Some(value) = &edit.action {
            let action: Action =
                serde_json::from_value(value.clone()).map_err(|error| at("action", &error.to_string()))?;
            check(step, &action, plan).map_err(|problem| at("action", problem))?;
            step.risk = action.risk();
            step.action = action;
        }
    }
    follow_steps(&mut edited);
    edited
        .to_bytes()
        .map_err(|error| InvalidStepEdit { field: "steps".to_owned(), problem: error.to_string() })?;
    Ok(edited)
}

fn check(step: &Step, action: &Action, plan: &PlanDocument) -> Result<(), &'static str> {
    if action.kind() != step.action.kind() {
        return Err("must keep its kind; make a new plan for other steps");
    }
    if resources(action).iter().any(|name| !ours(name, plan)) {
        return Err("names a network, volume, checkout or site of another project");
    }
    match (&step.action, action) {
        (Action::Release(before), Action::Release(after)) => {
            let same = before.service == after.service
                && before.name == after.name
                && before.release == after.release;
            if same { Ok(()) } else { Err("must keep its service and its release") }
        }
        (Action::ImageBuild(before), Action::ImageBuild(after)) => {
            if before.service == after.service && before.tag == after.tag {
                Ok(())
            } else {
                Err("must keep its service and its tag")
            }
        }
        (Action::Route(before), Action::Route(after)) => {
            if before.hosts == after.hosts && before.site == after.site {
                Ok(())
            } else {
                Err("must keep its site and hosts")
            }
        }
        (Action::Certificate(before), Action::Certificate(after)) => {
            if before.hosts == after.hosts {
                Ok(())
            } else {
                Err("must keep its hosts")
            }
        }
        (_, _) => Ok(()),
    }
}

fn ours(name: &ResourceName, plan: &PlanDocument) -> bool {
    let prefix = format!("hy-{}", plan.project.short());
    name.as_str().strip_prefix(&prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

fn resources(action: &Action) -> Vec<&ResourceName> {
    match action {
        Action::Network(network) => vec![&network.name],
        Action::Volume(volume) => vec![&volume.name],
        Action::GitCheckout(checkout) => vec![&checkout.checkout],
        Action::ImageBuild(build) => build.checkout.iter().collect(),
        Action::Release(spec) => {
            let mut names = vec![&spec.network];
            names.extend(spec.volumes.iter().map(|mount| &mount.volume));
            names
        }
        Action::Route(route) => vec![&route.site],
        Action::Certificate(certificate) => vec![&certificate.site],
        Action::Packages(_)
        | Action::File(_)
        | Action::Directory(_)
        | Action::DockerEngine(_)
        | Action::ImagePull(_)
        | Action::Probe(_)
        | Action::Shell(_)
        | Action::Operate(_) => Vec::new(),
    }
}
