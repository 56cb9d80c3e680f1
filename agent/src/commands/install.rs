//! `hydron-agent install`: the units of a systemd machine, their user, this binary in its place, and what steps need.
//!
//! Rule: safe to repeat; argv only; the proxy is never restarted. Neighbour: `hydron_installer`, where the units are.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use hydron_installer::UNITS;

use super::systemd::{self, LINK_USER, systemctl};
use super::{requirements, say};
use crate::config::AgentConfig;
use crate::durable;
use crate::host::launch::has_systemd;
use crate::link::identity::is_joined;
use crate::root::Root;
use crate::{join, user};

/// Where programs lie, one directory a version.
pub(super) const PROGRAMS: &str = "/opt/hydron";
/// The name under which people call this program.
pub(super) const ON_PATH: &str = "/usr/local/bin/hydron-agent";

/// Puts everything in place; starts it when this server has joined.
pub(super) fn run(root: &Root) -> anyhow::Result<()> {
    anyhow::ensure!(nix::unistd::geteuid().is_root(), "installing needs root");
    anyhow::ensure!(root.path() == Path::new("/"), "units are installed for the root `/` only");
    anyhow::ensure!(
        has_systemd(),
        "systemd does not run here; use `hydron-agent run` under your own supervisor"
    );
    let config = AgentConfig::load(root)?;
    anyhow::ensure!(
        config.link.user == LINK_USER,
        "agent.toml: link.user is {:?}, but the units run the link as {LINK_USER}: remove that line",
        config.link.user
    );
    requirements::ensure()?;
    let binary = place_binary()?;
    user::ensure(LINK_USER)?;
    for unit in &UNITS {
        durable::write(&systemd::file(unit), unit.text.as_bytes(), 0o644)
            .with_context(|| format!("write {}", unit.name))?;
    }
    systemctl(&["daemon-reload"])?;
    let at_boot = UNITS.iter().filter(|unit| unit.starts_at_boot()).map(|unit| unit.name);
    systemctl(&["enable", "--quiet"].into_iter().chain(at_boot).collect::<Vec<_>>())?;
    // Neither does anything before there is a site.
    systemctl(&["start", "hydron-edge.service", "hydron-renew.timer"])?;
    if !is_joined(&root.link()) {
        return say(&format!(
            "{} is installed. Next: hydron-agent join --coordinator HOST:PORT",
            binary.display()
        ));
    }
    join::hand_over(root, &config)?;
    systemctl(&["restart", "hydron-exec.service", "hydron-link.service"])?;
    say(&format!("{} runs as hydron-exec and hydron-link.", binary.display()))
}

/// `/opt/hydron/v/<version>/hydron-agent`, and `/opt/hydron/current` pointing to its directory. Everybody may enter,
/// whatever the caller's umask: the link is not root.
fn place_binary() -> anyhow::Result<PathBuf> {
    let programs = Path::new(PROGRAMS);
    let directory = programs.join("v").join(env!("CARGO_PKG_VERSION"));
    let target = directory.join("hydron-agent");
    let own = std::env::current_exe().context("find this binary")?;
    for path in [programs, &programs.join("v"), &directory] {
        durable::create_directory(path, 0o755).with_context(|| format!("make {}", path.display()))?;
    }
    if own != target {
        let temporary = directory.join(".hydron-agent.new");
        std::fs::copy(&own, &temporary).context("copy this binary")?;
        std::fs::set_permissions(&temporary, std::fs::Permissions::from_mode(0o755))?;
        std::fs::rename(&temporary, &target)?;
    }
    durable::point(&programs.join("current"), &directory)?;
    durable::point(Path::new(ON_PATH), &programs.join("current/hydron-agent"))?;
    Ok(target)
}
