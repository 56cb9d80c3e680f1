//! Visitors of a site, as many and of every kind: fresh and kept connections, posts, event streams, WebSockets.
//!
//! Rule: what a visitor notices is counted by kind, and nothing is tried twice before it is counted. A fresh connection that
//! fails is a failure of the site; a kept one that breaks is the end of its container, counted beside. Loopback only.

mod requests;
mod streams;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// A site on this machine.
#[derive(Debug, Clone)]
pub struct Site {
    /// `https://name[:port]`.
    pub url: String,
    /// The authority its certificate is from.
    pub ca_pem: String,
}

/// How many requests of each kind a second, and how many streams stay open.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    /// GETs, each on a connection of its own.
    pub fresh: u32,
    /// POSTs, each on a connection of its own.
    pub posts: u32,
    /// GETs that take their time, each on a connection of its own: whoever does not wait for them cuts them off.
    pub slow: u32,
    /// GETs on connections that are kept.
    pub kept: u32,
    /// Open event streams.
    pub events: u32,
    /// Open WebSockets, with four messages a second each.
    pub sockets: u32,
}

/// What the visitors noticed.
#[derive(Debug, Clone, Default)]
pub struct Noticed {
    /// Answered as they should be, by kind.
    pub answered: BTreeMap<&'static str, u64>,
    /// Failed on a connection that was new.
    pub failed: Vec<String>,
    /// Kept connections and streams that broke, by kind.
    pub broken: BTreeMap<&'static str, u64>,
}

impl Noticed {
    /// Requests and messages that were answered.
    pub fn total(&self) -> u64 {
        self.answered.values().sum()
    }
}

/// Load that goes on until it is ended.
#[derive(Debug)]
pub struct Load {
    noticed: Arc<Mutex<Noticed>>,
    stop: CancellationToken,
    visitors: JoinSet<()>,
}

/// What every visitor needs.
#[derive(Debug, Clone)]
struct Ground {
    site: Site,
    address: SocketAddr,
    host: String,
    noticed: Arc<Mutex<Noticed>>,
    stop: CancellationToken,
}

impl Load {
    /// Sends visitors to the site.
    pub fn start(site: Site, rates: Rates) -> anyhow::Result<Self> {
        crate::stack::client::install_provider();
        let url = reqwest::Url::parse(&site.url)?;
        let host = url.host_str().context("a URL with a host")?.to_owned();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, url.port_or_known_default().unwrap_or(443)));
        let noticed = Arc::new(Mutex::new(Noticed::default()));
        let stop = CancellationToken::new();
        let ground = Ground { site, address, host, noticed: noticed.clone(), stop: stop.clone() };
        let mut visitors = JoinSet::new();
        visitors.spawn(requests::fresh(ground.clone(), rates.fresh)?);
        visitors.spawn(requests::posts(ground.clone(), rates.posts)?);
        visitors.spawn(requests::slow(ground.clone(), rates.slow)?);
        visitors.spawn(requests::kept(ground.clone(), rates.kept)?);
        for _ in 0..rates.events {
            visitors.spawn(streams::events(ground.clone())?);
        }
        for _ in 0..rates.sockets {
            visitors.spawn(streams::socket(ground.clone())?);
        }
        Ok(Self { noticed, stop, visitors })
    }

    /// What was noticed so far.
    pub fn noticed(&self) -> Noticed {
        self.noticed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets everybody finish, and says what was noticed.
    pub async fn end(mut self) -> Noticed {
        self.stop.cancel();
        while self.visitors.join_next().await.is_some() {}
        self.noticed()
    }
}

impl Ground {
    fn answered(&self, kind: &'static str) {
        *self.lock().answered.entry(kind).or_default() += 1;
    }

    fn broke(&self, kind: &'static str) {
        *self.lock().broken.entry(kind).or_default() += 1;
    }

    fn failed(&self, kind: &'static str, what: impl std::fmt::Display) {
        self.lock().failed.push(format!("{kind}: {what:#}"));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Noticed> {
        self.noticed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn roots(&self) -> anyhow::Result<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.site.ca_pem.as_bytes())?)?;
        Ok(roots)
    }

    fn http(&self, kept: usize) -> anyhow::Result<reqwest::Client> {
        let builder = reqwest::Client::builder()
            .tls_certs_only([reqwest::Certificate::from_pem(self.site.ca_pem.as_bytes())?])
            .resolve(&self.host, self.address)
            .pool_max_idle_per_host(kept);
        Ok(builder.build()?)
    }

    /// Until the load ends.
    async fn pause(&self, time: Duration) -> bool {
        tokio::select! {
            () = self.stop.cancelled() => false,
            () = tokio::time::sleep(time) => true,
        }
    }
}
