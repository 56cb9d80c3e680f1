//! One repository: services matched by path, then every field.
//!
//! One rule: a service of the truth is matched by at most one of the reading, and the other way round.

use std::collections::BTreeSet;

use hydron_domain::analysis::{Analysis, AnalyzedService};

use super::measure::Totals;
use super::truth::{Case, Service};

/// Compares and counts; the lines say what was missed.
pub(crate) fn compare(case: &Case, analysis: &Analysis, totals: &mut Totals) -> Vec<String> {
    let mut misses = Vec::new();
    let mut used: BTreeSet<usize> = BTreeSet::new();
    for truth in &case.services {
        let found = find(case, truth, analysis, &used);
        match found {
            Some((index, service)) => {
                used.insert(index);
                totals.service_recall.count(true);
                fields(truth, service, totals, &mut misses);
            }
            None if truth.optional => {}
            None => {
                totals.service_recall.count(false);
                misses.push(format!("MISSING service {} at {} ({})", truth.name, truth.path, truth.kind));
            }
        }
    }
    for (index, service) in analysis.services.iter().enumerate() {
        let known = used.contains(&index);
        let split = !known
            && case
                .services
                .iter()
                .any(|t| t.accept_split.is_some() && t.source_paths.contains(&service.path));
        if split || service.optional && !known {
            continue;
        }
        totals.service_precision.count(known);
        if !known {
            misses.push(format!(
                "EXTRA service {} at {} ({}, {})",
                service.name,
                service.path,
                service.kind.as_str(),
                service.framework.as_deref().unwrap_or("-")
            ));
        }
        if case.not_services.iter().any(|n| matches_negative(n, &service.path)) {
            totals.hard_negatives += 1;
            misses.push(format!("HARD NEGATIVE {}", service.path));
        }
    }
    misses
}

fn matches_negative(negative: &str, path: &str) -> bool {
    match negative.strip_suffix("/*") {
        Some(dir) => path.strip_prefix(dir).is_some_and(|rest| rest.starts_with('/')),
        None => negative == path,
    }
}

fn find<'a>(
    case: &Case,
    truth: &Service,
    analysis: &'a Analysis,
    used: &BTreeSet<usize>,
) -> Option<(usize, &'a AnalyzedService)> {
    let free = || analysis.services.iter().enumerate().filter(|(i, _)| !used.contains(i));
    let shared = case.services.iter().filter(|s| s.path == truth.path).count() > 1;
    let here = |s: &AnalyzedService| s.path == truth.path;
    let exact = free().find(|(_, s)| {
        here(s) && s.kind.as_str() == truth.kind && (!shared || same_text(s.framework.as_deref(), truth))
    });
    let kind = || free().find(|(_, s)| here(s) && s.kind.as_str() == truth.kind);
    let any = || if shared { None } else { free().find(|(_, s)| here(s)) };
    let split = || {
        if truth.accept_split.is_some() {
            free().find(|(_, s)| truth.source_paths.contains(&s.path) && s.kind.as_str() == truth.kind)
        } else {
            None
        }
    };
    exact.or_else(kind).or_else(any).or_else(split)
}

fn same_text(framework: Option<&str>, truth: &Service) -> bool {
    framework == truth.framework.as_deref()
        || truth.accept_frameworks.iter().any(|f| Some(f.as_str()) == framework)
}

fn fields(truth: &Service, service: &AnalyzedService, totals: &mut Totals, misses: &mut Vec<String>) {
    let mut miss = |field: &str, wanted: String, got: String| {
        misses.push(format!("{} {field}: wanted {wanted}, got {got}", truth.path));
    };
    let kind = service.kind.as_str() == truth.kind;
    totals.kind.count(kind);
    if !kind {
        miss("kind", truth.kind.clone(), service.kind.as_str().to_owned());
    }
    let family = |l: &str| if l == "javascript" { "typescript".to_owned() } else { l.to_owned() };
    let language = family(&truth.language) == family(&service.language)
        || truth.accept_languages.contains(&service.language);
    totals.language.count(language);
    if !language {
        miss("language", truth.language.clone(), service.language.clone());
    }
    if let Some(framework) = &truth.framework {
        let got = service.framework.as_deref().unwrap_or("none");
        let right = framework == got || truth.accept_frameworks.iter().any(|f| f == got);
        totals.framework.count(right);
        if !right {
            miss("framework", framework.clone(), got.to_owned());
        }
    }
    if let Some(manager) = &truth.package_manager {
        let got = service.package_manager.as_deref().unwrap_or("none");
        let right = manager.split(' ').next() == got.split(' ').next()
            || truth.alt_package_managers.iter().any(|m| m == got);
        totals.manager.count(right);
        if !right {
            miss("package_manager", manager.clone(), got.to_owned());
        }
    }
    port(truth, service, totals, &mut miss);
    if !truth.start.is_empty() && truth.kind != "static" {
        let got = service.start.as_deref().unwrap_or("-");
        let right = truth.start.iter().any(|s| same_start(s, got));
        totals.start.count(right);
        if !right {
            miss("start", format!("{:?}", truth.start), got.to_owned());
        }
    }
    if let Some(health) = &truth.health {
        let got = service.health.as_deref().unwrap_or("-");
        let same = |a: &str| a.trim_end_matches('/') == got.trim_end_matches('/');
        let right =
            same(health) || truth.accept_health.iter().any(|h| same(h)) || (health == "/" && got == "-");
        totals.health.count(right);
        if !right {
            miss("health", health.clone(), got.to_owned());
        }
    }
    dependencies(truth, service, totals, &mut miss);
    env(truth, service, totals, &mut miss);
    for other in &truth.depends_on {
        let right = service.depends_on.contains(other);
        totals.depends_on.count(right);
        if !right {
            miss("depends_on", other.clone(), format!("{:?}", service.depends_on));
        }
    }
}

