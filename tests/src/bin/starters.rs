//! Builds every starter with its generated Dockerfile and asks it over HTTP: `starters DIR [--only NAME] [--version TOOL=V]…`.
//!
//! One rule: what the analysis wrote is built unchanged with the classic builder; a service counts only when it answers.
//! Neighbours: the starters under `tests/starters`, the base images of the lab.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use hydron_analysis::{MemoryTree, Options};
use hydron_domain::analysis::{AnalyzedService, ServiceKind};

/// How long a container may take to answer.
const PATIENCE: Duration = Duration::from_mins(1);

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let root = PathBuf::from(args.next().context("usage: starters DIR [--only NAME] [--version TOOL=V]…")?);
    let mut only = None;
    let mut options = Options::default();
    while let Some(arg) = args.next() {
        let value = args.next().with_context(|| format!("{arg} needs a value"))?;
        match arg.as_str() {
            "--only" => only = Some(value),
            "--version" => {
                let (tool, version) = value.split_once('=').context("--version takes TOOL=VERSION")?;
                options.default_versions.insert(tool.to_owned(), version.to_owned());
            }
            other => bail!("unknown option {other}"),
        }
    }
    let mut names: Vec<PathBuf> =
        std::fs::read_dir(&root)?.filter_map(|e| Some(e.ok()?.path())).filter(|p| p.is_dir()).collect();
    names.sort();
    let mut failed = Vec::new();
    for dir in names {
        let name = dir.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        if only.as_deref().is_some_and(|o| o != name) {
            continue;
        }
        let tree = tree(&dir)?;
        let options = Options { repository_name: Some(name.clone()), ..options.clone() };
        let analysis = hydron_analysis::analyze(&tree, &options, &mut |_| {})?;
        for service in &analysis.services {
            let outcome = check(&dir, &name, service);
            match &outcome {
                Ok(took) => {
                    say(&format!("ok    {name}/{} answered after {} s", service.name, took.as_secs()))?;
                }
                Err(problem) => say(&format!("FAIL  {name}/{}: {problem:#}", service.name))?,
            }
            if outcome.is_err() {
                failed.push(format!("{name}/{}", service.name));
            }
        }
    }
    if failed.is_empty() { Ok(()) } else { bail!("{} failed: {}", failed.len(), failed.join(", ")) }
}

fn say(line: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

/// A starter's files in memory.
fn tree(dir: &Path) -> anyhow::Result<MemoryTree> {
    let mut tree = MemoryTree::default();
    let mut queue = vec![dir.to_owned()];
    while let Some(next) = queue.pop() {
        for item in std::fs::read_dir(&next)? {
            let path = item?.path();
            if path.is_dir() {
                queue.push(path);
            } else {
                let relative = path.strip_prefix(dir)?.to_string_lossy().into_owned();
                tree.insert(&relative, std::fs::read(&path)?);
            }
        }
    }
    Ok(tree)
}

/// Builds, starts and asks one service.
fn check(dir: &Path, starter: &str, service: &AnalyzedService) -> anyhow::Result<Duration> {
    let started = Instant::now();
    let content = service
        .dockerfile
        .content
        .as_deref()
        .with_context(|| format!("no Dockerfile: {}", service.dockerfile.reasons.join("; ")))?;
    let place = tempfile::tempdir()?;
    let context = place.path().join("context");
    let copied =
        Command::new("cp").arg("-a").arg(dir.join(&service.dockerfile.context)).arg(&context).status()?;
    anyhow::ensure!(copied.success(), "the context could not be copied");
    std::fs::write(context.join(".dockerignore"), service.dockerfile.ignore.as_deref().unwrap_or_default())?;
    let recipe = place.path().join("Dockerfile");
    std::fs::write(&recipe, content)?;
    let tag = format!("hydron-starter-{starter}-{}:check", service.name);
    let built = Command::new("docker")
        .env("DOCKER_BUILDKIT", "0")
        .args(["build", "--force-rm", "--tag", &tag, "--file"])
        .arg(&recipe)
        .arg(&context)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()?;
    if !built.status.success() {
        let text =
            format!("{}{}", String::from_utf8_lossy(&built.stdout), String::from_utf8_lossy(&built.stderr));
        let last: Vec<&str> = text.lines().rev().take(15).collect();
        bail!("the build failed:\n{}", last.into_iter().rev().collect::<Vec<_>>().join("\n"));
    }
    let container = Container::start(&tag, service)?;
    container.answers(service)?;
    Ok(started.elapsed())
}

/// A running container, removed when dropped.
struct Container {
    id: String,
}

impl Container {
    fn start(tag: &str, service: &AnalyzedService) -> anyhow::Result<Self> {
        let mut command = Command::new("docker");
        command.args(["run", "--detach", "--init"]);
        for env in service.env.iter().filter(|e| e.required && e.default.is_none()) {
            command.args(["--env", &format!("{}=0123456789abcdef0123456789abcdef", env.name)]);
        }
        let id = output(command.arg(tag))?;
        Ok(Self { id })
    }

    /// Waits for an answer below 500, or for a worker to stay alive while it looks for its broker.
    fn answers(&self, service: &AnalyzedService) -> anyhow::Result<()> {
        let address = output(Command::new("docker").args([
            "inspect",
            "--format",
            "{{.NetworkSettings.IPAddress}}",
            &self.id,
        ]))?;
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if output(Command::new("docker").args(["inspect", "--format", "{{.State.Running}}", &self.id]))?
                != "true"
            {
                break;
            }
            if service.kind == ServiceKind::Worker {
                let logs = self.logs()?;
                if logs.contains("ready") || logs.contains("connect") {
                    return Ok(());
                }
            } else if let Some(status) =
                ask(&address, service.port.unwrap_or(80), service.health.as_deref().unwrap_or("/"))
            {
                anyhow::ensure!(status < 500, "it answered {status}");
                return self.runs_unprivileged();
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        bail!("no answer; its log:\n{}", self.logs()?)
    }

    fn runs_unprivileged(&self) -> anyhow::Result<()> {
        let user =
            output(Command::new("docker").args(["inspect", "--format", "{{.Config.User}}", &self.id]))?;
        anyhow::ensure!(!user.is_empty() && user != "root" && !user.starts_with('0'), "it runs as root");
        Ok(())
    }

    fn logs(&self) -> anyhow::Result<String> {
        let logs = Command::new("docker").args(["logs", "--tail", "20", &self.id]).output()?;
        Ok(format!("{}{}", String::from_utf8_lossy(&logs.stdout), String::from_utf8_lossy(&logs.stderr)))
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rm", "--force", &self.id]).output();
    }
}

fn output(command: &mut Command) -> anyhow::Result<String> {
    let done = command.output()?;
    anyhow::ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr).trim());
    Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned())
}

/// The status of one plain GET; `None` while nobody listens.
fn ask(address: &str, port: u16, path: &str) -> Option<u16> {
    let mut stream =
        TcpStream::connect_timeout(&format!("{address}:{port}").parse().ok()?, Duration::from_secs(2))
            .ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok().or(Some(0))?;
    answer.split_whitespace().nth(1)?.parse().ok()
}
