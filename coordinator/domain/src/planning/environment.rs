//! The environment of a service: what a person set, what its dependencies dictate, what can be made, what has a default.
//!
//! Rule: the person's word wins; a secret appears by name and version only.

use std::collections::BTreeMap;

use hydron_proto::names::{EnvName, SecretName};
use hydron_proto::plan::{EnvPart, EnvVar, SecretRef};

use super::dependency::{self, ACCOUNT, DependencyEntry, Given};
use super::{GeneratedSecret, PlannedService};
use crate::analysis::{DependencyNeed, EnvGenerate};
use crate::env::{EnvOrigin, EnvValue};
use crate::service::{Service, ServiceKind};

/// A variable with its value and where that comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// Name and value.
    pub var: EnvVar,
    /// Where the value comes from.
    pub origin: EnvOrigin,
    /// A secret that must be made first.
    pub generate: Option<GeneratedSecret>,
}

/// The environment of a service, sorted by name.
pub fn environment(
    planned: &PlannedService,
    all: &[PlannedService],
    secrets: &BTreeMap<SecretName, u32>,
) -> Vec<Resolved> {
    let mut vars = Vars { found: BTreeMap::new(), secrets };
    defaults(planned, &mut vars);
    if let Some(entry) = own_entry(&planned.service) {
        container(&planned.service, entry, &mut vars);
    } else {
        if planned.service.spec.kind == ServiceKind::Web
            && let Some(port) = planned.service.spec.port
        {
            vars.text("PORT", port.to_string(), EnvOrigin::Generated);
        }
        for need in &planned.service.spec.needs {
            references(need, all, &mut vars);
        }
    }
    for setting in &planned.env {
        let part = match &setting.value {
            EnvValue::Plain(text) => EnvPart::Text(text.clone()),
            EnvValue::Secret(secret) => EnvPart::Secret(secret.clone()),
        };
        let var = EnvVar { name: setting.name.clone(), value: vec![part] };
        let resolved = Resolved { var, origin: EnvOrigin::User, generate: None };
        vars.found.insert(setting.name.clone(), resolved);
    }
    vars.found.into_values().collect()
}

/// Required variables that nothing gives a value.
pub fn missing(service: &Service, environment: &[Resolved]) -> Vec<String> {
    let given = |name: &str| environment.iter().any(|resolved| resolved.var.name.as_str() == name);
    let needs = service.spec.env.iter().filter(|need| need.required && !need.build_time);
    needs.filter(|need| !given(&need.name)).map(|need| need.name.clone()).collect()
}

struct Vars<'a> {
    found: BTreeMap<EnvName, Resolved>,
    secrets: &'a BTreeMap<SecretName, u32>,
}

impl Vars<'_> {
    fn text(&mut self, name: &str, text: impl Into<String>, origin: EnvOrigin) {
        self.parts(name, vec![EnvPart::Text(text.into())], origin, None);
    }

    fn parts(
        &mut self,
        name: &str,
        value: Vec<EnvPart>,
        origin: EnvOrigin,
        generate: Option<GeneratedSecret>,
    ) {
        let Ok(name) = name.parse::<EnvName>() else { return };
        let var = EnvVar { name: name.clone(), value };
        self.found.insert(name, Resolved { var, origin, generate });
    }

    /// The newest version of a secret, or its first one, to be made.
    fn secret(&self, name: &str, recipe: EnvGenerate) -> Option<(SecretRef, Option<GeneratedSecret>)> {
        let name: SecretName = name.parse().ok()?;
        if let Some(version) = self.secrets.get(&name) {
            return Some((SecretRef { name, version: *version }, None));
        }
        let secret = SecretRef { name, version: 1 };
        Some((secret.clone(), Some(GeneratedSecret { secret, recipe })))
    }
}

/// Defaults that the service cannot start without, and values that can simply be made.
fn defaults(planned: &PlannedService, vars: &mut Vars<'_>) {
    let service = &planned.service;
    for need in service.spec.env.iter().filter(|need| !need.build_time) {
        if let Some(recipe) = need.generate {
            let secret = vars.secret(&format!("{}/{}", service.name, need.name), recipe);
            let Some((secret, generate)) = secret else { continue };
            vars.parts(&need.name, vec![EnvPart::Secret(secret)], EnvOrigin::Generated, generate);
        } else if let (true, false, Some(default)) = (need.required, need.secret, &need.default) {
            vars.text(&need.name, default.clone(), EnvOrigin::Analysis);
        }
    }
}

fn container(service: &Service, entry: &DependencyEntry, vars: &mut Vars<'_>) {
    for (name, given) in entry.container {
        match given {
            Given::User | Given::Database => vars.text(name, ACCOUNT, EnvOrigin::Generated),
            Given::Password => {
                let Some((secret, generate)) = password(service, vars) else { continue };
                vars.parts(name, vec![EnvPart::Secret(secret)], EnvOrigin::Generated, generate);
            }
        }
    }
}

/// What a service is told about a dependency that this project runs.
fn references(need: &DependencyNeed, all: &[PlannedService], vars: &mut Vars<'_>) {
    let kind = dependency::canonical(&need.kind);
    let target = all.iter().find(|other| own_entry(&other.service).is_some_and(|entry| entry.kind == kind));
    let Some(target) = target else { return };
    let Some(entry) = own_entry(&target.service) else { return };
    let host = target.service.name.as_str();
    let binding = &need.binding;
    let secret = if entry.login { password(&target.service, vars) } else { None };
    let conventional = [(entry.conventional_url.0.to_owned(), entry.conventional_url.1.to_owned())];
    let named: Vec<(String, String)> =
        binding.url.iter().map(|url| (url.name.clone(), url.scheme.clone())).collect();
    let urls = if binding.is_empty() { conventional.to_vec() } else { named };
    for (name, scheme) in urls {
        let parts = url(&scheme, host, entry, secret.as_ref().map(|(secret, _)| secret));
        let generate = secret.as_ref().and_then(|(_, generate)| generate.clone());
        vars.parts(&name, parts, EnvOrigin::Reference, generate);
    }
    let texts = [
        (&binding.host, host.to_owned()),
        (&binding.port, entry.port.to_string()),
        (&binding.user, ACCOUNT.to_owned()),
        (&binding.database, ACCOUNT.to_owned()),
    ];
    for (name, text) in texts {
        if let Some(name) = name {
            vars.text(name, text, EnvOrigin::Reference);
        }
    }
    if let (Some(name), Some((secret, generate))) = (&binding.password, secret) {
        vars.parts(name, vec![EnvPart::Secret(secret)], EnvOrigin::Reference, generate);
    }
}

fn url(scheme: &str, host: &str, entry: &DependencyEntry, secret: Option<&SecretRef>) -> Vec<EnvPart> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let scheme: String = scheme.chars().filter(|c| plain(*c)).collect();
    let tail = format!("{host}:{}/{}", entry.port, entry.path);
    match secret {
        None => vec![EnvPart::Text(format!("{scheme}://{tail}"))],
        Some(secret) => vec![
            EnvPart::Text(format!("{scheme}://{ACCOUNT}:")),
            EnvPart::Secret(secret.clone()),
            EnvPart::Text(format!("@{tail}")),
        ],
    }
}

fn password(service: &Service, vars: &Vars<'_>) -> Option<(SecretRef, Option<GeneratedSecret>)> {
    vars.secret(&format!("{}/password", service.name), EnvGenerate::Hex32)
}

fn own_entry(service: &Service) -> Option<&'static DependencyEntry> {
    service.spec.dependency.as_ref().and_then(|choice| dependency::entry(&choice.kind))
}
