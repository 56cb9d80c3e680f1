//! What a step does, in words for the person who approves it.
//!
//! Rule: made from the typed action alone, so that what is read is what is signed.

use hydron_proto::names::{Hostname, ResourceName};
use hydron_proto::plan::{Action, Dockerfile, HealthKind, Operation, ReleaseOrder, ReleaseSpec};

/// One or two sentences about an action.
pub fn summary(action: &Action) -> String {
    match action {
        Action::Packages(packages) => {
            let names: Vec<&str> = packages.names.iter().map(ResourceName::as_str).collect();
            format!("Installs the packages {} from the configured sources.", names.join(", "))
        }
        Action::File(file) => {
            format!("Writes {} ({} bytes, mode {:o}).", file.path, file.content.len(), file.mode)
        }
        Action::Directory(directory) => {
            format!("Makes the directory {} (mode {:o}).", directory.path, directory.mode)
        }
        Action::DockerEngine(engine) if engine.install => {
            "Checks that the Docker Engine answers; installs it only when it is missing.".to_owned()
        }
        Action::DockerEngine(_) => "Checks that the Docker Engine answers.".to_owned(),
        Action::Network(network) => {
            format!("Makes the private network {}; nothing on it is reachable from outside.", network.name)
        }
        Action::Volume(volume) => {
            format!("Makes the volume {} if it is missing; existing data stays.", volume.name)
        }
        Action::GitCheckout(checkout) => {
            format!("Fetches {} at commit {} ({}).", checkout.url, checkout.commit, checkout.reference)
        }
        Action::ImageBuild(build) => {
            let from = match &build.dockerfile {
                Dockerfile::Repository { path } => format!("the repository's {path}"),
                Dockerfile::Inline { content } => {
                    format!("the {}-line Dockerfile of this plan", content.lines().count())
                }
            };
            format!("Builds {} from {from}, with at most {} MiB of memory.", build.tag, build.memory_mb)
        }
        Action::ImagePull(pull) => format!("Pulls {}.", pull.image),
        Action::Release(spec) => release(spec),
        Action::Route(route) => {
            let hosts: Vec<&str> = route.hosts.iter().map(Hostname::as_str).collect();
            let paths: Vec<&str> = route.paths.iter().map(|path| path.prefix.as_str()).collect();
            format!(
                "Sends {} of https://{} to this project's services.",
                paths.join(" and "),
                hosts.join(", ")
            )
        }
        Action::Certificate(certificate) => {
            let hosts: Vec<&str> = certificate.hosts.iter().map(Hostname::as_str).collect();
            format!("Issues a certificate for {} by this server's own authority.", hosts.join(", "))
        }
        Action::Probe(probe) => format!(
            "Asks https://{}{} until it answers with {} to {} (at most {} tries).",
            probe.host, probe.path, probe.status_from, probe.status_to, probe.tries
        ),
        Action::Shell(shell) => format!("Runs as shell: {}", shell.script),
        Action::Operate(operation) => operate(operation),
    }
}

fn release(spec: &ReleaseSpec) -> String {
    let health = match &spec.health.check {
        HealthKind::Http { path } => format!("GET {path} answers {} times in a row", spec.health.successes),
        HealthKind::Answers { path } => {
            format!("GET {path} answers below 500, {} times in a row", spec.health.successes)
        }
        HealthKind::Tcp {} => "its port accepts connections".to_owned(),
        HealthKind::Running {} => "it stays up for ten seconds".to_owned(),
    };
    let swap = match spec.order {
        ReleaseOrder::StartFirst => "Starts the new container beside the old one, switches when",
        ReleaseOrder::StopFirst => "Stops the old container, starts the new one, and is done when",
    };
    let secrets: usize = spec.env.iter().map(|var| var.secrets().count()).sum();
    let limits = format!("{} MiB, {}/1000 CPU", spec.limits.memory_mb, spec.limits.cpu_milli);
    format!("{swap} {health}. {} variables ({secrets} secrets); limits {limits}.", spec.env.len())
}

fn operate(operation: &Operation) -> String {
    match operation {
        Operation::Restart { .. } => "Stops and starts the service's containers.".to_owned(),
        Operation::Stop { .. } => "Stops the service's containers.".to_owned(),
        Operation::Start { .. } => "Starts the service's containers.".to_owned(),
        Operation::Rollback { release, .. } => {
            format!("Brings back release {release}, image and environment.")
        }
        Operation::Logs { lines, .. } => format!("Reads the last {lines} lines of the service's log."),
        Operation::Inventory {} => "Lists containers, images, volumes and routes.".to_owned(),
    }
}
