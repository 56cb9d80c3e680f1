//! Removes exactly what the demo made: every container, network, volume and image that carries the label of its server,
//! whichever project they are of; its proxy, its processes and its files. Packages, the Docker Engine and base images
//! stay: they may serve others by now.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::screen::say;
use super::state::Remembered;
use crate::stack::process::signal;

/// Label with the project's id on everything an agent makes in Docker.
const PROJECT_LABEL: &str = "hydron.project";
/// Label with the server's id on the same things.
const SERVER_LABEL: &str = "hydron.server";

/// Removes what the demo of a state directory made, also when that directory was deleted; safe to repeat.
pub fn clean(dir: &Path) -> anyhow::Result<()> {
    let known = Remembered::of(dir)?;
    if known.is_none() && !dir.exists() {
        say("There is no demo to remove.");
        return Ok(());
    }
    remove_made(&known.unwrap_or_default())?;
    if dir.exists() {
        std::fs::remove_dir_all(dir).with_context(|| format!("remove {}", dir.display()))?;
    }
    say("Removed the demo: its containers, networks, volumes, images, proxy and files.");
    Ok(())
}

/// Removes what the agent of a demo made, and the agent. Last its files, which say what else there is.
pub(super) fn remove_made(known: &Remembered) -> anyhow::Result<()> {
    if let Some(root) = &known.agent_root {
        end_processes_of(root)?;
    }
    if let Some(server) = &known.server {
        remove_labelled(SERVER_LABEL, server)?;
    }
    if let Some(project) = &known.project {
        remove_labelled(PROJECT_LABEL, project)?;
    }
    if let Some(root) = &known.agent_root
        && root.exists()
    {
        std::fs::remove_dir_all(root).with_context(|| format!("remove {}", root.display()))?;
    }
    Ok(())
}

/// Agent, step hosts and proxy name the demo's own root in their argv; nothing else does.
pub fn end_processes_of(root: &Path) -> anyhow::Result<()> {
    for name in ["TERM", "KILL"] {
        let pids = processes_of(root)?;
        for pid in &pids {
            // It may have ended on its own since it was listed.
            let _ = signal(*pid, name);
        }
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline && !processes_of(root)?.is_empty() {
            std::thread::sleep(Duration::from_millis(100));
        }
    }
    Ok(())
}

fn processes_of(root: &Path) -> anyhow::Result<Vec<u32>> {
    let needle = root.to_string_lossy().into_owned();
    let own = std::process::id();
    let mut pids = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        let ours = line.contains("hydron-agent") || line.contains("nginx");
        if pid != own
            && ours
            && line.split(' ').any(|word| word == needle || word.starts_with(&format!("{needle}/")))
        {
            pids.push(pid);
        }
    }
    Ok(pids)
}

/// Removes the containers, networks, volumes and images that carry a project's label.
pub fn remove_docker_objects(project: &str) -> anyhow::Result<()> {
    remove_labelled(PROJECT_LABEL, project)
}

fn remove_labelled(label: &str, value: &str) -> anyhow::Result<()> {
    let filter = format!("label={label}={value}");
    for (list, remove) in [
        (vec!["ps", "--all", "--quiet"], vec!["rm", "--force", "--volumes"]),
        (vec!["network", "ls", "--quiet"], vec!["network", "rm"]),
        (vec!["volume", "ls", "--quiet"], vec!["volume", "rm"]),
        (vec!["images", "--quiet"], vec!["rmi", "--force"]),
    ] {
        let ids: BTreeSet<String> =
            docker(list.into_iter().chain(["--filter", &filter]))?.lines().map(str::to_owned).collect();
        if !ids.is_empty() {
            docker(remove.into_iter().chain(ids.iter().map(String::as_str)))?;
        }
    }
    Ok(())
}

fn docker<'a>(arguments: impl IntoIterator<Item = &'a str>) -> anyhow::Result<String> {
    let output = Command::new("docker").args(arguments).output().context("start docker")?;
    anyhow::ensure!(output.status.success(), "docker: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}
