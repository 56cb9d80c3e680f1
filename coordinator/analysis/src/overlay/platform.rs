//! Manifests of other platforms: app.json, render.yaml, fly.toml, railway.json, Kamal's deploy.yml.
//!
//! One rule: they are read as statements about this code (start, port, health, env, databases), never as instructions.

use hydron_domain::analysis::ServiceKind;
use serde_json::Value;

use crate::draft::Draft;
use crate::env::collect;
use crate::field::At;
use crate::formats::{json, yaml};
use crate::path;
use crate::repo::{Repo, Role};

/// Applies every manifest to the drafts of its directory.
pub(crate) fn apply(repo: &Repo<'_>, drafts: &mut [Draft]) {
    for file in repo.files().iter().filter(|f| f.role == Role::Normal) {
        let Some(text) =
            repo.text_if(file, &["app.json", "render.yaml", "fly.toml", "railway.json", "railway.toml"])
        else {
            continue;
        };
        match file.name() {
            "app.json" => app_json(repo, drafts, &file.path, text),
            "render.yaml" => render(repo, drafts, &file.path, text),
            "fly.toml" => fly(repo, drafts, &file.path, text),
            "railway.json" => railway(repo, drafts, &file.path, json::parse(text).ok()),
            "railway.toml" => railway(repo, drafts, &file.path, toml_value(text)),
            _ => {}
        }
    }
}

fn toml_value(text: &str) -> Option<Value> {
    let table: toml::Table = text.parse().ok()?;
    serde_json::to_value(table).ok()
}

fn at_dir<'d>(drafts: &'d mut [Draft], dir: &str) -> Vec<&'d mut Draft> {
    drafts.iter_mut().filter(|d| d.dir == dir && d.kind != ServiceKind::Worker).collect()
}

fn app_json(repo: &Repo<'_>, drafts: &mut [Draft], file: &str, text: &str) {
    let Ok(value) = json::parse(text) else { return };
    if value.get("expo").is_some() {
        return;
    }
    for draft in at_dir(drafts, path::parent(file)) {
        for (name, entry) in value.get("env").and_then(Value::as_object).into_iter().flatten() {
            let default = entry.as_str().or_else(|| json::text(entry, "value"));
            collect::from_platform(draft, name, default, &At::find(repo, file, name));
            if let Some(env) = draft.env.get_mut(name) {
                env.description = json::text(entry, "description").map(str::to_owned);
                if json::text(entry, "generator") == Some("secret") {
                    env.secret = true;
                    env.default = None;
                    env.generate = Some(hydron_domain::analysis::EnvGenerate::Hex32);
                }
            }
        }
        for addon in value.get("addons").and_then(Value::as_array).into_iter().flatten() {
            let plan = addon.as_str().or_else(|| json::text(addon, "plan")).unwrap_or_default();
            let kind = [
                ("postgres", "postgres"),
                ("redis", "redis"),
                ("mysql", "mysql"),
                ("jawsdb", "mysql"),
                ("cleardb", "mysql"),
                ("mongo", "mongodb"),
                ("rabbitmq", "rabbitmq"),
                ("cloudamqp", "rabbitmq"),
            ];
            if let Some((_, kind)) = kind.iter().find(|(n, _)| plan.contains(n)) {
                draft.need(kind).reasons.offer(plan, 0.85, "platform.addon", At::find(repo, file, plan));
            }
        }
    }
}

fn render(repo: &Repo<'_>, drafts: &mut [Draft], file: &str, text: &str) {
    let Ok(value) = yaml::parse(text) else { return };
    for service in value.get("services").and_then(Value::as_array).into_iter().flatten() {
        let root = json::text(service, "rootDir").unwrap_or("");
        let Some(dir) = path::resolve(path::parent(file), root) else { continue };
        let worker = matches!(json::text(service, "type"), Some("worker" | "cron"));
        for draft in drafts.iter_mut().filter(|d| d.dir == dir && (d.kind == ServiceKind::Worker) == worker) {
            if let Some(start) = json::text(service, "startCommand") {
                draft.start.offer(start, 0.8, "render.start", At::find(repo, file, start));
            }
            if let Some(health) = json::text(service, "healthCheckPath") {
                draft.health.offer(health, 0.85, "render.health", At::find(repo, file, health));
            }
            for entry in service.get("envVars").and_then(Value::as_array).into_iter().flatten() {
                if let Some(name) = json::text(entry, "key") {
                    let value = entry.get("value").and_then(yaml::scalar);
                    collect::from_platform(draft, name, value.as_deref(), &At::find(repo, file, name));
                }
            }
        }
    }
}

fn fly(repo: &Repo<'_>, drafts: &mut [Draft], file: &str, text: &str) {
    let Some(value) = toml_value(text) else { return };
    let service = value.get("services").and_then(Value::as_array).and_then(|s| s.first());
    let port = json::at(&value, "http_service.internal_port")
        .or_else(|| service.and_then(|s| s.get("internal_port")));
    let checks =
        json::at(&value, "http_service.checks").or_else(|| service.and_then(|s| s.get("http_checks")));
    let health = checks.and_then(Value::as_array).and_then(|c| c.iter().find_map(|c| json::text(c, "path")));
    for draft in at_dir(drafts, path::parent(file)) {
        if let Some(port) = port.and_then(Value::as_u64).and_then(|p| u16::try_from(p).ok()) {
            draft.port.offer(port, 0.75, "fly.port", At::find(repo, file, "internal_port"));
        }
        if let Some(path) = health {
            draft.health.offer(path, 0.85, "fly.health", At::find(repo, file, path));
        }
        if let Some(release) = json::text(&value, "deploy.release_command") {
            draft.release.offer(release, 0.85, "fly.release", At::find(repo, file, "release_command"));
        }
        for (name, value) in value.get("env").and_then(Value::as_object).into_iter().flatten() {
            collect::from_platform(draft, name, yaml::scalar(value).as_deref(), &At::find(repo, file, name));
        }
    }
}

fn railway(repo: &Repo<'_>, drafts: &mut [Draft], file: &str, value: Option<Value>) {
    let Some(value) = value else { return };
    for draft in at_dir(drafts, path::parent(file)) {
        if let Some(start) = json::text(&value, "deploy.startCommand") {
            draft.start.offer(start, 0.8, "railway.start", At::find(repo, file, "startCommand"));
        }
        if let Some(health) = json::text(&value, "deploy.healthcheckPath") {
            draft.health.offer(health, 0.85, "railway.health", At::find(repo, file, "healthcheckPath"));
        }
    }
}
