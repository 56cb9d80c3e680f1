//! What an agent reports of its machine: display data and hints for planning, bounded because it comes from outside.

use hydron_proto::wire;
use serde::{Deserialize, Serialize};

/// Longest text that is kept of one field.
const MAX_TEXT: usize = 200;
/// Longest certificate that is kept.
const MAX_PEM: usize = 8 * 1024;
/// Most entries that are kept of one list.
const MAX_ITEMS: usize = 32;

/// A machine as its agent sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct AgentFacts {
    /// Its own name.
    pub hostname: String,
    /// Distribution and release.
    pub os: String,
    /// Kernel release.
    pub kernel: String,
    /// Processor architecture.
    pub arch: String,
    /// Processors.
    pub cpu_count: u32,
    /// Memory, bytes.
    pub memory_bytes: u64,
    /// Disk, bytes.
    pub disk_bytes: u64,
    /// Free disk, bytes.
    pub disk_free_bytes: u64,
    /// Its addresses.
    pub addresses: Vec<String>,
    /// Docker Engine; empty when there is none.
    pub docker_version: String,
    /// Reverse proxy; empty when there is none.
    pub proxy_version: String,
    /// Port of plain HTTP.
    pub http_port: u32,
    /// Port of HTTPS.
    pub https_port: u32,
    /// The server's own authority for sites.
    pub site_ca_pem: String,
    /// Mode of its local policy.
    pub policy_mode: String,
    /// Whether systemd runs it.
    pub systemd: bool,
    /// What its builder can do.
    pub features: Vec<String>,
}

impl From<wire::Facts> for AgentFacts {
    fn from(facts: wire::Facts) -> Self {
        Self {
            hostname: bounded(facts.hostname, MAX_TEXT),
            os: bounded(facts.os, MAX_TEXT),
            kernel: bounded(facts.kernel, MAX_TEXT),
            arch: bounded(facts.arch, MAX_TEXT),
            cpu_count: facts.cpu_count,
            memory_bytes: facts.memory_bytes,
            disk_bytes: facts.disk_bytes,
            disk_free_bytes: facts.disk_free_bytes,
            addresses: bounded_list(facts.addresses),
            docker_version: bounded(facts.docker_version, MAX_TEXT),
            proxy_version: bounded(facts.proxy_version, MAX_TEXT),
            http_port: facts.http_port,
            https_port: facts.https_port,
            site_ca_pem: bounded(facts.site_ca_pem, MAX_PEM),
            policy_mode: bounded(facts.policy_mode, MAX_TEXT),
            systemd: facts.systemd,
            features: bounded_list(facts.features),
        }
    }
}

fn bounded_list(items: Vec<String>) -> Vec<String> {
    items.into_iter().take(MAX_ITEMS).map(|item| bounded(item, MAX_TEXT)).collect()
}

/// PostgreSQL refuses NUL in text, so it goes here.
fn bounded(text: String, most: usize) -> String {
    if text.len() <= most && !text.contains('\0') {
        return text;
    }
    text.chars().filter(|c| *c != '\0').take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_agent_says_of_itself_is_kept_in_bounds_and_without_nul() {
        let facts = wire::Facts {
            hostname: "h".repeat(201),
            os: "o".repeat(200),
            kernel: "6.1\0".to_owned(),
            addresses: vec!["10.0.0.1".to_owned(); 33],
            site_ca_pem: "p".repeat(8193),
            ..wire::Facts::default()
        };
        let kept = AgentFacts::from(facts);
        assert_eq!(
            (kept.hostname, kept.os, kept.kernel),
            ("h".repeat(200), "o".repeat(200), "6.1".to_owned())
        );
        assert_eq!((kept.addresses.len(), kept.site_ca_pem.len()), (32, 8192));
    }
}
