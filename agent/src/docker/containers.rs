//! Containers: made whole from a typed description, looked at, stopped, read.
//!
//! Rule: nothing is published, no host namespace is shared, no capability is added; there is no field to ask for it.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use bollard::container::LogOutput;
use bollard::models::{
    ContainerCreateBody, ContainerUpdateBody, HostConfig, HostConfigLogConfig, MountType, NetworkingConfig,
    RestartPolicy, RestartPolicyNameEnum,
};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, ListContainersOptionsBuilder, LogsOptionsBuilder,
    RemoveContainerOptionsBuilder, StopContainerOptionsBuilder,
};
use futures_util::StreamExt as _;

use super::networks::endpoint;
use super::{DockerError, Engine, found};

/// Capabilities of Docker's default set that a web service has no use for.
const DROPPED_CAPABILITIES: [&str; 6] =
    ["AUDIT_WRITE", "MKNOD", "NET_RAW", "SETFCAP", "SETPCAP", "SYS_CHROOT"];

/// A container to make.
pub struct ContainerSpec {
    /// Its name.
    pub name: String,
    /// Content id of the image.
    pub image: String,
    /// Replaces the image's command.
    pub command: Option<Vec<String>>,
    /// `NAME=value`, secrets put in.
    pub env: Vec<String>,
    /// Labels.
    pub labels: HashMap<String, String>,
    /// Network with static addresses.
    pub network: String,
    /// The address on it; none lets the engine choose from its half.
    pub address: Option<Ipv4Addr>,
    /// Second network, on which names resolve.
    pub names: NamesEndpoint,
    /// Volumes.
    pub mounts: Vec<Mount>,
    /// Memory, bytes.
    pub memory: i64,
    /// Billionths of a core.
    pub nano_cpus: i64,
    /// Processes.
    pub pids: i64,
    /// Start again after crashes and reboots.
    pub keep_running: bool,
    /// Seconds between TERM and KILL.
    pub stop_grace_s: u16,
}

impl std::fmt::Debug for ContainerSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ContainerSpec").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A place on the network of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamesEndpoint {
    /// The network.
    pub network: String,
    /// The address on it; none lets the engine choose from its half.
    pub address: Option<Ipv4Addr>,
    /// Names under which others find it; none for a candidate.
    pub aliases: Vec<String>,
}

/// A volume in a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Name of the volume.
    pub volume: String,
    /// Path in the container.
    pub path: String,
}

/// What a container does now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerState {
    /// Full id.
    pub id: String,
    /// Content id of its image.
    pub image: String,
    /// `created`, `running`, `exited`, …
    pub status: String,
    /// Whether its process runs.
    pub running: bool,
    /// Process id on the host; 0 when none.
    pub pid: i64,
    /// How often the engine started it again.
    pub restarts: i64,
    /// Exit code of the last end.
    pub exit_code: i64,
    /// Ended for memory.
    pub oom_killed: bool,
    /// Names by network.
    pub aliases: HashMap<String, Vec<String>>,
}

impl Engine {
    /// Makes a container; one of that name that is there already is left as it is.
    pub async fn create_container(&self, spec: ContainerSpec) -> Result<(), DockerError> {
        let name = spec.name.clone();
        let names = spec.names.clone();
        let options = CreateContainerOptionsBuilder::default().name(&name).build();
        match self.api.create_container(Some(options), body(spec)).await.map_err(DockerError::from) {
            Ok(_) => {}
            Err(error) if error.is_conflict() => {}
            Err(error) => return Err(error),
        }
        // API 1.41 takes one network at creation; the second joins before the start.
        let joined = self.container(&name).await?.is_some_and(|c| c.aliases.contains_key(&names.network));
        if !joined {
            self.attach(&names.network, &name, names.address, &names.aliases).await?;
        }
        Ok(())
    }

    /// Starts a container; a running one is left as it is.
    pub async fn start_container(&self, name: &str) -> Result<(), DockerError> {
        let options = None::<bollard::query_parameters::StartContainerOptions>;
        Ok(self.api.start_container(name, options).await?)
    }

    /// Starts a container that shall run from now on, whatever becomes of the engine; a running one keeps running.
    pub async fn run_container(&self, name: &str) -> Result<(), DockerError> {
        self.set_restart(name, RestartPolicyNameEnum::ALWAYS).await?;
        self.start_container(name).await
    }

    /// `unless-stopped` would not do: an engine that was killed stops what it finds running, and takes that for a person's wish.
    /// So what shall run has `always`, and what was stopped has `no`.
    async fn set_restart(&self, name: &str, policy: RestartPolicyNameEnum) -> Result<(), DockerError> {
        let restart_policy = Some(RestartPolicy { name: Some(policy), maximum_retry_count: None });
        let body = ContainerUpdateBody { restart_policy, ..Default::default() };
        found(self.api.update_container(name, body).await).map(|_| ())
    }

