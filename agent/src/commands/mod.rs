//! What each subcommand does: build a runtime, wire the parts, run them to their end.
//!
//! Rule: one function a subcommand; the architecture of every process can be read here.

mod doctor;
mod install;
mod leave;
mod requirements;
mod status;
mod systemd;
mod uninstall;

use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use hydron_proto::ids::RunId;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use zeroize::Zeroizing;

use crate::cli::{Cli, Command, Join, Link};
use crate::clock::Clock;
use crate::config::AgentConfig;
use crate::root::Root;
use crate::run_dir::RunDir;
use crate::{confine, edge, exec, host, join, link, supervise};

/// Runs one subcommand.
pub fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let root = Root::new(absolute(&cli.root)?);
    match cli.command {
        Command::Join(arguments) => join_coordinator(&root, &arguments)?,
        Command::Install => install::run(&root)?,
        Command::Run => supervise_all(&root)?,
        Command::Link(arguments) => run_link(root, &arguments)?,
        Command::Exec(arguments) => run_executor(root, arguments.supervised)?,
        Command::StepHost(arguments) => run_host(root, arguments.run)?,
        Command::Edge => look_after_edge(&root)?,
        Command::Status => status::run(&root, &runtime()?)?,
        Command::Doctor => return doctor::run(&root, &runtime()?),
        Command::Leave => leave::run(&root)?,
        Command::Uninstall => uninstall::run(&root)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn join_coordinator(root: &Root, arguments: &Join) -> anyhow::Result<()> {
    let token = read_token(arguments.token_file.as_deref())?;
    let config = AgentConfig::load(root)?;
    let joined = runtime()?.block_on(join::join(root, &config, &arguments.coordinator, &token))?;
    let start = if systemd::is_installed(root) {
        "systemctl start hydron-exec hydron-link"
    } else if host::launch::has_systemd() {
        "hydron-agent install"
    } else {
        "hydron-agent run"
    };
    say(&format!("This server is {} of {}. Start the agent with `{start}`.", joined.server, joined.team))
}

fn supervise_all(root: &Root) -> anyhow::Result<()> {
    let config = AgentConfig::load(root)?;
    runtime()?.block_on(async { supervise::run(root, &config, stopped()?).await })?;
    Ok(())
}

fn run_link(root: Root, arguments: &Link) -> anyhow::Result<()> {
    if arguments.supervised.supervised {
        supervise::end_with_parent(nix::sys::signal::Signal::SIGKILL)?;
    }
    let root = if arguments.here { Root::new(".") } else { root };
    let config = AgentConfig::load(&root)?;
    anyhow::ensure!(
        !nix::unistd::geteuid().is_root(),
        "the link must not run as root: start it with `hydron-agent run` or by its unit"
    );
    confine::link(&root, &link::Target::of(&config)?);
    runtime()?.block_on(async { anyhow::Ok(link::run(root, config, Clock::system(), stopped()?).await?) })
}

fn run_executor(root: Root, supervised: bool) -> anyhow::Result<()> {
    if supervised {
        supervise::end_with_parent(nix::sys::signal::Signal::SIGTERM)?;
    }
    raise_open_files();
    let config = AgentConfig::load(&root)?;
    runtime()?.block_on(async { anyhow::Ok(exec::run(root, config, Clock::system(), stopped()?).await?) })
}

fn run_host(root: Root, run: RunId) -> anyhow::Result<()> {
    let config = AgentConfig::load(&root)?;
    let directory = RunDir::new(&root, run);
    runtime()?.block_on(host::run(root, config, directory)).context("the step host cannot go on")
}

fn look_after_edge(root: &Root) -> anyhow::Result<()> {
    let config = AgentConfig::load(root)?;
    let spawner = host::spawner::outside_runs();
    let looked = edge::ensure_running(root, &config.steps, &spawner, Clock::system().now());
    Ok(runtime()?.block_on(looked)?)
}

/// One thread does everything; a second only for what blocks.
fn runtime() -> anyhow::Result<Runtime> {
    Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(2)
        .thread_stack_size(256 * 1024)
        .build()
        .context("start the runtime")
}

/// Open files, where no unit says so.
const OPEN_FILES: u64 = 65_536;

/// Every run that is not over keeps its journal open.
fn raise_open_files() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < OPEN_FILES
    {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, OPEN_FILES.min(hard), hard);
    }
}

/// Resolves when somebody wants this process to end.
fn stopped() -> std::io::Result<impl Future<Output = ()>> {
    let mut term = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// From a file, or standard input; never from the command line or the environment.
fn read_token(file: Option<&Path>) -> anyhow::Result<Zeroizing<String>> {
    let mut token = Zeroizing::new(String::new());
    match file {
        Some(path) => {
            let text = std::fs::read_to_string(path);
            token.push_str(&Zeroizing::new(
                text.with_context(|| format!("read the token from {}", path.display()))?,
            ));
        }
        None if std::io::stdin().is_terminal() => {
            say("Paste the token from the server's page and press Enter:")?;
            std::io::stdin().read_line(&mut token)?;
        }
        None => {
            std::io::stdin().take(4096).read_to_string(&mut token)?;
        }
    }
    Ok(token)
}

fn absolute(path: &Path) -> anyhow::Result<std::path::PathBuf> {
    std::path::absolute(path).with_context(|| format!("--root {}", path.display()))
}

/// One line for the person at the terminal.
fn say(line: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

/// What is gone already is removed.
fn remove(path: &Path, removed: std::io::Result<()>) -> anyhow::Result<()> {
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("remove {}", path.display()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
