//! `agent.toml`: where the coordinator is, and what this machine's steps work with.
//!
//! Rule: every field has a default that is right in production. Neighbours: `link` (LinkConfig), `steps` (StepConfig).

use std::path::PathBuf;

use serde::Deserialize;

use super::{ConfigError, load};
use crate::root::Root;

/// The whole file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AgentConfig {
    /// `host:port` of the coordinator's agent port; `join` writes it.
    pub coordinator: Option<String>,
    /// How the link behaves.
    pub link: LinkConfig,
    /// What steps work with.
    pub steps: StepConfig,
}

/// `[link]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LinkConfig {
    /// User of the link process; it never runs as root.
    pub user: String,
    /// HTTPS CONNECT proxy, `http://[user:password@]host:port`.
    pub proxy: Option<String>,
    /// First window of the reconnect jitter, milliseconds.
    pub retry_min_ms: u64,
    /// Last window of the reconnect jitter, milliseconds.
    pub retry_max_ms: u64,
    /// First wait after the coordinator refused this identity, milliseconds.
    pub refused_min_ms: u64,
    /// Last wait after the coordinator refused this identity, milliseconds.
    pub refused_max_ms: u64,
    /// After the end of a run's range, the wait until the coordinator is asked whether the run may go, milliseconds.
    pub settle_ms: u64,
}

impl Default for LinkConfig {
    fn default() -> Self {
        Self {
            user: "hydron".to_owned(),
            proxy: None,
            retry_min_ms: 1_000,
            retry_max_ms: 60_000,
            refused_min_ms: 5 * 60_000,
            refused_max_ms: 15 * 60_000,
            settle_ms: 60_000,
        }
    }
}

/// `[steps]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StepConfig {
    /// Port of the reverse proxy for plain HTTP.
    pub http_port: u16,
    /// Port of the reverse proxy for TLS.
    pub https_port: u16,
    /// The Docker Engine's socket.
    pub docker_socket: PathBuf,
    /// Let git fetch from private addresses. Only for demonstrations and tests.
    pub allow_private_sources: bool,
    /// One more authority that git fetches believe, PEM. Only for demonstrations and tests.
    pub extra_source_ca: Option<PathBuf>,
    /// The agent's program, which confines itself before it becomes git; this very program when not set (tests are another).
    pub confiner: Option<PathBuf>,
    /// First two numbers of the /16 from which project networks are taken, e.g. `10.201`.
    pub address_pool: String,
}

impl Default for StepConfig {
    fn default() -> Self {
        Self {
            http_port: 80,
            https_port: 443,
            docker_socket: PathBuf::from("/var/run/docker.sock"),
            allow_private_sources: false,
            extra_source_ca: None,
            confiner: None,
            address_pool: "10.201".to_owned(),
        }
    }
}

impl AgentConfig {
    /// Reads `agent.toml` of a root; defaults when there is none.
    pub fn load(root: &Root) -> Result<Self, ConfigError> {
        load(&root.agent_toml())
    }
}
