//! A whole Hydron for the browser's tests: `web-stack FOLDER` serves the folder as a git repository, starts a coordinator
//! that nobody has set up yet, and does what lines on its standard input ask; see [`Stack::answer`].
//!
//! Rule: the end of its standard input (or a signal) ends it, and it then removes everything it started or made.
//! Neighbours: `hydron_tests::stack` (the processes), `hydron_tests::demo::clean`, `tests/web/browser/stack.mjs`.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Parser;
use hydron_tests::demo::clean;
use hydron_tests::git_host::{self, Access, GitHost, Options};
use hydron_tests::stack::agent::{Agent, AgentOptions, Ports};
use hydron_tests::stack::coordinator::{Coordinator, CoordinatorOptions};
use hydron_tests::stack::process::free_port;
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

#[derive(Parser)]
#[command(about = "Git host, coordinator and agent for tests in a browser, until standard input ends")]
struct Arguments {
    /// What to serve as a repository
    folder: PathBuf,
    /// Refuse private addresses as sources, as a coordinator does that nobody configured
    #[arg(long)]
    strict: bool,
    #[arg(long, env = "HYDRON_TEST_COORDINATOR", default_value = "target/debug/hydron")]
    coordinator: PathBuf,
    #[arg(
        long,
        env = "HYDRON_TEST_AGENT",
        default_value = "target/x86_64-unknown-linux-musl/lab/hydron-agent"
    )]
    agent: PathBuf,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut stack = Stack::start(Arguments::parse()).await?;
    say(&stack.addresses()?);
    let mut lines = standard_input();
    loop {
        let line = tokio::select! {
            line = lines.recv() => line,
            _ = terminated.recv() => None,
            _ = interrupted.recv() => None,
        };
        let Some(line) = line else { return Ok(()) };
        let answer = stack.answer(&line).unwrap_or_else(|error| json!({ "error": format!("{error:#}") }));
        say(&answer);
    }
}

/// Its lines, then nothing.
fn standard_input() -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// What runs, and what must be removed.
struct Stack {
    place: Place,
    git: GitHost,
    coordinator: Coordinator,
    agent: Option<Agent>,
    options: AgentOptions,
    projects: Vec<String>,
    occupied: Option<TcpListener>,
}

impl Stack {
    async fn start(arguments: Arguments) -> anyhow::Result<Self> {
        // Short: socket paths have room for 108 bytes. Not below a private home: link and proxy are other users.
        let place = Place(PathBuf::from(format!("/var/tmp/hyw{}", std::process::id())));
        let dir = &place.0;
        make(&dir.join("a"))?;
        copy(&arguments.folder, &dir.join("source"))?;
        let options = Options {
            root: dir.join("git"),
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            access: Access::Public,
        };
        let git = GitHost::start(options).await?;
        git_host::publish_folder(&dir.join("git/app.git"), "main", &dir.join("source"), "Publish")?;
        let coordinator = Coordinator::start(CoordinatorOptions {
            program: arguments.coordinator,
            data_dir: dir.join("c"),
            api: loopback()?,
            agents: loopback()?,
            database_url: None,
            source_ca: (!arguments.strict).then(|| git.ca().to_owned()),
        })
        .await?;
        let options = AgentOptions {
            program: arguments.agent,
            root: dir.join("a"),
            coordinator: coordinator.agents_address(),
            ports: Ports { http: free_port()?, https: free_port()? },
            source_ca: Some(git.ca().to_owned()),
            address_pool: format!("10.{}", 242 + std::process::id() % 8),
        };
        Agent::configure(&options)?;
        Ok(Self { place, git, coordinator, agent: None, options, projects: Vec::new(), occupied: None })
    }

    fn addresses(&self) -> anyhow::Result<Value> {
        Ok(json!({
            "url": self.coordinator.base(),
            "setup_link": self.coordinator.setup_link()?,
            "repository": self.git.url("app.git"),
            "missing_repository": self.git.url("not-there.git"),
        }))
    }

    /// `join TOKEN` · `leave` · `return` (the agent) · `write PATH TEXT` and `remove PATH` (a commit) · `occupy` and `free` (the
    /// port of all sites) · `huge` (a repository over the caps) · `made PROJECT` (to be removed).
    fn answer(&mut self, line: &str) -> anyhow::Result<Value> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "join" => {
                Agent::join(&self.options, rest)?;
                self.agent = Some(Agent::start(self.options.clone())?);
            }
            "leave" => self.agent.as_mut().context("no agent joined yet")?.stop()?,
            "return" => self.agent.as_mut().context("no agent joined yet")?.restart()?,
            "write" => return self.write(rest),
            "remove" => {
                std::fs::remove_file(self.place.0.join("source").join(rest))?;
                return self.publish();
            }
            "occupy" => {
                self.occupied = Some(TcpListener::bind((Ipv4Addr::UNSPECIFIED, self.options.ports.https))?);
                return Ok(json!({ "port": self.options.ports.https }));
            }
            "free" => self.occupied = None,
            "huge" => {
                git_host::publish_many(&self.place.0.join("git/huge.git"), "main", 60_000)?;
                return Ok(json!({ "repository": self.git.url("huge.git") }));
            }
            "made" => self.projects.push(rest.to_owned()),
            _ => anyhow::bail!(
                "{word:?} is not one of join, leave, return, write, remove, occupy, free, huge, made"
            ),
        }
        Ok(json!({}))
    }

    fn write(&self, rest: &str) -> anyhow::Result<Value> {
        let (path, text) = rest.split_once(' ').context("usage: write PATH TEXT")?;
        let text: String = serde_json::from_str(text).context("TEXT is a JSON string")?;
        std::fs::write(self.place.0.join("source").join(path), text)?;
        self.publish()
    }

    fn publish(&self) -> anyhow::Result<Value> {
        let source = self.place.0.join("source");
        let published =
            git_host::publish_folder(&self.place.0.join("git/app.git"), "main", &source, "Change")?;
        Ok(json!({ "commit": published.commit }))
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if let Some(agent) = &mut self.agent {
            let _ = agent.stop();
        }
        let _ = self.coordinator.stop();
        let _ = clean::end_processes_of(&self.options.root);
        for project in &self.projects {
            let _ = clean::remove_docker_objects(project);
        }
    }
}

/// The directory of everything, removed last.
struct Place(PathBuf);

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A directory that every user may enter.
fn make(dir: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(dir).with_context(|| format!("make {}", dir.display()))?;
    for path in dir.ancestors().take(2) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from).with_context(|| format!("read {}", from.display()))? {
        let entry = entry?;
        let place = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &place)?;
        } else {
            std::fs::copy(entry.path(), place)?;
        }
    }
    Ok(())
}

fn loopback() -> anyhow::Result<SocketAddr> {
    Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?)))
}

#[expect(clippy::print_stdout, reason = "one line an answer is what the program is for")]
fn say(line: &Value) {
    println!("{line}");
}
