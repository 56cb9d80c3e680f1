//! The main job through the public interface, as a user does it: source → analysis → services → plan → approval → run.
//!
//! Rule: knows no sample; it approves what it is shown, by the digest that it was shown.

use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::client::Client;

/// What the pipeline tells while it goes on.
pub trait Progress {
    /// A phase begins.
    fn phase(&mut self, name: &str);
    /// A line worth showing.
    fn line(&mut self, text: &str);
}

/// A silent listener.
#[derive(Debug, Default)]
pub struct Quiet;

impl Progress for Quiet {
    fn phase(&mut self, _name: &str) {}
    fn line(&mut self, _text: &str) {}
}

/// Makes a project.
pub async fn create_project(client: &Client, name: &str) -> anyhow::Result<String> {
    let project = client.post("/projects", json!({ "name": name })).await?;
    text(&project, "id")
}

/// Reads a repository and waits for the result.
pub async fn analyse(client: &Client, project: &str, url: &str) -> anyhow::Result<Value> {
    let analysis = client.post(&format!("/projects/{project}/analyses"), json!({ "url": url })).await?;
    let path = format!("/analyses/{}", text(&analysis, "id")?);
    client
        .until(&path, Duration::from_secs(90), |body| match body["state"].as_str() {
            Some("done") => Ok(true),
            Some("failed") => anyhow::bail!("the analysis failed: {}", body["error"]),
            _ => Ok(false),
        })
        .await
}

/// Plans on the given servers.
pub async fn plan(client: &Client, project: &str) -> anyhow::Result<Value> {
    client.post(&format!("/projects/{project}/infrastructure-plans"), json!({})).await
}

/// Approves a plan and its provisioning plans by the digests shown, which starts the run.
pub async fn approve(client: &Client, plan: &Value) -> anyhow::Result<String> {
    let id = text(plan, "id")?;
    let mut digests = serde_json::Map::new();
    for provisioning in items(&client.get(&format!("/infrastructure-plans/{id}/provisioning-plans")).await?) {
        digests.insert(text(&provisioning, "id")?, provisioning["digest"].clone());
    }
    let body = json!({ "digest": plan["digest"], "start": true, "provisioning_digests": digests });
    let answer = client.post(&format!("/infrastructure-plans/{id}/approve"), body).await?;
    text(&answer["run"], "id").context("approving did not start a run")
}

/// Waits for the end of a run, telling each step's change; gives the run's last state, whatever it is.
pub async fn follow(
    client: &Client,
    run: &str,
    patience: Duration,
    progress: &mut dyn Progress,
) -> anyhow::Result<Value> {
    let mut seen = std::collections::HashMap::new();
    let mut phase = String::new();
    client
        .until(&format!("/runs/{run}"), patience, |body| {
            for step in steps(body) {
                let (title, state) = (step["title"].to_string(), step["state"].to_string());
                if seen.insert(title.clone(), state.clone()) == Some(state) || step["state"] == "pending" {
                    continue;
                }
                let now = step["phase"].as_str().unwrap_or_default();
                if now != phase {
                    now.clone_into(&mut phase);
                    progress.phase(now);
                }
                progress.line(&format!(
                    "{} {}",
                    step["state"].as_str().unwrap_or("?"),
                    step["title"].as_str().unwrap_or("?")
                ));
            }
            Ok(matches!(body["state"].as_str(), Some("completed" | "failed" | "stopped")))
        })
        .await
}

/// The whole job; gives the completed run.
pub async fn deploy(
    client: &Client,
    project: &str,
    url: &str,
    progress: &mut dyn Progress,
) -> anyhow::Result<Value> {
    progress.phase("analysis");
    let analysis = analyse(client, project, url).await?;
    for service in items(&json!({ "items": analysis["result"]["services"] })) {
        let word = |key: &str| service[key].as_str().unwrap_or("-").to_owned();
        progress.line(&format!("found {} ({}, {})", word("name"), word("language"), word("framework")));
    }
    progress.phase("plan");
    client.post(&format!("/projects/{project}/services/accept-all"), json!({})).await?;
    let plan = plan(client, project).await?;
    progress.line(&format!("digest {}", plan["digest"].as_str().unwrap_or("?")));
    let run = approve(client, &plan).await?;
    let run = follow(client, &run, Duration::from_mins(30), progress).await?;
    completed(run)
}

/// The whole log of a step's attempt on a server.
pub async fn log(
    client: &Client,
    run: &str,
    server: &str,
    (step, attempt): (u64, u64),
) -> anyhow::Result<String> {
    let mut all = String::new();
    let mut offset = 0;
    loop {
        let path = format!("/runs/{run}/logs?server={server}&step={step}&attempt={attempt}&offset={offset}");
        let part = client.get(&path).await?;
        all.push_str(part["text"].as_str().unwrap_or_default());
        let next = part["next_offset"].as_u64().unwrap_or(offset);
        if next == offset || part["end"] == true {
            return Ok(all);
        }
        offset = next;
    }
}

/// An error that shows what failed, unless the run is completed.
pub fn completed(run: Value) -> anyhow::Result<Value> {
    if run["state"] == "completed" {
        return Ok(run);
    }
    let failed: Vec<String> = steps(&run)
        .filter(|step| step["state"] != "completed" && step["state"] != "pending")
        .map(|step| format!("{}: {} {}", step["title"], step["state"], step["error"]))
        .collect();
    anyhow::bail!("the run ended as {}: {} {}", run["state"], run["error"], failed.join("; "))
}

/// The steps of all servers of a run.
pub fn steps(run: &Value) -> impl Iterator<Item = &Value> {
    let servers = run["servers"].as_array().map(Vec::as_slice).unwrap_or_default();
    servers.iter().flat_map(|server| server["steps"].as_array().map(Vec::as_slice).unwrap_or_default())
}

/// The items of a list answer.
pub fn items(answer: &Value) -> Vec<Value> {
    answer["items"].as_array().cloned().unwrap_or_default()
}

/// A text field that must be there.
pub fn text(value: &Value, field: &str) -> anyhow::Result<String> {
    value[field].as_str().map(str::to_owned).with_context(|| format!("no `{field}` in {value}"))
}
