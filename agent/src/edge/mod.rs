//! The public side of a server: host names and paths, certificates, and which container serves them.
//!
//! Rule: one desired state, changed under one lock, in numbered generations; a generation serves only after it was
//! validated and confirmed, and the one before comes back when it was not. Traffic never depends on the agent being up.
//! Neighbours: `steps/{route,certificate,release,probe}` change the state; `nginx` is the first driver.

mod ask;
mod certificates;
mod keeper;
mod nginx;
mod paths;
mod sockets;
mod state;
mod unit;

use std::net::SocketAddrV4;
use std::time::Duration;

pub use ask::{Answer, ask_tcp, ask_tls};
pub use certificates::{Authority, CertificatePaths, SiteCertificate};
pub use keeper::{Edge, ensure_running};
pub use nginx::{Nginx, is_running};
pub use paths::EdgePaths;
pub use sockets::{drained, established_in, established_to};
pub use state::{EdgeState, InvalidRoute, Site, SitePath};
pub use unit::has_unit;

use crate::record::RecordError;

/// The files of one generation, by path relative to its directory.
pub type FileSet = std::collections::BTreeMap<String, String>;

/// What a driver knows about the running proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdgeStatus {
    /// Version of the program, when it is installed.
    pub version: Option<String>,
    /// Generation that answers now.
    pub generation: Option<u64>,
    /// Workers of earlier generations that still finish requests.
    pub draining: usize,
}

/// How a drain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were still open at the end.
    pub left: usize,
    /// How long it took.
    pub took: Duration,
}

/// A reverse proxy that Hydron controls.
#[expect(async_fn_in_trait, reason = "drivers are used by type, inside this crate only")]
pub trait EdgeProxy {
    /// The files of a state. Pure.
    fn render(&self, state: &EdgeState) -> FileSet;
    /// Whether the proxy would accept a staged generation; its warnings are errors.
    async fn validate(&self, generation: u64) -> Result<(), EdgeError>;
    /// Makes the running proxy read the current generation; starts it when it does not run.
    async fn apply(&self) -> Result<(), EdgeError>;
    /// Waits until `generation` answers and the workers of earlier ones take no new connections.
    async fn confirm(&self, generation: u64, within: Duration) -> Result<(), EdgeError>;
    /// Waits until the proxy has no connection to these addresses any more.
    async fn drain(&self, addresses: &[SocketAddrV4], within: Duration) -> Drained;
    /// Makes the proxy read the current generation again after one failed.
    async fn rollback(&self) -> Result<(), EdgeError>;
    /// What runs.
    async fn status(&self) -> EdgeStatus;
}

/// Why the public side could not be changed. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum EdgeError {
    /// No program.
    #[error("nginx is not installed; install it (`apt-get install nginx-light`) and retry")]
    NotInstalled,
    /// The state contradicts itself.
    #[error(transparent)]
    Invalid(#[from] InvalidRoute),
    /// The proxy's own check said no.
    #[error("nginx refuses the new configuration: {0}")]
    Refused(String),
    /// Somebody else listens.
    #[error("port {port} is in use{by}; stop what uses it, or set another port under [steps] in agent.toml")]
    PortInUse {
        /// Which port.
        port: u16,
        /// ` by <program> (process <id>)`, when it could be found out.
        by: String,
    },
    /// It did not come up or did not take the new generation over.
    #[error("nginx did not take over generation {generation}: {reason}")]
    NotConfirmed {
        /// Which generation.
        generation: u64,
        /// The last lines of its error log.
        reason: String,
    },
    /// The workers' user cannot reach its directories.
    #[error("{0} must be searchable by other users (mode 0711): nginx's workers run without root")]
    Unreachable(String),
    /// A child process could not be run.
    #[error("nginx could not be run: {0}")]
    Run(std::io::Error),
    /// A file could not be kept.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A certificate could not be made.
    #[error("the certificate could not be made: {0}")]
    Certificate(String),
}

impl EdgeError {
    /// Stable code of a failed step.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotInstalled => "PROXY_MISSING",
            Self::Invalid(invalid) => invalid.code(),
            Self::Refused(_) => "PROXY_CONFIG_REFUSED",
            Self::PortInUse { .. } => "PORT_IN_USE",
            Self::NotConfirmed { .. } => "PROXY_NOT_CONFIRMED",
            Self::Unreachable(_) => "EDGE_PATH_PRIVATE",
            Self::Run(_) => "PROXY_NOT_RUN",
            Self::Record(_) => "STATE_NOT_KEPT",
            Self::Certificate(_) => "CERTIFICATE_NOT_MADE",
        }
    }
}
