//! `hydron-agent install`: the two units of a systemd machine, their user, and this binary in its place.
//!
//! Rule: safe to repeat; argv only. Neighbour: `installer/systemd`, where the units are.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use super::say;
use crate::config::AgentConfig;
use crate::durable;
use crate::host::launch::has_systemd;
use crate::link::identity::is_joined;
use crate::root::Root;
use crate::{join, user};

const UNITS: [(&str, &str); 2] = [
    ("hydron-exec.service", include_str!("../../../installer/systemd/hydron-exec.service")),
    ("hydron-link.service", include_str!("../../../installer/systemd/hydron-link.service")),
];

/// Puts everything in place and starts it.
pub(super) fn run(root: &Root) -> anyhow::Result<()> {
    anyhow::ensure!(nix::unistd::geteuid().is_root(), "installing needs root");
    anyhow::ensure!(root.path() == Path::new("/"), "units are installed for the root `/` only");
    anyhow::ensure!(
        has_systemd(),
        "systemd does not run here; use `hydron-agent run` under your own supervisor"
    );
    let binary = place_binary()?;
    user::ensure("hydron")?;
    if is_joined(&root.link()) {
        join::hand_over(root, &AgentConfig::load(root)?)?;
    }
    for (name, text) in UNITS {
        durable::write(&Path::new("/etc/systemd/system").join(name), text.as_bytes(), 0o644)
            .with_context(|| format!("write {name}"))?;
    }
    call("systemctl", &["daemon-reload"])?;
    call("systemctl", &["enable", "--quiet", "hydron-exec.service", "hydron-link.service"])?;
    call("systemctl", &["restart", "hydron-exec.service", "hydron-link.service"])?;
    say(&format!("{} runs as hydron-exec and hydron-link.", binary.display()))
}

/// `/opt/hydron/v/<version>/hydron-agent`, and `/opt/hydron/current` pointing to its directory.
fn place_binary() -> anyhow::Result<PathBuf> {
    let directory = Path::new("/opt/hydron/v").join(env!("CARGO_PKG_VERSION"));
    let target = directory.join("hydron-agent");
    let own = std::env::current_exe().context("find this binary")?;
    durable::create_directory(&directory, 0o755)?;
    if own != target {
        let temporary = directory.join(".hydron-agent.new");
        std::fs::copy(&own, &temporary).context("copy this binary")?;
        std::fs::set_permissions(&temporary, std::fs::Permissions::from_mode(0o755))?;
        std::fs::rename(&temporary, &target)?;
    }
    durable::point(Path::new("/opt/hydron/current"), &directory)?;
    durable::point(Path::new("/usr/local/bin/hydron-agent"), Path::new("/opt/hydron/current/hydron-agent"))?;
    Ok(target)
}

fn call(program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let output =
        Command::new(program).args(arguments).output().with_context(|| format!("start {program}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{program} {}: {}", arguments.join(" "), said.trim());
    Ok(())
}
