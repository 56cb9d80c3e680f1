//! Kubernetes manifests: what a deployment says about a service of this repository.
//!
//! One rule: a statement about port, health and variables of code that is here; nothing of it becomes a service by itself,
//! and a template that is not YAML yet says nothing.

use hydron_domain::analysis::ServiceKind;
use serde_json::Value;

use crate::draft::Draft;
use crate::env::collect;
use crate::field::At;
use crate::formats::{json, yaml};
use crate::overlay::images;
use crate::path;
use crate::repo::{File, Repo, Role};

/// Applies every workload to the draft that its container runs.
pub(crate) fn apply(repo: &Repo<'_>, drafts: &mut [Draft]) {
    let places =
        ["k8s", "kubernetes", "kube", "manifests", "deploy", "deployment", "deployments", "gitops", "base"];
    let placed = |f: &&File| {
        f.role == Role::Normal
            && matches!(f.extension(), "yml" | "yaml")
            && path::words(f.dir()).any(|word| places.contains(&word.as_str()))
    };
    for file in repo.files().iter().filter(placed) {
        let Some(text) = repo.text(file).filter(|t| t.contains("containers:") && t.contains("kind:")) else {
            continue;
        };
        for document in text.split("\n---") {
            if let Ok(value) = yaml::parse(document) {
                workload(repo, drafts, file, &value);
            }
        }
    }
}

fn workload(repo: &Repo<'_>, drafts: &mut [Draft], file: &File, value: &Value) {
    if !matches!(json::text(value, "kind"), Some("Deployment" | "StatefulSet" | "DaemonSet")) {
        return;
    }
    let Some(name) = json::text(value, "metadata.name") else { return };
    let containers = json::at(value, "spec.template.spec.containers").and_then(Value::as_array);
    for container in containers.into_iter().flatten() {
        let image = json::text(container, "image").map(images::base_name).unwrap_or_default();
        let named = |draft: &Draft| {
            let own = path::base(&draft.dir);
            let called = draft.name.value().is_some_and(|own| own == name || *own == image);
            called || !own.is_empty() && (own == name || own == image)
        };
        for draft in drafts.iter_mut().filter(|d| named(d)) {
            draft.hosts.insert(name.to_owned());
            says(repo, draft, &file.path, container);
        }
    }
}

fn says(repo: &Repo<'_>, draft: &mut Draft, file: &str, container: &Value) {
    for entry in container.get("env").and_then(Value::as_array).into_iter().flatten() {
        let Some(name) = json::text(entry, "name") else { continue };
        let value = entry.get("value").and_then(yaml::scalar);
        collect::from_platform(draft, name, value.as_deref(), &At::find(repo, file, name));
        if let Some(value) = value {
            draft.given.entry(name.to_owned()).or_insert(value);
        }
    }
    if draft.kind == ServiceKind::Worker {
        return;
    }
    let ports = container.get("ports").and_then(Value::as_array).into_iter().flatten();
    for port in ports.filter_map(|p| p.get("containerPort")?.as_u64()).filter_map(|p| u16::try_from(p).ok()) {
        draft.port.offer(port, 0.66, "kubernetes.port", At::find(repo, file, "containerPort"));
    }
    for probe in ["readinessProbe", "livenessProbe"] {
        let path = container.get(probe).and_then(|p| json::text(p, "httpGet.path"));
        if let Some(path) = path.filter(|p| p.starts_with('/')) {
            draft.health.offer(path, 0.84, "kubernetes.probe", At::find(repo, file, probe));
        }
    }
}
