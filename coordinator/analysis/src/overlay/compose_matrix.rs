//! What becomes of each key of a compose file: the table behind the published support matrix.
//!
//! One rule: no key is dropped in silence; what is neither read nor done in Hydron's own way becomes a finding.
//! Neighbours: `compose_file` reads, `compose` applies; `docs/compose.md` shows this table and a test holds them together.

use hydron_domain::analysis::{Finding, FindingCode, Severity};

use super::compose_file::ComposeService;
use crate::field::At;
use crate::repo::{Repo, line_of};

/// What Hydron makes of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ComposeSupport {
    /// Read as a statement about the service.
    Read,
    /// Hydron decides this itself; the value is not needed.
    Ours,
    /// No counterpart: reported, and the service is deployed without it.
    Left,
    /// Would reach into the server: reported as a warning, never taken over.
    Refused,
}

impl ComposeSupport {
    /// The word of the published matrix.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Ours => "Hydron's own",
            Self::Left => "left out",
            Self::Refused => "refused",
        }
    }
}

/// One row: where the key stands, the key, what becomes of it, one sentence.
pub type ComposeKey = (&'static str, &'static str, ComposeSupport, &'static str);

use ComposeSupport::{Left, Ours, Read, Refused};

/// The support matrix.
pub const COMPOSE_KEYS: &[ComposeKey] = &[
    ("file", "services", Read, "each service is judged: part of the product, database, or tool"),
    ("file", "volumes", Read, "named volumes survive redeployments"),
    ("file", "x-*", Read, "through anchors, aliases and merges"),
    ("file", "name", Ours, "the project has a name of its own"),
    ("file", "version", Ours, "obsolete in compose itself"),
    ("file", "networks", Ours, "each project has one private network"),
    ("file", "include", Left, "name the other file's directory to have it analysed"),
    ("file", "secrets", Left, "give the value as a secret variable"),
    ("file", "configs", Left, "put the file into the image, or give a variable"),
    ("file", "models", Left, "give the model's address as a variable"),
    ("service", "image", Read, "a known database becomes a dependency of its version"),
    ("service", "build", Read, "see the keys of build"),
    ("service", "command", Read, "the start command, unless it is a development server"),
    ("service", "entrypoint", Read, "stands before the command"),
    ("service", "ports", Read, "the container side is the port; host ports are not published"),
    ("service", "expose", Read, "a port inside the project"),
    ("service", "environment", Read, "names and defaults; values of secrets are not kept"),
    ("service", "env_file", Read, "names and defaults; values of secrets are not kept"),
    ("service", "depends_on", Read, "order, and which databases belong to it"),
    ("service", "links", Read, "the same as depends_on"),
    ("service", "healthcheck", Read, "the path of a local URL in its test"),
    ("service", "profiles", Read, "helpers that run only in a profile are not services"),
    (
        "service",
        "volumes",
        Read,
        "named volumes are kept; a mount of the source code marks a developer's stack",
    ),
    ("service", "volumes: a path of the repository", Left, "put the file into the image"),
    ("service", "volumes: a path of the server", Left, "files of the server are not mounted"),
    (
        "service",
        "volumes: the container engine's socket",
        Refused,
        "a service must not drive the server's containers",
    ),
    ("service", "extends", Read, "from the same file or another one of the repository"),
    ("service", "container_name", Ours, "names follow the project and the service"),
    ("service", "hostname", Ours, "the service's name is its host name"),
    ("service", "domainname", Ours, "the service's name is its host name"),
    ("service", "networks", Ours, "each project has one private network"),
    ("service", "restart", Ours, "services are kept running"),
    ("service", "deploy", Ours, "replicas and limits belong to the plan"),
    ("service", "scale", Ours, "replicas belong to the plan"),
    ("service", "logging", Ours, "logs are collected and rotated"),
    ("service", "labels", Ours, "labels of other proxies mean nothing here"),
    ("service", "annotations", Ours, "labels of other tools mean nothing here"),
    ("service", "label_file", Ours, "labels of other tools mean nothing here"),
    ("service", "init", Ours, "signals reach the program"),
    ("service", "stop_grace_period", Ours, "part of a release's settings"),
    ("service", "stop_signal", Ours, "the image's own"),
    ("service", "pull_policy", Ours, "images are pinned by digest"),
    ("service", "attach", Ours, "only for a terminal"),
    ("service", "stdin_open", Ours, "only for a terminal"),
    ("service", "tty", Ours, "only for a terminal"),
    ("service", "develop", Ours, "only for development"),
    ("service", "platform", Ours, "the server's own"),
    ("service", "mem_limit", Ours, "limits belong to the plan"),
    ("service", "mem_reservation", Ours, "limits belong to the plan"),
    ("service", "memswap_limit", Ours, "limits belong to the plan"),
    ("service", "cpus", Ours, "limits belong to the plan"),
    ("service", "cpu_shares", Ours, "limits belong to the plan"),
    ("service", "cpuset", Ours, "limits belong to the plan"),
    ("service", "pids_limit", Ours, "limits belong to the plan"),
    ("service", "secrets", Left, "give the value as a secret variable"),
    ("service", "configs", Left, "put the file into the image, or give a variable"),
    ("service", "user", Left, "set USER in the Dockerfile"),
    ("service", "group_add", Left, "set USER in the Dockerfile"),
    ("service", "working_dir", Left, "set WORKDIR in the Dockerfile"),
    ("service", "tmpfs", Left, "write to a volume or to /tmp"),
    ("service", "read_only", Left, "not supported yet"),
    ("service", "shm_size", Left, "not supported yet"),
    ("service", "ulimits", Left, "not supported yet"),
    ("service", "sysctls", Left, "not supported yet"),
    ("service", "extra_hosts", Left, "use names that resolve on the server"),
    ("service", "dns", Left, "the server's resolvers are used"),
    ("service", "dns_search", Left, "the server's resolvers are used"),
    ("service", "dns_opt", Left, "the server's resolvers are used"),
    ("service", "mac_address", Left, "not supported"),
    ("service", "external_links", Left, "other projects are reached by their public name"),
    ("service", "volumes_from", Left, "name the volumes themselves"),
    ("service", "post_start", Left, "use a release command"),
    ("service", "pre_stop", Left, "handle the stop signal in the program"),
    ("service", "provider", Left, "not supported"),
    ("service", "models", Left, "give the model's address as a variable"),
    ("service", "use_api_socket", Refused, "a service must not drive the server's containers"),
    ("service", "privileged", Refused, "a service must not own the server"),
    ("service", "cap_add", Refused, "services run without extra capabilities"),
    ("service", "cap_drop", Ours, "services run without extra capabilities"),
    ("service", "security_opt", Refused, "the server's defaults stay in force"),
    ("service", "devices", Refused, "services have no devices of the server"),
    ("service", "device_cgroup_rules", Refused, "services have no devices of the server"),
    ("service", "gpus", Refused, "services have no devices of the server"),
    ("service", "network_mode", Refused, "services run in their project's network"),
    ("service", "pid", Refused, "services do not see other processes"),
    ("service", "ipc", Refused, "services do not share memory with others"),
    ("service", "uts", Refused, "services have names of their own"),
    ("service", "userns_mode", Refused, "the server's defaults stay in force"),
    ("service", "cgroup", Refused, "the server's defaults stay in force"),
    ("service", "cgroup_parent", Refused, "the server's defaults stay in force"),
    ("service", "runtime", Refused, "the server's defaults stay in force"),
    ("service", "isolation", Refused, "the server's defaults stay in force"),
    ("service", "credential_spec", Refused, "the server's defaults stay in force"),
    ("service", "oom_kill_disable", Refused, "the server's defaults stay in force"),
    ("service", "oom_score_adj", Refused, "the server's defaults stay in force"),
    ("build", "context", Read, "a directory of the repository"),
    ("build", "dockerfile", Read, "judged before it is used"),
    ("build", "target", Read, "unless it is a development stage"),
    ("build", "args", Read, "build arguments with their values"),
    ("build", "labels", Ours, "images carry Hydron's own"),
    ("build", "tags", Ours, "images carry Hydron's own"),
    ("build", "pull", Ours, "bases are pinned"),
    ("build", "no_cache", Ours, "the builder's cache is used"),
    ("build", "cache_from", Ours, "the builder's cache is used"),
    ("build", "cache_to", Ours, "the builder's cache is used"),
    ("build", "platforms", Ours, "the server's own"),
    ("build", "dockerfile_inline", Left, "put it into a file"),
    ("build", "additional_contexts", Left, "use one context"),
    ("build", "secrets", Left, "read the secret when the service runs"),
    ("build", "ssh", Left, "vendor private packages, or use a token at run time"),
    ("build", "shm_size", Left, "not supported"),
    ("build", "ulimits", Left, "not supported"),
    ("build", "extra_hosts", Left, "use names that resolve on the server"),
    ("build", "network", Refused, "builds run in a network of their own"),
    ("build", "privileged", Refused, "a build must not own the server"),
    ("build", "entitlements", Refused, "a build must not own the server"),
    ("build", "isolation", Refused, "the server's defaults stay in force"),
];

/// What becomes of a key.
pub(crate) fn support(place: &str, key: &str) -> (ComposeSupport, &'static str) {
    if key.starts_with("x-") {
        return (Read, "");
    }
    let row = COMPOSE_KEYS.iter().find(|(p, k, _, _)| *p == place && *k == key);
    row.map_or((Left, "the key is not known"), |(_, _, support, note)| (*support, *note))
}

/// Says which keys of a service are not taken over: one finding for what is left out, one for what is refused.
pub(crate) fn note(repo: &Repo<'_>, service: &ComposeService) {
    let who = format!("compose service {}", service.name);
    unsupported(repo, &who, &service.keys, &At { file: Some(service.file.clone()), line: service.line });
}

/// The same for the keys beside the services.
pub(crate) fn note_file(repo: &Repo<'_>, file: &str, text: &str) {
    if let Some(line) = line_of(text, "\ninclude:") {
        unsupported(repo, "the compose file", &["file.include".to_owned()], &At::line(file, line + 1));
    }
}

fn unsupported(repo: &Repo<'_>, who: &str, keys: &[String], at: &At) {
    for (wanted, severity) in [(Left, Severity::Info), (Refused, Severity::Warning)] {
        let rows = keys.iter().filter_map(|key| {
            let (place, name) = key.split_once('.')?;
            let (support, note) = support(place, name);
            (support == wanted).then_some((name, note))
        });
        let (names, notes): (Vec<&str>, Vec<String>) =
            rows.map(|(name, note)| (name, format!("{name}: {note}"))).unzip();
        if !names.is_empty() {
            repo.note(Finding {
                severity,
                code: FindingCode::ComposeUnsupported,
                service: None,
                message: format!("{who} sets {}, which Hydron does not take over", names.join(", ")),
                advice: format!("{}.", notes.join("; ")),
                file: at.file.clone(),
                line: at.line,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_stands_twice_and_extensions_are_read() {
        let mut rows: Vec<_> = COMPOSE_KEYS.iter().map(|(place, key, _, _)| (*place, *key)).collect();
        rows.sort_unstable();
        let all = rows.len();
        rows.dedup();
        assert_eq!(rows.len(), all);
        assert_eq!(support("service", "x-anything").0, Read);
        assert_eq!(support("service", "nonsense").0, Left);
    }
}
