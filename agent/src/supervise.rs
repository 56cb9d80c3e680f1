//! `hydron-agent run`: keeps executor and link alive where no systemd does.
//!
//! Rule: it ends both when it ends, and no step host: those have sessions of their own. Neighbours: `commands`, `user`.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use nix::sys::prctl;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use crate::config::AgentConfig;
use crate::root::Root;
use crate::user;

/// First and last pause before a part is started again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// A part that ran this long is healthy again.
const HEALTHY: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy)]
enum Part {
    Executor,
    Link,
}

/// Runs both parts until `stop` resolves.
pub async fn run(root: &Root, config: &AgentConfig, stop: impl Future<Output = ()>) -> io::Result<()> {
    // The link finds its files from here, whoever may enter the directories above.
    std::env::set_current_dir(root.path())?;
    tokio::select! {
        () = stop => Ok(()),
        result = keep(Part::Executor, root, config) => result,
        result = keep(Part::Link, root, config) => result,
    }
}

/// Makes the kernel end this process when its supervisor ends.
pub fn end_with_parent(signal: Signal) -> anyhow::Result<()> {
    prctl::set_pdeathsig(signal)?;
    anyhow::ensure!(nix::unistd::getppid() != Pid::from_raw(1), "the supervisor is gone already");
    Ok(())
}

async fn keep(part: Part, root: &Root, config: &AgentConfig) -> io::Result<()> {
    let mut pause = PAUSES.0;
    loop {
        let began = Instant::now();
        let mut child = Guard(part.start(root, config)?);
        let status = child.0.wait().await?;
        if began.elapsed() >= HEALTHY {
            pause = PAUSES.0;
        }
        warn(part, status, pause);
        sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}

fn warn(part: Part, status: ExitStatus, pause: Duration) {
    tracing::warn!(?part, %status, ?pause, "a part of the agent ended and is started again");
}

impl Part {
    fn start(self, root: &Root, config: &AgentConfig) -> io::Result<Child> {
        let mut command = Command::new("/proc/self/exe");
        command.arg("--root").arg(root.path());
        match self {
            Self::Executor => command.args(["exec", "--supervised"]),
            Self::Link => {
                if nix::unistd::geteuid().is_root() {
                    let account = user::link_account(&config.link.user);
                    command.uid(account.uid).gid(account.gid);
                }
                let level = std::env::var_os("RUST_LOG").unwrap_or_default();
                command.env_clear().env("RUST_LOG", if level.is_empty() { "info".into() } else { level });
                command.args(["link", "--supervised", "--here"])
            }
        };
        command.stdin(std::process::Stdio::null()).spawn()
    }
}

/// Asks a part to end when the supervisor does.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(pid) = self.0.id().and_then(|pid| i32::try_from(pid).ok()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
    }
}
