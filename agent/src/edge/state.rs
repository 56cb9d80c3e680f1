//! What the public side shall look like. Pure: changes go in, a checked state comes out.
//!
//! Rule: everything that reaches the proxy's configuration was parsed into a plain grammar here or in `hydron_proto`;
//! a host belongs to one site.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;

use hydron_proto::ids::ServiceId;
use hydron_proto::names::{Hostname, ResourceName};
use hydron_proto::plan::{Route, RoutePath};
use serde::{Deserialize, Serialize};

use super::CertificatePaths;

/// Everything the proxy is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EdgeState {
    /// Number of this state.
    pub generation: u64,
    /// Port for plain HTTP.
    pub http_port: u16,
    /// Port for TLS.
    pub https_port: u16,
    /// Sites by name.
    pub sites: BTreeMap<ResourceName, Site>,
    /// Where each service is served; none while it is stopped.
    pub upstreams: BTreeMap<ServiceId, SocketAddrV4>,
    /// A request that carries this is told which container answered.
    pub probe_token: String,
}

/// One site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// Host names.
    pub hosts: Vec<Hostname>,
    /// Paths, checked.
    pub paths: Vec<SitePath>,
    /// Largest request body, MiB.
    pub max_body_mb: u32,
    /// What it shows to clients.
    pub certificate: CertificatePaths,
}

/// A checked path prefix and its service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SitePath {
    /// `/`, or `/…` without a slash at the end.
    pub prefix: String,
    /// Target.
    pub service: ServiceId,
    /// Response buffering off.
    pub streaming: bool,
}

/// A route that cannot be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRoute {
    /// No name to serve.
    #[error("site {0} has no host name; give it at least one")]
    NoHost(ResourceName),
    /// Twice in one site, or in two.
    #[error("host {host} already belongs to site {site}; remove it there first")]
    HostTaken {
        /// Which host.
        host: Hostname,
        /// Who has it.
        site: ResourceName,
    },
    /// A path with characters that have no place in one.
    #[error(
        "path {0:?} of a route must start with `/` and contain only letters, digits and `- _ . ~ /`, and no `..`"
    )]
    Path(String),
    /// The same path twice.
    #[error("path {0} of a route is given twice")]
    PathTwice(String),
}

impl InvalidRoute {
    /// Stable code of a failed step.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoHost(_) | Self::Path(_) | Self::PathTwice(_) => "ROUTE_INVALID",
            Self::HostTaken { .. } => "HOST_TAKEN",
        }
    }
}

impl EdgeState {
    /// A proxy with no sites.
    pub fn empty(http_port: u16, https_port: u16, probe_token: String) -> Self {
        Self {
            generation: 0,
            http_port,
            https_port,
            sites: BTreeMap::new(),
            upstreams: BTreeMap::new(),
            probe_token,
        }
    }

    /// Adds or replaces a site.
    pub fn set_site(&mut self, route: &Route, certificate: CertificatePaths) -> Result<(), InvalidRoute> {
        if route.hosts.is_empty() {
            return Err(InvalidRoute::NoHost(route.site.clone()));
        }
        for (name, site) in self.sites.iter().filter(|(name, _)| **name != route.site) {
            if let Some(host) = route.hosts.iter().find(|host| site.hosts.contains(host)) {
                return Err(InvalidRoute::HostTaken { host: host.clone(), site: name.clone() });
            }
        }
        let mut hosts: Vec<Hostname> = route.hosts.clone();
        hosts.sort();
        hosts.dedup();
        let site = Site { hosts, paths: checked(&route.paths)?, max_body_mb: route.max_body_mb, certificate };
        self.sites.insert(route.site.clone(), site);
        Ok(())
    }

    /// Points a service to a container, or to none.
    pub fn set_upstream(&mut self, service: ServiceId, address: Option<SocketAddrV4>) {
        match address {
            Some(address) => self.upstreams.insert(service, address),
            None => self.upstreams.remove(&service),
        };
    }

