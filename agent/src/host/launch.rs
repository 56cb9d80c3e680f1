//! Starting a step host so that nothing takes it down with itself, and ending what a dead one left behind.
//!
//! Rule: under systemd one transient unit a run, with its cgroup delegated; elsewhere a process of its own session.
//! Neighbour: `exec/host_client`, which asks.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use super::cgroup::Cgroup;
use crate::root::Root;
use crate::run_dir::RunDir;

/// Whether systemd runs this machine.
pub fn has_systemd() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

/// Starts the host of a run. It answers on its socket a little later.
pub async fn start(root: &Root, directory: &RunDir) -> io::Result<()> {
    if has_systemd() { start_unit(root, directory).await } else { start_session(root, directory) }
}

/// Ends every process that a run's dead host left in its cgroup; done when none is left.
pub async fn end_orphans(directory: &RunDir) {
    let Ok(path) = std::fs::read_to_string(directory.host_cgroup()) else { return };
    let cgroup = Cgroup::at(path);
    if cgroup.path().is_dir() {
        cgroup.end().await;
        cgroup.remove();
    }
}

/// `systemd-run` answers when the host's program is executed.
async fn start_unit(root: &Root, directory: &RunDir) -> io::Result<()> {
    let program = std::env::current_exe()?;
    let output = Command::new("systemd-run")
        .args(["--quiet", "--collect", "--service-type=exec"])
        .arg(format!("--unit=hydron-{}", directory.run))
        .arg(format!("--description=Hydron steps of {}", directory.run))
        .args([
            "--property=Delegate=yes",
            "--property=KillMode=control-group",
            "--property=OOMScoreAdjust=200",
        ])
        .arg("--")
        .arg(program)
        .args(arguments(root, directory))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(io::Error::other(format!("systemd-run failed: {said}")))
}

/// The host leaves this process's session by itself; a task only collects its exit.
fn start_session(root: &Root, directory: &RunDir) -> io::Result<()> {
    let log = OpenOptions::new().append(true).create(true).mode(0o600).open(directory.host_log())?;
    let mut child = Command::new("/proc/self/exe")
        .args(arguments(root, directory))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()?;
    tokio::spawn(async move { child.wait().await });
    Ok(())
}

fn arguments(root: &Root, directory: &RunDir) -> [std::ffi::OsString; 5] {
    let run = directory.run.to_string();
    ["--root".into(), root.path().into(), "step-host".into(), "--run".into(), run.into()]
}
