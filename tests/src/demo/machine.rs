//! Coordinator, agent and git host of the demo, started where they were last time.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use base64::Engine as _;
use serde_json::json;

use super::state::{Remembered, State, agent_root};
use super::{clean, ports};
use crate::git_host::{self, Access, GitHost};
use crate::stack::agent::{Agent, AgentOptions};
use crate::stack::client::Client;
use crate::stack::coordinator::{Coordinator, CoordinatorOptions};
use crate::stack::pipeline::{Progress, text};

/// The owner's address in the demo.
pub const OWNER: &str = "owner@demo.localhost";
/// Name of the demo's server.
const SERVER: &str = "this-machine";

/// Everything that runs while the demo runs.
#[derive(Debug)]
pub struct Machine {
    /// The coordinator.
    pub coordinator: Coordinator,
    /// The agent.
    pub agent: Agent,
    /// The git host.
    pub git: GitHost,
    /// A client with the demo's token.
    pub client: Client,
}

impl Machine {
    /// Starts all of it; `sample` is published to the git host first.
    pub async fn start(
        state: &mut State,
        sample: Option<&Path>,
        progress: &mut dyn Progress,
    ) -> anyhow::Result<Self> {
        progress.phase("start: git host, coordinator, agent");
        let git = start_git(state, sample, progress).await?;
        let coordinator = start_coordinator(state, git.ca()).await?;
        let client = sign_in(state, &coordinator).await?;
        let agent = start_agent(state, &coordinator, &client, git.ca(), progress).await?;
        progress.line(&format!("coordinator {}", coordinator.base()));
        Ok(Self { coordinator, agent, git, client })
    }

    /// Stops coordinator and agent; what they deployed stays up.
    pub fn stop(mut self) -> anyhow::Result<()> {
        self.agent.stop()?;
        self.coordinator.stop()
    }
}

/// Name of the demo's repository on its git host.
pub fn repository_name(sample: &Path) -> String {
    format!("{}.git", sample.file_name().unwrap_or_default().to_string_lossy())
}

async fn start_git(
    state: &mut State,
    sample: Option<&Path>,
    progress: &mut dyn Progress,
) -> anyhow::Result<GitHost> {
    let root = state.path("git");
    std::fs::create_dir_all(&root)?;
    if let Some(sample) = sample {
        let repository = root.join(repository_name(sample));
        let published = git_host::publish_folder(&repository, "main", sample, "Publish")?;
        progress.line(&format!("source at commit {}", published.commit));
    }
    let port = ports::one(state.remembered.git_port, 8450)?;
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let host = GitHost::start(git_host::Options { root, listen, access: Access::Public }).await?;
    state.remembered.git_port = Some(port);
    state.save()?;
    Ok(host)
}

async fn start_coordinator(state: &mut State, source_ca: &Path) -> anyhow::Result<Coordinator> {
    let api_port = ports::one(state.remembered.api_port, 8443)?;
    let agents_port = ports::one(state.remembered.agents_port.filter(|port| *port != api_port), 8444)?;
    state.remembered.api_port = Some(api_port);
    state.remembered.agents_port = Some(agents_port);
    state.save()?;
    let options = CoordinatorOptions {
        program: beside_us("hydron")?,
        data_dir: state.path("coordinator"),
        api: SocketAddr::from((Ipv4Addr::LOCALHOST, api_port)),
        agents: SocketAddr::from((Ipv4Addr::LOCALHOST, agents_port)),
        database_url: None,
        source_ca: Some(source_ca.to_owned()),
    };
    Coordinator::start(options).await
}

/// The demo's token; the first time, the owner is made through the one-time link.
async fn sign_in(state: &State, coordinator: &Coordinator) -> anyhow::Result<Client> {
    let client = coordinator.client()?;
    if let Some(token) = state.secret("api-token") {
        return Ok(client.with_token(&token));
    }
    let password = if let Some(password) = state.secret("owner-password") {
        password
    } else {
        let password = random_word()?;
        state.keep_secret("owner-password", &password)?;
        password
    };
    let (_, token) = coordinator.set_up(&client, OWNER, &password).await?;
    state.keep_secret("api-token", &token)?;
    Ok(client.with_token(&token))
}

async fn start_agent(
    state: &mut State,
    coordinator: &Coordinator,
    client: &Client,
    source_ca: &Path,
    progress: &mut dyn Progress,
) -> anyhow::Result<Agent> {
    let remembered = state.remembered.http_port.zip(state.remembered.https_port);
    let ports = ports::sites(remembered)?;
    progress.line(&format!("sites on ports {} and {}", ports.http, ports.https));
    let root = match &state.remembered.agent_root {
        Some(root) => root.clone(),
        None => fresh_root(state, progress)?,
    };
    state.remembered.http_port = Some(ports.http);
    state.remembered.https_port = Some(ports.https);
    state.remembered.agent_root = Some(root.clone());
    state.save()?;
    let options = AgentOptions {
        program: beside_us("../x86_64-unknown-linux-musl/agent/hydron-agent")?,
        root,
        coordinator: coordinator.agents_address(),
        ports,
        source_ca: Some(source_ca.to_owned()),
        address_pool: "10.201".to_owned(),
    };
    Agent::configure(&options)?;
    if state.remembered.server.is_none() {
        let adopted = client.post("/servers/adopt", json!({ "name": SERVER })).await?;
        Agent::join(&options, &text(&adopted, "token")?)?;
        state.remembered.server = Some(text(&adopted["server"], "id")?);
        state.save()?;
    }
    let agent = Agent::start(options)?;
    let server = state.remembered.server.clone().context("a joined server")?;
    let online = |body: &serde_json::Value| Ok(body["online"] == true);
    client.until(&format!("/servers/{server}"), Duration::from_mins(1), online).await?;
    Ok(agent)
}

/// A fresh root for an agent. What stands there belongs to a demo whose state directory was deleted: nobody could manage
/// its containers any more, and its agent could not join again.
fn fresh_root(state: &State, progress: &mut dyn Progress) -> anyhow::Result<PathBuf> {
    let root = agent_root(state.dir())?;
    if let Some(left) = Remembered::left_in(&root)? {
        progress.line("removing what is left of the demo whose state directory was deleted");
        clean::remove_made(&left)?;
    }
    std::fs::create_dir_all(&root).with_context(|| format!("make {}", root.display()))?;
    std::fs::set_permissions(&root, std::fs::Permissions::from_mode(0o755))?;
    progress.line(&format!("the agent's files are in {}", root.display()));
    Ok(root)
}

fn beside_us(name: &str) -> anyhow::Result<PathBuf> {
    let here = std::env::current_exe()?;
    let path = here.parent().context("a program in a directory")?.join(name);
    anyhow::ensure!(path.exists(), "{} is missing: run `make demo`, which builds it", path.display());
    Ok(path)
}

fn random_word() -> anyhow::Result<String> {
    let mut bytes = [0u8; 18];
    std::io::Read::read_exact(&mut std::fs::File::open("/dev/urandom")?, &mut bytes)?;
    Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes))
}