fn port(
    truth: &Service,
    service: &AnalyzedService,
    totals: &mut Totals,
    miss: &mut impl FnMut(&str, String, String),
) {
    let Some(port) = truth.port else { return };
    if truth.kind == "static"
        || truth.accept_ports.as_str() == Some("any")
        || truth
            .port_note
            .as_deref()
            .is_some_and(|n| n.starts_with("any web port") || n.starts_with("no fixed port"))
    {
        return;
    }
    let accepted: Vec<u64> =
        truth.accept_ports.as_array().into_iter().flatten().filter_map(serde_json::Value::as_u64).collect();
    let right = service.port == Some(port) || service.port.is_some_and(|p| accepted.contains(&u64::from(p)));
    totals.port.count(right);
    if !right {
        miss("port", port.to_string(), format!("{:?}", service.port));
    }
}

fn dependencies(
    truth: &Service,
    service: &AnalyzedService,
    totals: &mut Totals,
    miss: &mut impl FnMut(&str, String, String),
) {
    let found: BTreeSet<&str> =
        service.dependencies.iter().filter(|d| d.required).map(|d| d.kind.as_str()).collect();
    for wanted in truth.dependencies.iter().filter(|d| d.required) {
        let right = found.contains(wanted.kind.as_str());
        totals.dependency_recall.count(right);
        if !right {
            miss("dependency", wanted.kind.clone(), format!("{found:?}"));
        }
    }
    for kind in found {
        let listed = truth.dependencies.iter().find(|d| d.kind == kind);
        if listed.is_some_and(|d| !d.required) {
            continue;
        }
        totals.dependency_precision.count(listed.is_some());
        if listed.is_none() {
            miss("dependency", "nothing".to_owned(), kind.to_owned());
        }
    }
}

fn env(
    truth: &Service,
    service: &AnalyzedService,
    totals: &mut Totals,
    miss: &mut impl FnMut(&str, String, String),
) {
    let found: BTreeSet<&str> = service.env.iter().map(|e| e.name.as_str()).collect();
    let mut lost = Vec::new();
    for name in &truth.env_names {
        let right = found.contains(name.as_str());
        totals.env_recall.count(right);
        if !right {
            lost.push(name.as_str());
        }
    }
    if !lost.is_empty() {
        miss("env", lost.join(","), "not found".to_owned());
    }
    let secrets: BTreeSet<&str> = service.env.iter().filter(|e| e.secret).map(|e| e.name.as_str()).collect();
    for name in &truth.env_secrets {
        let right = secrets.contains(name.as_str());
        totals.secret_recall.count(right);
        if !right {
            miss(
                "secret",
                name.clone(),
                if found.contains(name.as_str()) { "not secret" } else { "not found" }.to_owned(),
            );
        }
    }
    if truth.env_extra_allowed || truth.framework_env_extra {
        return;
    }
    let mut extra = Vec::new();
    for name in found {
        if truth.env_optional_names.iter().any(|n| n == name) {
            continue;
        }
        let right = truth.env_names.iter().any(|n| n == name);
        totals.env_precision.count(right);
        if !right {
            extra.push(name);
        }
    }
    if !extra.is_empty() {
        miss("env", "no".to_owned(), extra.join(","));
    }
}

/// Normalised text contained, or the same executable and entry.
fn same_start(wanted: &str, got: &str) -> bool {
    let plain = |s: &str| {
        s.replace(['"', '\''], "").replace("./", "").split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let (wanted, got) = (plain(wanted), plain(got));
    if wanted == got || got.contains(&wanted) {
        return true;
    }
    let head = |s: &str| {
        let words: Vec<&str> = s.split_whitespace().filter(|w| !w.starts_with('-')).collect();
        let executable =
            words.first().map(|w| w.rsplit('/').next().unwrap_or(w).to_owned()).unwrap_or_default();
        let entry = words.get(1).map(|w| w.trim_end_matches(".js").to_owned());
        (executable, entry)
    };
    head(&wanted) == head(&got)
}
