//! One test's Hydron: coordinator, agent, git host and an owner's client, removed when the test is over.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hydron_store::Location;
use hydron_tests::demo::clean;
use hydron_tests::git_host::{Access, GitHost, Options};
use hydron_tests::stack::agent::{Agent, AgentOptions, Ports};
use hydron_tests::stack::client::Client;
use hydron_tests::stack::coordinator::{Coordinator, CoordinatorOptions};
use hydron_tests::stack::pipeline::{self, Quiet, text};
use hydron_tests::stack::process::free_port;
use hydron_tests::stack::site::Visitor;
use serde_json::{Value, json};

use crate::repository::Repository;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A running Hydron.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) dir: PathBuf,
    pub(crate) git: GitHost,
    pub(crate) coordinator: Coordinator,
    pub(crate) client: Client,
    pub(crate) agent: Agent,
    pub(crate) server: String,
    pub(crate) database_url: Option<String>,
    projects: Vec<String>,
}

/// What is not as usual in a world.
#[derive(Debug, Default)]
pub(crate) struct Setup {
    /// A directory from [`fresh_dir`]; one of its own when unset.
    pub(crate) dir: Option<PathBuf>,
    /// PostgreSQL, or SQLite when unset.
    pub(crate) database_url: Option<String>,
    /// Where the coordinator listens for agents; loopback when unset.
    pub(crate) agents: Option<SocketAddr>,
    /// `host:port` that the agent dials; the coordinator itself when unset.
    pub(crate) dial: Option<String>,
    /// Shell words before the agent's program and its arguments.
    pub(crate) agent_inside: Option<String>,
}

impl Setup {
    /// On a database of its own.
    pub(crate) fn on(location: Location) -> Self {
        let database_url = match location {
            Location::Postgres(url) => Some(url),
            Location::Sqlite(_) => None,
        };
        Self { database_url, ..Self::default() }
    }
}

impl World {
    /// Starts one with an enrolled server.
    pub(crate) async fn start() -> Self {
        Self::start_with(Setup::default()).await
    }

