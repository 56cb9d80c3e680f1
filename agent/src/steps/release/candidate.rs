//! The containers of a swap: made, named, stopped, removed. Everything here may be done twice.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use hydron_proto::ids::ProjectId;
use hydron_proto::plan::ReleaseSpec;

use super::machine::Machine;
use super::record::{ReleaseRecord, ServiceRecord};
use crate::docker::{ContainerSpec, Mount, NamesEndpoint};
use crate::edge::established_in;
use crate::step_context::StepFailure;
use crate::steps::failure::unless_cancelled;

/// Last numbers that the agent gives; `.1` is the bridge, the upper half is Docker's.
const HOSTS: std::ops::RangeInclusive<u8> = 2..=127;
/// How long connections between containers may still finish before the old one is stopped.
const INNER_DRAIN: Duration = Duration::from_secs(5);

/// `hy-<project>-<service>-<release>`.
pub(super) fn container_name(project: ProjectId, spec: &ReleaseSpec) -> String {
    format!("hy-{}-{}-{}", project.short(), spec.name, spec.release.short())
}

/// The lowest number that no release of this network has and no container uses.
pub(super) async fn free_host(machine: &Machine<'_>) -> Result<u8, StepFailure> {
    let mut taken: BTreeSet<u8> = ServiceRecord::all(machine.context.root)?
        .iter()
        .filter(|record| record.network == machine.network.name)
        .flat_map(|record| record.releases.iter().map(|release| release.host))
        .collect();
    let networks = [
        (machine.network.name.to_string(), machine.network.subnet),
        (machine.network.names(), machine.network.names_subnet),
    ];
    for (name, subnet) in networks {
        let facts = machine.engine.network(&name).await?.ok_or_else(|| {
            StepFailure::new("NETWORK_MISSING", format!("network {name} is gone; run its network step again"))
        })?;
        taken.extend(facts.addresses.into_iter().filter_map(|address| subnet.last_of(address)));
    }
    HOSTS.into_iter().find(|host| !taken.contains(host)).ok_or_else(|| {
        StepFailure::new(
            "ADDRESSES_EXHAUSTED",
            format!("network {} has no free address left", machine.network.name),
        )
    })
}

/// Removes containers of this service that neither serve nor take part in the swap.
pub(super) async fn clear_leftovers(machine: &Machine<'_>) -> Result<(), StepFailure> {
    let record = machine.record();
    let part = [record.live, record.swap.as_ref().and_then(|swap| swap.previous)];
    let label = format!("hydron.service={}", record.service);
    for (name, _, _) in machine.engine.containers_with_label(&label).await? {
        let serves = part.iter().flatten().any(|id| record.release(*id).is_some_and(|r| r.container == name));
        if !serves {
            machine.engine.remove_container(&name).await?;
        }
    }
    Ok(())
}

/// The one-shot command before the swap. It runs once: its container is found again after a crash.
pub(super) async fn pre_deploy(machine: &Machine<'_>, new: &ReleaseRecord) -> Result<(), StepFailure> {
    let Some(command) = new.spec.pre_deploy.clone() else { return Ok(()) };
    machine.context.doing.set(format!("Running the pre-deploy command of {}", new.spec.name));
    let name = format!("{}-pre", new.container);
    if machine.engine.container(&name).await?.is_none() {
        let spec = ContainerSpec {
            name: name.clone(),
            command: Some(command),
            address: None,
            keep_running: false,
            names: NamesEndpoint { network: machine.network.names(), address: None, aliases: Vec::new() },
            ..description(machine, new)?
        };
        machine.engine.create_container(spec).await?;
    }
    if machine.engine.container(&name).await?.is_some_and(|container| container.status == "created") {
        machine.engine.start_container(&name).await?;
    }
    let code = unless_cancelled(machine.context, exit_code(machine, &name)).await?;
    let output = machine.engine.container_log(&name, 1000, 256 * 1024).await?;
    machine.context.log.bytes(&output).await;
    machine.engine.remove_container(&name).await?;
    if code == 0 {
        return Ok(());
    }
    Err(StepFailure {
        exit_code: i32::try_from(code).ok(),
        ..StepFailure::new(
            "PRE_DEPLOY_FAILED",
            format!(
                "the pre-deploy command ended with exit code {code}; nothing was changed, the log has its output"
            ),
        )
    })
}

