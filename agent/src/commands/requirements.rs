//! What steps need of the distribution and a fresh machine lacks: git and nginx. The Docker Engine is a step of its own.
//!
//! Rule: says what it installs, touches nothing that is there, and a package's own service stays off: Hydron's proxy is
//! an instance of its own and needs the ports.

use std::process::Command;

use anyhow::Context as _;

use super::say;
use super::systemd::systemctl;

struct Requirement {
    program: &'static str,
    package: &'static str,
    service: Option<&'static str>,
}

const REQUIREMENTS: [Requirement; 2] = [
    Requirement { program: "git", package: "git", service: None },
    Requirement { program: "nginx", package: "nginx-light", service: Some("nginx.service") },
];

/// Installs what is missing with apt.
pub(super) fn ensure() -> anyhow::Result<()> {
    let missing: Vec<&Requirement> = REQUIREMENTS.iter().filter(|wanted| !is_there(wanted.program)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|wanted| wanted.package).collect();
    let list = packages.join(" ");
    anyhow::ensure!(
        is_there("apt-get"),
        "needs {list}, and there is no apt here to install them: install them by hand, leave the service nginx disabled"
    );
    say(&format!("Installing with apt: {list}"))?;
    let services: Vec<&str> = missing.iter().filter_map(|wanted| wanted.service).collect();
    for service in &services {
        systemctl(&["mask", "--runtime", "--quiet", service])?;
    }
    let installed = install(&packages);
    for service in &services {
        systemctl(&["unmask", "--runtime", "--quiet", service])?;
        if installed.is_ok() {
            systemctl(&["disable", "--quiet", service])?;
        }
    }
    installed
}

fn install(packages: &[&str]) -> anyhow::Result<()> {
    let arguments: Vec<&str> =
        ["install", "--no-install-recommends", "--"].into_iter().chain(packages.iter().copied()).collect();
    if apt(&arguments).is_ok() {
        return Ok(());
    }
    apt(&["update"])?;
    apt(&arguments)
}

fn apt(arguments: &[&str]) -> anyhow::Result<()> {
    let output = Command::new("apt-get")
        .args(["-y", "-q", "-o", "DPkg::Lock::Timeout=300"])
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("NEEDRESTART_MODE", "l")
        .output()
        .context("start apt-get")?;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "apt-get {}: {}", arguments.join(" "), said.trim());
    Ok(())
}

/// Whether a program can be started.
fn is_there(program: &str) -> bool {
    Command::new(program).arg("-v").output().is_ok()
}
