//! The main job: the first time the whole pipeline, afterwards a redeploy of what changed.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::machine::{Machine, OWNER, repository_name};
use super::screen::Screen;
use super::state::State;
use crate::stack::pipeline::{self, Progress as _, text};
use crate::stack::site::Visitor;

/// Where the authority behind the sites' certificates is kept for `curl`: the agent's own copy is for root alone.
const SITE_CA: &str = "site-ca.pem";

/// Deploys `sample` and says where it lives.
pub async fn deploy(
    machine: &Machine,
    state: &mut State,
    sample: &Path,
    screen: &mut Screen,
) -> anyhow::Result<()> {
    let client = &machine.client;
    let name = sample.file_name().context("a sample with a name")?.to_string_lossy().into_owned();
    let project = if let Some(project) = &state.remembered.project {
        project.clone()
    } else {
        let project = pipeline::create_project(client, &name).await?;
        state.remembered.project = Some(project.clone());
        state.save()?;
        project
    };
    let known = client.get(&format!("/projects/{project}")).await?;
    if known["url"].is_string() {
        redeploy(machine, &project, screen).await?;
    } else {
        let url = machine.git.url(&repository_name(sample));
        pipeline::deploy(client, &project, &url, screen).await?;
    }
    let live = client.get(&format!("/projects/{project}")).await?;
    let url = text(&live, "url")?;
    visit(machine, state, &url, screen).await?;
    let ca = state.path(SITE_CA);
    let mut lines = vec![("live", url.clone()), ("try", format!("curl --cacert {} {url}/", ca.display()))];
    lines.extend(addresses(machine, state));
    screen.done(&lines);
    Ok(())
}

/// Where the UI is and how to sign in.
pub fn addresses(machine: &Machine, state: &State) -> Vec<(&'static str, String)> {
    let place = match &state.remembered.project {
        Some(project) => format!("/projects/{project}"),
        None => String::new(),
    };
    vec![
        ("UI", format!("{}{place}", machine.coordinator.base())),
        ("sign in", format!("{OWNER}, password in {}", state.path("owner-password").display())),
    ]
}

async fn redeploy(machine: &Machine, project: &str, screen: &mut Screen) -> anyhow::Result<Value> {
    screen.phase("redeploy the newest commit");
    let path = format!("/projects/{project}/runs");
    let run = machine.client.post(&path, json!({ "kind": "redeploy" })).await?;
    let run = pipeline::follow(&machine.client, &text(&run, "id")?, Duration::from_mins(30), screen).await?;
    pipeline::completed(run)
}

async fn visit(machine: &Machine, state: &State, url: &str, screen: &mut Screen) -> anyhow::Result<()> {
    screen.phase("visit");
    let server = state.remembered.server.as_deref().context("a server")?;
    let server = machine.client.get(&format!("/servers/{server}")).await?;
    let ca = text(&server, "site_ca_pem")?;
    state.keep_public(SITE_CA, &ca)?;
    let (status, body) = Visitor::new(url, &ca)?.get("/").await?;
    anyhow::ensure!(status == 200, "{url} answered {status}: {body}");
    screen.line(&format!("{url}/ answers {status}, {} bytes", body.len()));
    Ok(())
}
