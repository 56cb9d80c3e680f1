//! A service as a person sees it: its fields, its environment with where each value comes from, what serves now.
//!
//! Rule: the value of a secret is never part of it, whoever looks.

use std::collections::BTreeMap;

use hydron_domain::analysis::EnvSource;
use hydron_domain::env::{EnvOrigin, EnvSetting, EnvValue, looks_secret};
use hydron_domain::planning::{PlannedService, Resolved, environment, missing};
use hydron_domain::service::{Service, ServiceState};
use hydron_proto::ids::ProjectId;
use hydron_proto::plan::{EnvPart, EnvVar};
use hydron_store::TeamStore;
use hydron_store::releases::Release;

use super::plans::gather::settings;
use super::refusal::Refusal;
use crate::app::AppState;

/// A service with everything that is shown about it.
#[derive(Debug, Clone)]
pub struct ServiceView {
    /// The service.
    pub service: Service,
    /// Its variables.
    pub env: Vec<EnvView>,
    /// Required variables without a value.
    pub missing: Vec<String>,
    /// What serves now.
    pub live: Option<Release>,
}

/// A variable as a person sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvView {
    /// Name.
    pub name: String,
    /// Its value is never shown.
    pub secret: bool,
    /// The service cannot start without it.
    pub required: bool,
    /// Where it was seen.
    pub source: Option<EnvSource>,
    /// It has a value.
    pub set: bool,
    /// The value, unless it is a secret.
    pub value: Option<String>,
    /// Where the value comes from.
    pub origin: Option<EnvOrigin>,
    /// What the repository says about it.
    pub description: Option<String>,
}

/// All services of a project.
pub(super) async fn view_all(
    app: &AppState,
    team: &TeamStore,
    project: ProjectId,
) -> Result<Vec<ServiceView>, Refusal> {
    let mut env = settings(app, team.id(), team.env_vars(project).await?)?;
    let versions = team.secret_versions(project).await?;
    let secrets: BTreeMap<_, _> = versions.into_iter().map(|(name, version, _)| (name, version)).collect();
    let services = team.services(project).await?;
    let planned: Vec<PlannedService> = services
        .into_iter()
        .map(|service| PlannedService { env: env.remove(&service.id).unwrap_or_default(), service })
        .collect();
    // A rejected database gives no values.
    let givers: Vec<PlannedService> =
        planned.iter().filter(|planned| planned.service.state != ServiceState::Rejected).cloned().collect();
    let mut live: BTreeMap<_, _> =
        team.live_releases(project).await?.into_iter().map(|release| (release.service, release)).collect();
    Ok(planned
        .into_iter()
        .map(|planned| {
            let resolved = environment(&planned, &givers, &secrets);
            let env = variables(&planned, &resolved);
            let missing = missing(&planned.service, &resolved);
            let live = live.remove(&planned.service.id);
            ServiceView { service: planned.service, env, missing, live }
        })
        .collect())
}

fn variables(planned: &PlannedService, resolved: &[Resolved]) -> Vec<EnvView> {
    let mut by_name: BTreeMap<String, EnvView> = BTreeMap::new();
    for need in &planned.service.spec.env {
        let view = EnvView {
            name: need.name.clone(),
            secret: need.secret,
            required: need.required,
            source: Some(need.source),
            set: false,
            value: need.default.clone().filter(|_| !need.secret),
            origin: need.default.is_some().then_some(EnvOrigin::Analysis),
            description: need.description.clone(),
        };
        by_name.insert(need.name.clone(), view);
    }
    for found in resolved {
        let name = found.var.name.to_string();
        let setting = planned.env.iter().find(|setting| setting.name == found.var.name);
        let view = by_name.entry(name.clone()).or_insert_with(|| EnvView {
            secret: looks_secret(&name),
            name,
            required: false,
            source: None,
            set: false,
            value: None,
            origin: None,
            description: None,
        });
        view.set = true;
        view.origin = Some(found.origin);
        view.secret = is_secret(view.secret, setting, &found.var);
        view.value = if view.secret { None } else { text_of(&found.var) };
    }
    by_name.into_values().collect()
}

/// What a person said wins over what the name suggests; whatever holds a secret is one.
fn is_secret(guess: bool, setting: Option<&EnvSetting>, var: &EnvVar) -> bool {
    match setting.map(|setting| &setting.value) {
        Some(EnvValue::Secret(_)) => true,
        Some(EnvValue::Plain(_)) => false,
        None => guess || var.secrets().next().is_some(),
    }
}

fn text_of(var: &EnvVar) -> Option<String> {
    let parts = var.value.iter().map(|part| match part {
        EnvPart::Text(text) => Some(text.as_str()),
        EnvPart::Secret(_) => None,
    });
    parts.collect()
}
