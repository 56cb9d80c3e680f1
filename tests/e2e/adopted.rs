//! A lab server that was adopted as README.md says, with a coordinator of its own on this machine.
//!
//! Rule: what a person types is typed here; only the allowances for a git host on a private address are the tests' own.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use hydron_tests::git_host::{Access, GitHost, Options};
use hydron_tests::stack::client::Client;
use hydron_tests::stack::coordinator::{Coordinator, CoordinatorOptions};
use hydron_tests::stack::pipeline::{self, text};
use hydron_tests::stack::process::{free_port, last_lines};
use hydron_tests::stack::server::Server;
use hydron_tests::stack::site::Visitor;
use serde_json::{Value, json};

use crate::repository::Repository;
use crate::world::program;

/// Where README.md puts the program.
const PROGRAM: &str = "/usr/local/bin/hydron-agent";

/// The unit in which an agent is run that has no units.
pub(crate) const SUPERVISOR: &str = "somebodys-shell.service";

/// A coordinator and its server.
#[derive(Debug)]
pub(crate) struct Adopted {
    pub(crate) dir: PathBuf,
    pub(crate) server: Server,
    pub(crate) git: GitHost,
    pub(crate) coordinator: Coordinator,
    pub(crate) client: Client,
    /// The server's id.
    pub(crate) id: String,
}

/// A live site.
#[derive(Debug)]
pub(crate) struct Site {
    url: String,
    ca: String,
}

impl Adopted {
    /// Starts both and adopts the server by its page's line, with units.
    pub(crate) async fn start(name: &str) -> Self {
        let mut adopted = Self::prepare(name, "/").await;
        let page = adopted.page().await;
        // Root with a careful umask; the token goes in by standard input.
        let line = format!("umask 077; {}", text(&page, "command").unwrap());
        adopted.enter(&page, &["sh", "-c", &line]).await;
        adopted
    }

    /// The same with an agent that somebody runs in a directory, as the demo does, though systemd is there.
    pub(crate) async fn start_in_a_directory(name: &str, root: &str) -> Self {
        let mut adopted = Self::prepare(name, root).await;
        let page = adopted.page().await;
        let address = adopted.coordinator.agents_address();
        let agent = ["hydron-agent", "--root", root];
        adopted.type_token(&page, &[&agent[..], &["join", "--coordinator", &address]].concat());
        let supervisor = ["systemd-run", "--quiet", &format!("--unit={SUPERVISOR}"), "--collect"];
        adopted.enter(&page, &[&supervisor[..], &agent, &["run"]].concat()).await;
        adopted
    }

    /// A coordinator, and a server that has the program and is not adopted yet.
    async fn prepare(name: &str, root: &str) -> Self {
        let server = Server::start(&format!("hydron-{name}-{}", std::process::id())).unwrap();
        let host = server.host().unwrap();
        let dir = PathBuf::from(format!("/var/tmp/hydron-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let listen = SocketAddr::from((host, 0));
        let git =
            GitHost::start(Options { root: dir.join("git"), listen, access: Access::Public }).await.unwrap();
        let coordinator = Coordinator::start(CoordinatorOptions {
            program: program("HYDRON_TEST_COORDINATOR", "target/debug/hydron"),
            data_dir: dir.join("c"),
            api: SocketAddr::from((Ipv4Addr::LOCALHOST, free_port().unwrap())),
            agents: SocketAddr::from((host, free_port().unwrap())),
            database_url: None,
            source_ca: Some(git.ca().to_owned()),
        })
        .await
        .unwrap();
        let anonymous = coordinator.client().unwrap();
        let (_, token) =
            coordinator.set_up(&anonymous, "owner@test.localhost", "a long password 1").await.unwrap();
        let client = anonymous.with_token(&token);
        // The lab's server has a web server of its own; a fresh machine has not.
        server.run(&["systemctl", "disable", "--now", "nginx"]).unwrap();
        server.copy_in(git.ca(), "/etc/source-ca.pem", "644").unwrap();
        server.write(&format!("{root}/etc/hydron/agent.toml"), AGENT_TOML, "644").unwrap();
        let built = program("HYDRON_TEST_AGENT", "target/x86_64-unknown-linux-musl/lab/hydron-agent");
        server.copy_in(&built, PROGRAM, "755").unwrap();
        Self { dir, server, git, coordinator, client, id: String::new() }
    }

    async fn page(&self) -> Value {
        self.client.post("/servers/adopt", json!({ "name": "server" })).await.unwrap()
    }

    fn type_token(&self, page: &Value, argv: &[&str]) -> String {
        self.server.run_with_input(argv, text(page, "token").unwrap().as_bytes()).unwrap()
    }

    /// The last command of adopting; then the server comes.
    async fn enter(&mut self, page: &Value, argv: &[&str]) {
        self.type_token(page, argv);
        self.id = text(&page["server"], "id").unwrap();
        self.online().await;
    }

    /// Waits until the server's agent is connected.
    pub(crate) async fn online(&self) {
        let path = format!("/servers/{}", self.id);
        let online = self.client.until(&path, Duration::from_mins(1), |body| Ok(body["online"] == true));
        online.await.unwrap_or_else(|error| panic!("{error:#}\n{}", self.logs()));
    }

    /// Publishes a repository and gives its URL.
    pub(crate) fn publish(&self, repository: &Repository) -> String {
        repository.publish(&self.dir.join("git"));
        self.git.url(&repository.file_name())
    }

    /// The last state of a run.
    pub(crate) async fn finished(&self, run: &str) -> Value {
        let run = pipeline::follow(&self.client, run, Duration::from_mins(3), &mut pipeline::Quiet).await;
        run.and_then(pipeline::completed).unwrap_or_else(|error| panic!("{error:#}\n{}", self.logs()))
    }

    /// A project's site, and what a visitor must know of it.
    pub(crate) async fn site(&self, project: &str) -> Site {
        let project = self.client.get(&format!("/projects/{project}")).await.unwrap();
        let server = self.client.get(&format!("/servers/{}", self.id)).await.unwrap();
        Site { url: text(&project, "url").unwrap(), ca: text(&server, "site_ca_pem").unwrap() }
    }

    /// Waits until the site answers a visitor on this machine who goes to the server's address.
    pub(crate) async fn serves(&self, site: &Site, body: &str) {
        let deadline = Instant::now() + Duration::from_mins(1);
        loop {
            let visitor = Visitor::at(self.server.address().unwrap(), &site.url, &site.ca).unwrap();
            let answer = visitor.get("/").await;
            if answer.as_ref().is_ok_and(|answer| *answer == (200, body.to_owned())) {
                return;
            }
            assert!(Instant::now() < deadline, "{}: {answer:?}\n{}", site.url, self.logs());
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// What coordinator and agent wrote, for a failing test's message.
    pub(crate) fn logs(&self) -> String {
        let coordinator = std::fs::read_to_string(self.dir.join("c/coordinator.log")).unwrap_or_default();
        format!(
            "--- coordinator\n{}\n--- server\n{}\n{}",
            last_lines(&coordinator, 40),
            self.server.journal("hydron-*"),
            self.server.journal(SUPERVISOR)
        )
    }
}

impl Drop for Adopted {
    fn drop(&mut self) {
        let _ = self.coordinator.stop();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

const AGENT_TOML: &[u8] = b"[link]
retry_min_ms = 200
retry_max_ms = 1000

[steps]
allow_private_sources = true
extra_source_ca = \"/etc/source-ca.pem\"
";
