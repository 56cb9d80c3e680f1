//! The private network of a project and its network of names, with subnets chosen on this server.
//!
//! Rule: the lower half of each subnet is ours to give (static addresses), the upper half Docker's; what was chosen is
//! recorded before it is made, so that a lost network comes back with the same addresses.

mod pool;

use std::net::Ipv4Addr;
use std::path::PathBuf;

use hydron_proto::names::ResourceName;
use hydron_proto::plan::{Network, StepResult};
use serde::{Deserialize, Serialize};

use super::release::record::ServiceRecord;
use super::{Applied, lock};
use crate::docker::{DockerError, Engine, NetworkFacts};
use crate::record;
use crate::root::Root;
use crate::step_context::{Check, StepContext, StepFailure};

pub(super) use self::pool::Subnet;

/// How often other addresses are tried.
const RETRIES: usize = 32;

/// The two subnets of a project on this server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct NetworkRecord {
    /// Network with static addresses.
    pub(super) name: ResourceName,
    /// Its subnet.
    pub(super) subnet: Subnet,
    /// Subnet of the network of names.
    pub(super) names_subnet: Subnet,
}

impl NetworkRecord {
    /// What was recorded for a network.
    pub(super) fn read(root: &Root, name: &ResourceName) -> Result<Option<Self>, StepFailure> {
        Ok(record::read_json(&path(root, name))?)
    }

    /// The network on which names resolve.
    pub(super) fn names(&self) -> String {
        names_network(&self.name)
    }

    /// The addresses with the same last number on both networks.
    pub(super) fn addresses(&self, host: u8) -> (Ipv4Addr, Ipv4Addr) {
        (self.subnet.host(host), self.names_subnet.host(host))
    }
}

pub(super) async fn check(wanted: &Network, context: &StepContext<'_>) -> Result<Check, StepFailure> {
    let engine = Engine::connect(&context.config.docker_socket).await?;
    let Some(record) = NetworkRecord::read(context.root, &wanted.name)? else { return Ok(Check::Needed) };
    Ok(if is_there(&engine, &record).await? {
        Check::AlreadyDone(StepResult::Done {})
    } else {
        Check::Needed
    })
}