async fn exit_code(machine: &Machine<'_>, name: &str) -> Result<i64, StepFailure> {
    loop {
        let container = machine.engine.container(name).await?.ok_or_else(|| {
            StepFailure::new(
                "PRE_DEPLOY_FAILED",
                "the container of the pre-deploy command was removed by somebody",
            )
        })?;
        if !container.running && container.status != "created" {
            return Ok(container.exit_code);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// The candidate: a static address, on the network of names to find others, but without a name itself.
pub(super) async fn start(machine: &Machine<'_>, new: &ReleaseRecord) -> Result<(), StepFailure> {
    machine.context.doing.set(format!("Starting {}", new.container));
    if machine.engine.container(&new.container).await?.is_none_or(|container| container.image != new.image_id)
    {
        machine.engine.remove_container(&new.container).await?;
        machine.engine.create_container(description(machine, new)?).await?;
    }
    machine.engine.run_container(&new.container).await?;
    machine.say(&format!("{} started at {}", new.container, new.address)).await;
    Ok(())
}

/// Gives the candidate its name. It leaves and joins with the same address: its own connections survive the moment.
pub(super) async fn name(machine: &Machine<'_>, new: &ReleaseRecord) -> Result<(), StepFailure> {
    let network = machine.network.names();
    let wanted = new.spec.name.to_string();
    let known = machine.engine.container(&new.container).await?;
    if known.and_then(|c| c.aliases.get(&network).cloned()).is_some_and(|names| names.contains(&wanted)) {
        return Ok(());
    }
    machine.engine.detach(&network, &new.container).await?;
    let address = machine.network.addresses(new.host).1;
    machine.engine.attach(&network, &new.container, Some(address), std::slice::from_ref(&wanted)).await?;
    machine.say(&format!("{} is found by others as {wanted}", new.container)).await;
    Ok(())
}

/// TERM to the old one, once nobody talks to it.
pub(super) async fn stop_old(machine: &Machine<'_>, old: Option<&ReleaseRecord>) -> Result<(), StepFailure> {
    let Some(old) = old else { return Ok(()) };
    let Some(container) = machine.engine.container(&old.container).await? else { return Ok(()) };
    machine.context.doing.set(format!("Stopping {}", old.container));
    if let (true, Some(port)) = (container.running, old.spec.port) {
        let until = tokio::time::Instant::now() + INNER_DRAIN;
        while established_in(container.pid, port) > 0 && tokio::time::Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    machine.engine.detach(&machine.network.names(), &old.container).await?;
    machine.engine.stop_container(&old.container, old.spec.stop_grace_s).await?;
    machine.say(&format!("{} stopped", old.container)).await;
    Ok(())
}

/// The old container goes; its release stays known, with image and configuration.
pub(super) async fn retire(
    machine: &mut Machine<'_>,
    old: Option<&ReleaseRecord>,
) -> Result<(), StepFailure> {
    if let Some(old) = old {
        machine.engine.remove_container(&old.container).await?;
    }
    let mut images = Vec::new();
    machine.save(|record| images = record.forget_old())?;
    for image in images {
        machine.engine.discard_image(&image).await?;
    }
    Ok(())
}

/// The container of a release, without a name.
pub(super) fn description(
    machine: &Machine<'_>,
    release: &ReleaseRecord,
) -> Result<ContainerSpec, StepFailure> {
    let spec = &release.spec;
    let mut env = Vec::with_capacity(spec.env.len());
    for variable in &spec.env {
        let pair = variable
            .resolve(machine.context.secrets)
            .map_err(|error| StepFailure::new("SECRET_MISSING", error.to_string()))?;
        env.push(pair.to_string());
    }
    let mounts = spec
        .volumes
        .iter()
        .map(|mount| Mount { volume: mount.volume.to_string(), path: mount.path.to_string() });
    let (address, names_address) = machine.network.addresses(release.host);
    Ok(ContainerSpec {
        name: release.container.clone(),
        image: release.image_id.clone(),
        command: spec.command.clone(),
        env,
        labels: labels(machine, spec),
        network: machine.network.name.to_string(),
        address: Some(address),
        names: NamesEndpoint {
            network: machine.network.names(),
            address: Some(names_address),
            aliases: Vec::new(),
        },
        mounts: mounts.collect(),
        memory: i64::from(spec.limits.memory_mb) << 20,
        nano_cpus: i64::from(spec.limits.cpu_milli) * 1_000_000,
        pids: i64::from(spec.limits.pids),
        keep_running: true,
        stop_grace_s: spec.stop_grace_s,
    })
}

fn labels(machine: &Machine<'_>, spec: &ReleaseSpec) -> HashMap<String, String> {
    let pairs = [
        ("hydron.service", spec.service.to_string()),
        ("hydron.name", spec.name.to_string()),
        ("hydron.release", spec.release.to_string()),
        ("hydron.run", machine.context.run.to_string()),
    ];
    let own = pairs.into_iter().map(|(key, value)| (key.to_owned(), value));
    machine.context.labels().into_iter().chain(own).collect()
}
