//! A simulated agent: the real link over real mutual TLS, the real protocol, and an executor that follows a script.
//!
//! Rule: it verifies what a real executor verifies (signature, order, attempts, epochs, secrets) and keeps its journal
//! over connections; what it does in a step is the script's. Tests use it for the API, the benchmark by the thousand.

mod executor;
mod identity;
mod link;
mod raw;

pub use executor::{Executor, Play, Script, Start};
pub use identity::{EnrollRefused, Identity, SimKeys, enroll, renew_late};
pub use link::SimLink;
pub use raw::{LinkEnd, RawLink};

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hydron_proto::wire;

/// One installation: its identity, its executor, its session counter.
#[derive(Debug, Clone)]
pub struct SimAgent {
    /// Keys and certificate.
    pub identity: Arc<Identity>,
    /// Journals, spools, script.
    pub executor: Arc<Executor>,
    address: SocketAddr,
    counter: Arc<AtomicU64>,
    boot_id: Arc<str>,
}

impl SimAgent {
    /// Enrolls with a token; every step follows `script`.
    pub async fn join(address: SocketAddr, token: &str, script: Script) -> Result<Self, EnrollRefused> {
        let identity = Arc::new(enroll(address, token, &SimKeys::generate()).await?);
        Ok(Self::new(address, identity, script))
    }

    /// An agent with an identity that was made before.
    pub fn new(address: SocketAddr, identity: Arc<Identity>, script: Script) -> Self {
        Self {
            executor: Arc::new(Executor::new(identity.clone(), script)),
            identity,
            address,
            counter: Arc::default(),
            boot_id: "boot-1".into(),
        }
    }

    /// The same agent, dialling elsewhere: the coordinator has moved.
    pub fn at(&self, address: SocketAddr) -> Self {
        Self { address, ..self.clone() }
    }

    /// Connects, and serves the connection in a task until it ends or is cut.
    pub async fn connect(&self) -> Result<SimLink, LinkEnd> {
        let raw = RawLink::open(self.address, &self.identity, self.hello()).await?;
        Ok(SimLink::start(raw, self.executor.clone()))
    }

    /// The same, and waits until the coordinator has welcomed it.
    pub async fn connect_welcomed(&self) -> Result<SimLink, LinkEnd> {
        let raw = self.connect_raw().await?.welcomed().await?;
        Ok(SimLink::start(raw, self.executor.clone()))
    }

    /// Connects without serving: the test speaks for itself.
    pub async fn connect_raw(&self) -> Result<RawLink, LinkEnd> {
        RawLink::open(self.address, &self.identity, self.hello()).await
    }

    /// The next hello.
    pub fn hello(&self) -> wire::Hello {
        wire::Hello {
            protocol: hydron_proto::PROTOCOL_VERSION,
            agent_version: "simulated".to_owned(),
            boot_id: self.boot_id.to_string(),
            session_counter: self.counter.fetch_add(1, Ordering::SeqCst) + 1,
            runs: self.executor.reports(),
            facts: Some(identity::facts()),
            ..wire::Hello::default()
        }
    }
}