    /// Host and path prefix under which a service is reached, if any.
    pub fn public_place(&self, service: ServiceId) -> Option<(&Hostname, &str)> {
        self.sites.values().find_map(|site| {
            let path = site.paths.iter().find(|path| path.service == service)?;
            Some((site.hosts.first()?, path.prefix.as_str()))
        })
    }

    /// Whether both describe the same traffic; generations aside.
    pub fn same_traffic(&self, other: &Self) -> bool {
        *self == Self { generation: self.generation, ..other.clone() }
    }
}

/// Paths in the order in which they are rendered: longest first.
fn checked(paths: &[RoutePath]) -> Result<Vec<SitePath>, InvalidRoute> {
    let mut out: Vec<SitePath> = Vec::with_capacity(paths.len());
    for path in paths {
        let prefix = checked_prefix(&path.prefix)?;
        if out.iter().any(|known| known.prefix == prefix) {
            return Err(InvalidRoute::PathTwice(prefix));
        }
        out.push(SitePath { prefix, service: path.service, streaming: path.streaming });
    }
    out.sort_by(|a, b| b.prefix.len().cmp(&a.prefix.len()).then_with(|| a.prefix.cmp(&b.prefix)));
    Ok(out)
}

fn checked_prefix(text: &str) -> Result<String, InvalidRoute> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~' | b'/');
    let inner = text.strip_prefix('/').map(|rest| rest.strip_suffix('/').unwrap_or(rest));
    let parts_are_plain =
        |rest: &str| rest.is_empty() || !rest.split('/').any(|p| matches!(p, "" | "." | ".."));
    match inner {
        Some(rest)
            if text.len() <= 512
                && !text.contains("//")
                && text.bytes().all(plain)
                && parts_are_plain(rest) =>
        {
            Ok(format!("/{rest}"))
        }
        Some(_) | None => Err(InvalidRoute::Path(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(site: &str, host: &str, prefixes: &[&str]) -> Route {
        Route {
            site: site.parse().unwrap(),
            hosts: vec![host.parse().unwrap()],
            paths: prefixes
                .iter()
                .map(|prefix| RoutePath {
                    prefix: (*prefix).to_owned(),
                    service: ServiceId::new(1, [1; 10]),
                    streaming: false,
                })
                .collect(),
            max_body_mb: 10,
        }
    }

    fn certificate() -> CertificatePaths {
        CertificatePaths { chain: "/c/fullchain.pem".into(), key: "/c/privkey.pem".into() }
    }

    #[test]
    fn a_host_belongs_to_one_site() {
        let mut state = EdgeState::empty(80, 443, "t".into());
        state.set_site(&route("a", "x.localhost", &["/"]), certificate()).unwrap();
        let error = state.set_site(&route("b", "x.localhost", &["/"]), certificate()).unwrap_err();
        assert_eq!(error.code(), "HOST_TAKEN");
        state.set_site(&route("a", "x.localhost", &["/api"]), certificate()).unwrap();
    }

    #[test]
    fn a_path_that_could_end_a_directive_is_refused() {
        for bad in [
            "", "api", "/a b", "/a;b", "/a{", "/a}", "/a\n", "/a\"", "/$host", "/a/../b", "//", "/a//b",
            "/*", "/a#",
        ] {
            let mut state = EdgeState::empty(80, 443, "t".into());
            assert!(state.set_site(&route("a", "x.localhost", &[bad]), certificate()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_slash_at_the_end_means_nothing_and_longer_paths_come_first() {
        let mut state = EdgeState::empty(80, 443, "t".into());
        state.set_site(&route("a", "x.localhost", &["/", "/api/"]), certificate()).unwrap();
        let paths: Vec<_> = state.sites.values().next().unwrap().paths.iter().map(|p| &*p.prefix).collect();
        assert_eq!(paths, ["/api", "/"]);
        assert!(state.set_site(&route("a", "x.localhost", &["/api", "/api/"]), certificate()).is_err());
    }
}
