//! How a step starts processes: inside the steps' cgroup from their first instruction.
//!
//! Rule: this process waits in the group of the steps, so that what it starts is born there: no moment in which a child is
//! outside. It leaves only to have the whole group killed. (Entering and leaving for every child was measured at 8 to 20 ms:
//! since Linux 6.0 the kernel waits for a grace period when nobody has moved lately.) Steps run one after the other, and a
//! step has ended when nobody else is left, so the next one finds the group empty. Neighbour: `cgroup`.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, Command};

use super::cgroup::Cgroup;
use super::launch::has_systemd;
use crate::step_context::CgroupSpawner;

/// Where the processes of a run's steps live.
#[derive(Debug)]
pub(super) enum Spawner {
    /// In a cgroup of their own.
    Group {
        /// The host's own group.
        host: Cgroup,
        /// The steps', below it.
        steps: Cgroup,
        /// Whether this process is in the steps' group; held while it moves.
        inside: Mutex<bool>,
    },
    /// No hierarchy can be written here: every child leads a process group of its own.
    Leaders(Mutex<Vec<Pid>>),
}

/// For what has to be started outside every run.
pub(crate) fn outside_runs() -> impl CgroupSpawner {
    Spawner::Leaders(Mutex::default())
}

impl Spawner {
    /// A place for the processes of one attempt after the other; this process is in it when this returns.
    pub(super) fn new(host: Option<&Cgroup>) -> io::Result<Self> {
        match host {
            Some(host) => {
                let steps = host.child("steps")?;
                steps.enter()?;
                Ok(Self::Group { host: host.clone(), steps, inside: Mutex::new(true) })
            }
            None => Ok(Self::Leaders(Mutex::default())),
        }
    }

    /// Asks every process to end.
    pub(super) fn terminate(&self) {
        match self {
            Self::Group { steps, .. } => steps.signal(Signal::SIGTERM),
            Self::Leaders(leaders) => signal_all(leaders, Signal::SIGTERM),
        }
    }

    /// Whether no process is left.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Group { steps, .. } => steps.is_empty(),
            Self::Leaders(leaders) => !any_alive(leaders),
        }
    }

    /// Ends every process for good; done when none is left.
    pub(super) async fn end(&self) {
        match self {
            Self::Group { steps, .. } if steps.is_empty() => {}
            Self::Group { host, steps, inside } => {
                let left = {
                    let mut inside = inside.lock().unwrap_or_else(PoisonError::into_inner);
                    *inside = false;
                    host.enter()
                };
                if let Err(error) = left {
                    tracing::warn!(%error, "the steps' group cannot be left, so it is not killed as a whole");
                }
                steps.end().await;
            }
            Self::Leaders(leaders) => {
                while any_alive(leaders) {
                    signal_all(leaders, Signal::SIGKILL);
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
        }
    }
}

impl CgroupSpawner for Spawner {
    fn spawn(&self, command: &mut Command) -> io::Result<Child> {
        match self {
            Self::Group { steps, inside, .. } => {
                let mut inside = inside.lock().unwrap_or_else(PoisonError::into_inner);
                if !*inside {
                    steps.enter()?;
                    *inside = true;
                }
                command.spawn()
            }
            Self::Leaders(leaders) => {
                let child = command.process_group(0).spawn()?;
                if let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()) {
                    leaders.lock().unwrap_or_else(PoisonError::into_inner).push(Pid::from_raw(pid));
                }
                Ok(child)
            }
        }
    }

    fn spawn_daemon(&self, name: &str, command: &mut Command) -> io::Result<Child> {
        if has_systemd() {
            return transient_unit(name, command).spawn();
        }
        command.kill_on_drop(false).process_group(0);
        let Self::Group { host, inside, .. } = self else { return command.spawn() };
        let beside = host.path().parent().map_or_else(|| host.clone(), Cgroup::at);
        let daemon = beside.child(&format!("hydron-daemon-{name}"))?;
        let mut inside = inside.lock().unwrap_or_else(PoisonError::into_inner);
        *inside = false;
        daemon.enter()?;
        let child = command.spawn();
        host.enter()?;
        child
    }
}

/// systemd 252 and later expand `$` in arguments of `systemd-run`; `$$` stands for itself.
fn transient_unit(name: &str, command: &Command) -> Command {
    let escape = |text: &std::ffi::OsStr| text.to_string_lossy().replace('$', "$$");
    let command = command.as_std();
    let mut unit = Command::new("systemd-run");
    unit.args(["--quiet", "--collect", "--service-type=exec"]).arg(format!("--unit=hydron-{name}"));
    for (key, value) in command.get_envs() {
        if let Some(value) = value {
            unit.arg(format!("--setenv={}={}", key.to_string_lossy(), value.to_string_lossy()));
        }
    }
    unit.arg("--").arg(escape(command.get_program())).args(command.get_args().map(escape));
    unit.stdin(std::process::Stdio::null());
    unit
}

fn signal_all(leaders: &Mutex<Vec<Pid>>, signal: Signal) {
    for leader in leaders.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        let _ = killpg(*leader, signal);
    }
}

fn any_alive(leaders: &Mutex<Vec<Pid>>) -> bool {
    let mut leaders = leaders.lock().unwrap_or_else(PoisonError::into_inner);
    leaders.retain(|leader| killpg(*leader, None).is_ok());
    !leaders.is_empty()
}
