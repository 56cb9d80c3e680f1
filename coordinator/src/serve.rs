//! The running coordinator: every task and channel, wired in one function. Reading [`Coordinator::start`] is reading the
//! architecture.
//!
//! | task | does | ends |
//! |---|---|---|
//! | `web` | accepts people and programs, one task a connection | after draining |
//! | `agents` | accepts agents, one task a connection, and records what they report | after their goodbyes |
//! | `drive runs` | decides what happens next in every run and tells the agents | at once |
//! | `reap` | ends revoked connections, notes who is there, bounds stored output | at once |
//! | `sweep` | removes what has ended: sessions, keys, counters | at once |
//! | `follow ups` | tells chats how what they wait for ended | at once; told once by a key |
//! | `analyse` | reads repositories | at once; a reading that was cut off begins again |

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hydron_store::Store;
use tokio::net::TcpListener;
use zeroize::Zeroizing;

use crate::agents::{AgentsError, AgentsPort};
use crate::app::{AppState, StartError};
use crate::assistant;
use crate::clock::{Clock, Entropy};
use crate::config::{Config, TlsChoice};
use crate::http::{idempotency, listener, router};
use crate::jobs;
use crate::keys::ca;
use crate::keys::files::{self, KeyFileError};
use crate::keys::marks::{self, MarkError};
use crate::keys::tls::{self, TlsError};
use crate::lifecycle::{Ended, Lifecycle};
use crate::services::{auth, setup};

/// How often ended rows are removed.
const SWEEP: Duration = Duration::from_mins(10);

/// Why the coordinator does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Keys or store.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Other keys than the database's.
    #[error("these are other keys than the database's")]
    Keys(#[from] MarkError),
    /// The store.
    #[error("the store failed")]
    Store(#[from] hydron_store::StoreError),
    /// TLS.
    #[error("the web interface cannot be served")]
    Tls(#[from] TlsError),
    /// The port.
    #[error("{0} cannot be listened on; is another program using it?")]
    Listen(SocketAddr, #[source] std::io::Error),
    /// The agents' port.
    #[error("agents cannot be served")]
    Agents(#[from] AgentsError),
    /// The file for the set-up link.
    #[error("the set-up link cannot be written")]
    SetupLink(#[from] KeyFileError),
    /// Signals.
    #[error("signals cannot be waited for")]
    Signals(#[source] std::io::Error),
}

/// A coordinator whose tasks run.
#[derive(Debug)]
pub struct Coordinator {
    /// What its handlers share.
    pub app: AppState,
    /// Where the web interface and the API listen.
    pub address: SocketAddr,
    /// Where agents dial.
    pub agents_address: SocketAddr,
    /// Where people reach it.
    pub url: String,
    /// The link that makes the first owner, when there is none yet.
    pub setup_link: Option<Zeroizing<String>>,
    lifecycle: Lifecycle,
}

impl Coordinator {
    /// Opens, migrates, loads keys, listens, and starts every task.
    pub async fn start(
        config: Config,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, ServeError> {
        let store = Store::open(&config.database).await?;
        store.migrate().await?;
        let app = AppState::build(config, store, clock, entropy)?;
        marks::check(&app).await?;
        let lifecycle = Lifecycle::new(app.stopping.clone());

        let socket = TcpListener::bind(app.config.listen)
            .await
            .map_err(|error| ServeError::Listen(app.config.listen, error))?;
        let address = socket.local_addr().map_err(|error| ServeError::Listen(app.config.listen, error))?;
        let url = app.config.public_url(address);
        let tls = web_tls(&app, address)?;
        // Before anything answers: who waits for readiness finds the link written and the agents' port open.
        let setup_link = setup_link(&app, &url).await?;
        let (port, agents_address) = AgentsPort::bind(app.clone())?;
        lifecycle
            .spawn("web", listener::serve(socket, tls, router::build(app.clone()), app.stopping.clone()));
        lifecycle.spawn("agents", port.serve());
        lifecycle.spawn("drive runs", jobs::drive_runs::run(app.clone()));
        lifecycle.spawn("reap", jobs::reaper::run(app.clone()));
        lifecycle.spawn("sweep", sweep(app.clone()));
        lifecycle.spawn("follow ups", assistant::follow_ups::run(app.clone()));
        lifecycle.spawn("analyse", jobs::analyse::run(app.clone()));
        Ok(Self { app, address, agents_address, url, setup_link, lifecycle })
    }

    /// Runs until a signal (or a task that should not have ended), then closes the store.
    pub async fn run(self) -> Result<Ended, ServeError> {
        let ended = self.lifecycle.run().await.map_err(ServeError::Signals)?;
        self.app.store.close().await;
        Ok(ended)
    }
}

async fn setup_link(app: &AppState, url: &str) -> Result<Option<Zeroizing<String>>, ServeError> {
    let secret = setup::issue_link(app).await?;
    let link = secret.map(|secret| Zeroizing::new(format!("{url}/setup#token={}", secret.as_str())));
    if let (Some(link), Some(path)) = (&link, &app.config.setup_link_file) {
        files::replace(path, format!("{}\n", link.as_str()).as_bytes())?;
    }
    Ok(link)
}

fn web_tls(app: &AppState, address: SocketAddr) -> Result<Option<Arc<rustls::ServerConfig>>, TlsError> {
    let config = match &app.config.tls {
        TlsChoice::Off => return Ok(None),
        TlsChoice::Files { certificate, key } => tls::by_files(certificate, key)?,
        TlsChoice::OwnAuthority => {
            let names = ca::local_names(own_names(app, address));
            tls::by_own_authority(app.ca.clone(), names, app.clock.clone())?
        }
    };
    Ok(Some(Arc::new(config)))
}

/// The public URL's host, the listening address, and the machine's name.
fn own_names(app: &AppState, address: SocketAddr) -> Vec<String> {
    let host = app.config.public_url.as_deref().and_then(|url| url.split("://").nth(1));
    let host = host.map(|host| host.rsplit_once(':').map_or(host, |(name, _)| name).to_owned());
    let listening = (!address.ip().is_unspecified()).then(|| address.ip().to_string());
    let machine = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    let is_name = |name: &String| {
        name.parse::<std::net::IpAddr>().is_ok() || name.parse::<hydron_proto::names::Hostname>().is_ok()
    };
    [host, listening, machine].into_iter().flatten().filter(is_name).collect()
}

/// Removes what has ended. Safe on several coordinators at once: every statement is a condition on time.
async fn sweep(app: AppState) {
    while !app.stopping.is_cancelled() {
        if let Err(error) = sweep_once(&app).await {
            tracing::warn!(error = %crate::http::problem::chain(&error), "removing ended rows failed; trying again later");
        }
        tokio::select! {
            () = app.stopping.cancelled() => {}
            () = tokio::time::sleep(SWEEP) => {}
        }
    }
}

async fn sweep_once(app: &AppState) -> hydron_store::Result<()> {
    let now = app.now();
    let mut tx = app.store.system().begin(now).await?;
    tx.delete_ended_sessions(now - auth::SESSION_IDLE).await?;
    tx.delete_old_login_attempts(now - auth::ATTEMPT_WINDOW).await?;
    tx.delete_old_login_addresses(now - auth::ADDRESS_KNOWN).await?;
    tx.delete_old_idempotency_keys(now - idempotency::KEPT_MS).await?;
    tx.commit().await
}
