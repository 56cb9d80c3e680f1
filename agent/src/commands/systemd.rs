//! The agent's units on this machine: whether they are there, and how systemd is told something.
//!
//! Rule: argv only; what systemd refuses is an error in its own words. Neighbours: `install`, `leave`, `uninstall`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use hydron_installer::{UNITS, Unit};

use crate::host::launch::has_systemd;
use crate::root::Root;

/// Where units are written to.
const DIRECTORY: &str = "/etc/systemd/system";

/// The user of the link in its unit.
pub(super) const LINK_USER: &str = "hydron";

/// The file of a unit.
pub(super) fn file(unit: &Unit) -> PathBuf {
    Path::new(DIRECTORY).join(unit.name)
}

/// Whether this root's agent is run by units; they are for the root `/` only.
pub(super) fn is_installed(root: &Root) -> bool {
    root.path() == Path::new("/") && has_systemd() && UNITS.iter().any(|unit| file(unit).exists())
}

/// Tells systemd something and waits until it is done.
pub(super) fn systemctl(arguments: &[&str]) -> anyhow::Result<()> {
    call("systemctl", arguments)
}

/// Runs a program to its end.
pub(super) fn call(program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let output =
        Command::new(program).args(arguments).output().with_context(|| format!("start {program}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{program} {}: {}", arguments.join(" "), said.trim());
    Ok(())
}

/// Ends link, executor and the step hosts of runs that are not over.
pub(super) fn stop_agent() -> anyhow::Result<()> {
    systemctl(&["stop", "hydron-link.service", "hydron-exec.service", "hydron-run_*.service"])
}