    /// The same, in other circumstances.
    pub(crate) async fn start_with(setup: Setup) -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let dir = setup.dir.clone().unwrap_or_else(fresh_dir);
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let git =
            GitHost::start(Options { root: dir.join("git"), listen, access: Access::Public }).await.unwrap();
        let coordinator = Coordinator::start(CoordinatorOptions {
            program: program("HYDRON_TEST_COORDINATOR", "target/debug/hydron"),
            data_dir: dir.join("c"),
            api: loopback(),
            agents: setup.agents.unwrap_or_else(loopback),
            database_url: setup.database_url.clone(),
            source_ca: Some(git.ca().to_owned()),
        })
        .await
        .unwrap();
        let anonymous = coordinator.client().unwrap();
        let (_, token) =
            coordinator.set_up(&anonymous, "owner@test.localhost", "a long password 1").await.unwrap();
        let client = anonymous.with_token(&token);
        let options = AgentOptions {
            program: agent_inside(&setup, &dir),
            root: dir.join("a"),
            coordinator: setup.dial.unwrap_or_else(|| coordinator.agents_address()),
            ports: Ports { http: free_port().unwrap(), https: free_port().unwrap() },
            source_ca: Some(git.ca().to_owned()),
            address_pool: format!("10.{}", 202 + number % 40),
        };
        let (agent, server) = enroll(&client, options).await;
        let (database_url, projects) = (setup.database_url, Vec::new());
        Self { dir, git, coordinator, client, agent, server, database_url, projects }
    }

    /// Stops the agent's supervisor and starts a new one, which knows of no earlier deaths; the server is online again.
    pub(crate) async fn agent_again(&mut self) {
        self.agent.stop().unwrap();
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        self.agent.restart().unwrap();
        // A coordinator that was started a moment ago calls nobody down who has not been to it yet.
        let came = |body: &Value| body["last_seen_at"].as_u64().is_some_and(|seen| u128::from(seen) >= since);
        let path = format!("/servers/{}", self.server);
        let back = |body: &Value| Ok(body["online"] == true && came(body));
        self.client.until(&path, Duration::from_secs(30), back).await.unwrap();
    }

    /// Makes a project that is removed with the world.
    pub(crate) async fn project(&mut self, name: &str) -> String {
        let project = pipeline::create_project(&self.client, name).await.unwrap();
        self.projects.push(project.clone());
        project
    }

    /// Publishes a repository and gives its URL.
    pub(crate) fn publish(&self, repository: &Repository) -> String {
        repository.publish(&self.dir.join("git"));
        self.git.url(&repository.file_name())
    }

    /// Takes a repository through the whole pipeline.
    pub(crate) async fn deploy(&mut self, repository: &Repository, name: &str) -> (String, Value) {
        let url = self.publish(repository);
        let project = self.project(name).await;
        let run = pipeline::deploy(&self.client, &project, &url, &mut Quiet).await;
        (project, run.unwrap_or_else(|error| panic!("{error:#}\n{}", self.logs())))
    }

    /// Deploys the newest commit; the run in its last state.
    pub(crate) async fn redeploy(&self, project: &str) -> Value {
        let path = format!("/projects/{project}/runs");
        let run = self.client.post(&path, json!({ "kind": "redeploy" })).await.unwrap();
        self.finished(&text(&run, "id").unwrap()).await
    }

    /// The last state of a run.
    pub(crate) async fn finished(&self, run: &str) -> Value {
        pipeline::follow(&self.client, run, Duration::from_mins(8), &mut Quiet)
            .await
            .unwrap_or_else(|error| panic!("{error:#}\n{}", self.logs()))
    }

    /// A service of a project by its name.
    pub(crate) async fn service(&self, project: &str, name: &str) -> Value {
        let services = self.client.get(&format!("/projects/{project}/services")).await.unwrap();
        let found = pipeline::items(&services).into_iter().find(|service| service["name"] == name);
        found.unwrap_or_else(|| panic!("no service {name} in {services}"))
    }

    /// A visitor of a project's site.
    pub(crate) async fn visitor(&self, project: &str) -> Visitor {
        let project = self.client.get(&format!("/projects/{project}")).await.unwrap();
        let server = self.client.get(&format!("/servers/{}", self.server)).await.unwrap();
        Visitor::new(&text(&project, "url").unwrap(), &text(&server, "site_ca_pem").unwrap()).unwrap()
    }

    /// The whole log of a step's attempt.
    pub(crate) async fn log(&self, run: &str, step: u64, attempt: u64) -> String {
        pipeline::log(&self.client, run, &self.server, (step, attempt)).await.unwrap()
    }

    /// What coordinator and agent wrote, for a failing test's message.
    pub(crate) fn logs(&self) -> String {
        let read = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
        let coordinator = read(&self.coordinator.data_dir().join("coordinator.log"));
        let agent = read(&self.dir.join("a/agent.log"));
        let end = |text: &str| hydron_tests::stack::process::last_lines(text, 40);
        format!("--- coordinator\n{}\n--- agent\n{}", end(&coordinator), end(&agent))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.agent.stop();
        let _ = self.coordinator.stop();
        if std::thread::panicking() && std::env::var_os("HYDRON_KEEP_FAILED").is_some() {
            return;
        }
        let _ = clean::end_processes_of(self.agent.root());
        for project in &self.projects {
            let _ = clean::remove_docker_objects(project);
        }
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

async fn enroll(client: &Client, options: AgentOptions) -> (Agent, String) {
    std::fs::create_dir_all(&options.root).unwrap();
    std::fs::set_permissions(&options.root, std::fs::Permissions::from_mode(0o755)).unwrap();
    Agent::configure(&options).unwrap();
    let adopted = client.post("/servers/adopt", json!({ "name": "server" })).await.unwrap();
    Agent::join(&options, &text(&adopted, "token").unwrap()).unwrap();
    let agent = Agent::start(options).unwrap();
    let server = text(&adopted["server"], "id").unwrap();
    let path = format!("/servers/{server}");
    client.until(&path, Duration::from_secs(30), |body| Ok(body["online"] == true)).await.unwrap();
    (agent, server)
}

/// The program itself, or a script that enters something and becomes it.
fn agent_inside(setup: &Setup, dir: &Path) -> PathBuf {
    let built = program("HYDRON_TEST_AGENT", "target/x86_64-unknown-linux-musl/lab/hydron-agent");
    let Some(words) = &setup.agent_inside else { return built };
    let script = dir.join("agent-inside");
    std::fs::write(&script, format!("#!/bin/sh\nexec {words} {} \"$@\"\n", built.display())).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    script
}

/// A directory for a world.
pub(crate) fn fresh_dir() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Short: socket paths have room for 108 bytes. Not below a private home: link and proxy are other users.
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let dir = PathBuf::from(format!("/var/tmp/hye{}-{number}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o755)).unwrap();
    dir
}

/// A port of this machine that nobody uses.
pub(crate) fn loopback() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, free_port().unwrap()))
}

/// The product's program that is tested.
pub(crate) fn program(variable: &str, built: &str) -> PathBuf {
    let path = std::env::var_os(variable)
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(built), PathBuf::from);
    assert!(path.exists(), "{} is missing: run tests/lab/build test", path.display());
    path
}