pub(super) async fn apply(wanted: &Network, context: &StepContext<'_>) -> Result<Applied, StepFailure> {
    let engine = Engine::connect(&context.config.docker_socket).await?;
    let _lock = lock::assignments(context).await?;
    let mut refused = Vec::new();
    loop {
        let record = match NetworkRecord::read(context.root, &wanted.name)? {
            Some(record) if !refused.contains(&record.subnet.range()) => record,
            Some(_) | None => choose(wanted, context, &engine, &refused).await?,
        };
        if is_there(&engine, &record).await? {
            return Ok(Applied::unchanged(StepResult::Done {}));
        }
        match create(&record, context, &engine).await {
            Ok(()) => return Ok(Applied::changed(StepResult::Done {})),
            // Somebody took the addresses between the look and the deed. Those that services already have are not given up.
            Err(DockerError::Refused { message, .. })
                if message.contains("overlaps")
                    && refused.len() < RETRIES
                    && !is_used(context.root, &record)? =>
            {
                refused.extend([record.subnet.range(), record.names_subnet.range()]);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

async fn create(
    record: &NetworkRecord,
    context: &StepContext<'_>,
    engine: &Engine,
) -> Result<(), DockerError> {
    let labels = context.labels();
    let networks = [(record.name.to_string(), record.subnet), (record.names(), record.names_subnet)];
    for (name, subnet) in &networks {
        if engine.network(name).await?.is_some_and(|network| network.subnets.contains(&subnet.to_string())) {
            continue;
        }
        // One of ours with addresses that were given up.
        engine.remove_network(name).await?;
        engine
            .create_network(name, &subnet.to_string(), &subnet.upper_half(), mtu_outward(), &labels)
            .await?;
        context.log.line(&format!("network {name} with {subnet}")).await;
    }
    Ok(())
}

pub(super) async fn undo(wanted: &Network, context: &StepContext<'_>) -> Result<(), StepFailure> {
    let engine = Engine::connect(&context.config.docker_socket).await?;
    for name in [wanted.name.to_string(), names_network(&wanted.name)] {
        let empty = engine.network(&name).await?.is_some_and(|network| network.addresses.is_empty());
        if empty {
            engine.remove_network(&name).await?;
        }
    }
    Ok(())
}

async fn choose(
    wanted: &Network,
    context: &StepContext<'_>,
    engine: &Engine,
    refused: &[(u32, u32)],
) -> Result<NetworkRecord, StepFailure> {
    let networks = engine.networks().await?;
    let names = names_network(&wanted.name);
    let project = context.plan.project.to_string();
    let taken_name = networks.iter().find(|network| {
        (network.name == wanted.name.as_str() || network.name == names)
            && network.labels.get("hydron.project") != Some(&project)
    });
    if let Some(network) = taken_name {
        return Err(StepFailure::new(
            "NETWORK_TAKEN",
            format!(
                "a Docker network {} exists that this agent did not make; remove it and retry",
                network.name
            ),
        ));
    }
    let mut taken: Vec<(u32, u32)> = networks.iter().flat_map(ranges).collect();
    taken.extend(pool::routed(&std::fs::read_to_string("/proc/net/route").unwrap_or_default()));
    taken.extend(refused);
    taken.extend(recorded(context.root)?.iter().flat_map(|r| [r.subnet.range(), r.names_subnet.range()]));
    let free = pool::free(&context.config.address_pool, &taken).ok_or_else(|| {
        StepFailure::new(
            "ADDRESSES_EXHAUSTED",
            format!(
                "no two free /24 networks are left in {}.0.0/16; set another address_pool under [steps] in agent.toml",
                context.config.address_pool
            ),
        )
    })?;
    let record = NetworkRecord { name: wanted.name.clone(), subnet: free.0, names_subnet: free.1 };
    record::directory(&directory(context.root), 0o700)?;
    record::replace_json(&path(context.root, &wanted.name), &record)?;
    Ok(record)
}

async fn is_there(engine: &Engine, record: &NetworkRecord) -> Result<bool, StepFailure> {
    let has = |network: Option<NetworkFacts>, subnet: Subnet| {
        network.is_some_and(|network| network.subnets.contains(&subnet.to_string()))
    };
    Ok(has(engine.network(record.name.as_str()).await?, record.subnet)
        && has(engine.network(&record.names()).await?, record.names_subnet))
}

fn is_used(root: &Root, record: &NetworkRecord) -> Result<bool, StepFailure> {
    Ok(ServiceRecord::all(root)?.iter().any(|service| service.network == record.name))
}

fn recorded(root: &Root) -> Result<Vec<NetworkRecord>, StepFailure> {
    let entries = std::fs::read_dir(directory(root)).into_iter().flatten().flatten();
    let files =
        entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "json"));
    let mut records = Vec::new();
    for file in files {
        records.extend(record::read_json(&file)?);
    }
    Ok(records)
}

fn ranges(network: &NetworkFacts) -> Vec<(u32, u32)> {
    network.subnets.iter().filter_map(|subnet| pool::range(subnet)).collect()
}

fn names_network(name: &ResourceName) -> String {
    format!("{name}-names")
}

fn directory(root: &Root) -> PathBuf {
    root.steps().join("networks")
}

fn path(root: &Root, name: &ResourceName) -> PathBuf {
    directory(root).join(format!("{name}.json"))
}

/// Packets of a bridge must fit the way out, or large downloads inside containers hang.
fn mtu_outward() -> Option<u32> {
    let routes = std::fs::read_to_string("/proc/net/route").ok()?;
    let interface = pool::default_interface(&routes)?;
    std::fs::read_to_string(format!("/sys/class/net/{interface}/mtu")).ok()?.trim().parse().ok()
}