    /// TERM, `grace_s`, KILL, and no engine starts it again; a stopped or missing one is fine.
    pub async fn stop_container(&self, name: &str, grace_s: u16) -> Result<(), DockerError> {
        self.set_restart(name, RestartPolicyNameEnum::NO).await?;
        let options = StopContainerOptionsBuilder::default().t(i32::from(grace_s)).build();
        found(self.api.stop_container(name, Some(options)).await).map(|_| ())
    }

    /// Removes a container and its anonymous volumes; a missing one is fine.
    pub async fn remove_container(&self, name: &str) -> Result<(), DockerError> {
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        found(self.api.remove_container(name, Some(options)).await).map(|_| ())
    }

    /// One container.
    pub async fn container(&self, name: &str) -> Result<Option<ContainerState>, DockerError> {
        let options = None::<bollard::query_parameters::InspectContainerOptions>;
        let Some(seen) = found(self.api.inspect_container(name, options).await)? else { return Ok(None) };
        let state = seen.state.unwrap_or_default();
        let networks = seen.network_settings.and_then(|settings| settings.networks).unwrap_or_default();
        Ok(Some(ContainerState {
            id: seen.id.unwrap_or_default(),
            image: seen.image.unwrap_or_default(),
            status: state.status.map(|status| status.to_string()).unwrap_or_default(),
            running: state.running.unwrap_or_default() && !state.restarting.unwrap_or_default(),
            pid: state.pid.unwrap_or_default(),
            restarts: seen.restart_count.unwrap_or_default(),
            exit_code: state.exit_code.unwrap_or_default(),
            oom_killed: state.oom_killed.unwrap_or_default(),
            aliases: networks
                .into_iter()
                .map(|(network, endpoint)| (network, endpoint.aliases.unwrap_or_default()))
                .collect(),
        }))
    }

    /// Name, label values and state of every container that carries a label, stopped ones too.
    pub async fn containers_with_label(
        &self,
        label: &str,
    ) -> Result<Vec<(String, HashMap<String, String>, String)>, DockerError> {
        let filters = HashMap::from([("label", vec![label])]);
        let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
        let listed = self.api.list_containers(Some(options)).await?;
        Ok(listed
            .into_iter()
            .map(|container| {
                let name = container.names.unwrap_or_default().into_iter().next().unwrap_or_default();
                let state = container.state.map(|state| state.to_string()).unwrap_or_default();
                (name.trim_start_matches('/').to_owned(), container.labels.unwrap_or_default(), state)
            })
            .collect())
    }

    /// The last lines of both output streams, as bytes, at most `most_bytes` of them.
    pub async fn container_log(
        &self,
        name: &str,
        lines: u32,
        most_bytes: usize,
    ) -> Result<Vec<u8>, DockerError> {
        let options =
            LogsOptionsBuilder::default().stdout(true).stderr(true).tail(&lines.to_string()).build();
        let mut output = std::pin::pin!(self.api.logs(name, Some(options)));
        let mut bytes = Vec::new();
        while let Some(piece) = output.next().await {
            match piece? {
                LogOutput::StdErr { message }
                | LogOutput::StdOut { message }
                | LogOutput::Console { message } => {
                    bytes.extend_from_slice(&message);
                }
                LogOutput::StdIn { .. } => {}
            }
            if bytes.len() > most_bytes {
                let surplus = bytes.len() - most_bytes;
                bytes.drain(..surplus);
            }
        }
        Ok(bytes)
    }
}

fn body(spec: ContainerSpec) -> ContainerCreateBody {
    let mounts = spec.mounts.into_iter().map(|mount| bollard::models::Mount {
        typ: Some(MountType::VOLUME),
        source: Some(mount.volume),
        target: Some(mount.path),
        ..Default::default()
    });
    let restart = if spec.keep_running { RestartPolicyNameEnum::ALWAYS } else { RestartPolicyNameEnum::NO };
    let log_ring = [("max-size", "4m"), ("max-file", "2"), ("compress", "false")];
    let host = HostConfig {
        mounts: Some(mounts.collect()),
        memory: Some(spec.memory),
        memory_swap: Some(spec.memory),
        nano_cpus: Some(spec.nano_cpus),
        pids_limit: Some(spec.pids),
        restart_policy: Some(RestartPolicy { name: Some(restart), maximum_retry_count: None }),
        cap_drop: Some(DROPPED_CAPABILITIES.map(str::to_owned).to_vec()),
        security_opt: Some(vec!["no-new-privileges:true".to_owned()]),
        network_mode: Some(spec.network.clone()),
        log_config: Some(HostConfigLogConfig {
            typ: Some("local".to_owned()),
            config: Some(log_ring.map(|(k, v)| (k.to_owned(), v.to_owned())).into()),
        }),
        ..Default::default()
    };
    ContainerCreateBody {
        image: Some(spec.image),
        cmd: spec.command,
        env: Some(spec.env),
        labels: Some(spec.labels),
        stop_timeout: Some(i64::from(spec.stop_grace_s)),
        networking_config: Some(NetworkingConfig {
            endpoints_config: Some(HashMap::from([(spec.network, endpoint(spec.address, &[]))])),
        }),
        host_config: Some(host),
        ..Default::default()
    }
}
