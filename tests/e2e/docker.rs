//! Looking at the Docker Engine from outside, as a sceptic would.

use std::process::Command;

/// Runs the engine's client; its output, trimmed.
pub(crate) fn docker(arguments: &[&str]) -> String {
    let output = Command::new("/usr/bin/docker").args(arguments).output().expect("start docker");
    assert!(output.status.success(), "docker {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Ids of the running containers of a project's service.
pub(crate) fn containers(project: &str, service: &str) -> Vec<String> {
    let filter = format!("label=hydron.project={project}");
    docker(&["ps", "--quiet", "--no-trunc", "--filter", &filter])
        .lines()
        .filter(|id| {
            docker(&["inspect", "--format", "{{index .Config.Labels \"hydron.name\"}}", id]) == service
        })
        .map(str::to_owned)
        .collect()
}

/// The one running container of a service.
pub(crate) fn container(project: &str, service: &str) -> String {
    let mut found = containers(project, service);
    assert_eq!(found.len(), 1, "running containers of {service}: {found:?}");
    found.remove(0)
}

/// A variable of a container's environment.
pub(crate) fn variable(container: &str, name: &str) -> Option<String> {
    let all = docker(&["inspect", "--format", "{{range .Config.Env}}{{println .}}{{end}}", container]);
    all.lines().find_map(|line| line.strip_prefix(&format!("{name}="))).map(str::to_owned)
}

/// What a container publishes on the host; empty when nothing.
pub(crate) fn published(container: &str) -> String {
    docker(&[
        "inspect",
        "--format",
        "{{range $p, $b := .NetworkSettings.Ports}}{{if $b}}{{$p}} {{end}}{{end}}",
        container,
    ])
}
