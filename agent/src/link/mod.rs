//! The link: the one process that speaks to the network. It dials the coordinator, passes on what comes, and comes back
//! whenever the connection is lost.
//!
//! Rule: it decides nothing and holds no key but its own TLS key; it is confined before it opens its first socket
//! (`crate::confine`). Neighbours: `exec` by its socket; below: `session` and its parts.

mod backoff;
pub mod dial;
mod envelopes;
mod executor;
mod held;
pub mod identity;
mod logs;
mod outgoing;
pub mod post;
mod renew;
mod session;
pub mod tls;

use std::time::Duration;

use hydron_proto::{PROTOCOL_VERSION, sni, wire};
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use self::backoff::{Backoff, STABLE, SUPERSEDED};
use self::dial::{Address, DialError, Proxy, STAGE};
use self::identity::{Counters, LinkFiles, TlsIdentity};
use self::session::{Ended, Session};
use crate::clock::Clock;
use crate::config::AgentConfig;
use crate::facts;
use crate::identity::IdentityError;
use crate::root::Root;

/// Pause while the executor is not there.
const EXECUTOR_PAUSE: Duration = Duration::from_millis(200);
/// Largest WebSocket message; a frame is half of it.
const MAX_MESSAGE: usize = 128 * 1024;

/// The link cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// No usable identity.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// No usable address.
    #[error(transparent)]
    Address(#[from] DialError),
    /// Nobody said where the coordinator is.
    #[error("agent.toml names no coordinator; run `hydron-agent join`")]
    NoCoordinator,
}

/// Where the coordinator is, and how to get there.
#[derive(Debug, Clone)]
pub struct Target {
    /// The coordinator's agent port.
    pub address: Address,
    /// A proxy in between.
    pub proxy: Option<Proxy>,
}

impl Target {
    /// From the configuration.
    pub fn of(config: &AgentConfig) -> Result<Self, LinkError> {
        let address = Address::parse(config.coordinator.as_deref().ok_or(LinkError::NoCoordinator)?)?;
        let proxy = config.link.proxy.as_deref().map(Proxy::parse).transpose()?;
        Ok(Self { address, proxy })
    }
}

/// Keeps this server connected until `stop` resolves.
pub async fn run(
    root: Root,
    config: AgentConfig,
    clock: Clock,
    stop: impl Future<Output = ()>,
) -> Result<(), LinkError> {
    let target = Target::of(&config)?;
    let files = LinkFiles::new(root.link());
    let settle = Duration::from_millis(config.link.settle_ms);
    let link = Link { root, clock, target, files, settle };
    let mut pauses = Pauses::new(&config);
    tokio::select! {
        () = stop => Ok(()),
        error = link.keep_connected(&mut pauses) => Err(error),
    }
}

/// What the executor of this server holds; for `status` and `doctor`.
pub async fn ask_executor(root: &Root) -> std::io::Result<wire::ExecutorStatus> {
    let (_, _, _, status) = executor::attach(&root.exec_socket()).await?;
    Ok(status)
}

struct Link {
    root: Root,
    clock: Clock,
    target: Target,
    files: LinkFiles,
    settle: Duration,
}

impl Link {
    async fn keep_connected(&self, pauses: &mut Pauses) -> LinkError {
        loop {
            let identity = match self.files.load() {
                Ok(identity) => identity,
                Err(error) => return error.into(),
            };
            let began = Instant::now();
            let ended = self.connect(&identity).await;
            let pause = pauses.after(&ended, began.elapsed());
            tracing::info!(?pause, "the connection is over: {ended}");
            sleep(pause).await;
        }
    }

    async fn connect(&self, identity: &TlsIdentity) -> Ended {
        let now = self.now_unix_s();
        if renew::is_expired(identity.validity, now) {
            return self.renew_expired(identity).await;
        }
        let Ok((from_exec, exec_writer, early, status)) = executor::attach(&self.root.exec_socket()).await
        else {
            return Ended::ExecutorGone;
        };
        let counters = match self.count_session() {
            Ok(counters) => counters,
            Err(error) => return Ended::Transport(error.to_string()),
        };
        let socket = match self.upgrade(identity).await {
            Ok(socket) => socket,
            Err(ended) => return ended,
        };
        let renew_in = renew::due_in(identity.validity, now, rand::random());
        let hello = self.hello(counters, status);
        let session =
            Session::new((identity, &self.files), Instant::now().checked_add(renew_in), self.settle);
        session.run(socket, hello, (from_exec, exec_writer, early)).await
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "every other failure is tried again")]
    async fn upgrade(
        &self,
        identity: &TlsIdentity,
    ) -> Result<
        tokio_tungstenite::WebSocketStream<tokio_rustls::client::TlsStream<tokio::net::TcpStream>>,
        Ended,
    > {
        let transport = |error: &dyn std::error::Error| Ended::Transport(chain(error));
        let config = tls::mutual(identity, self.clock_floor()).map_err(|error| transport(&error))?;
        let Target { address, proxy } = &self.target;
        let stream =
            dial::dial(address, proxy.as_ref(), sni::AGENTS, config).await.map_err(|error| match &error {
                DialError::Tls(_, io) if session::is_refusal(io) => Ended::Refused(io.to_string()),
                other => transport(other),
            })?;
        let request =
            format!("wss://{}/v1/link", sni::AGENTS).into_client_request().map_err(|e| transport(&e))?;
        let config = WebSocketConfig::default()
            .read_buffer_size(8 * 1024)
            .write_buffer_size(8 * 1024)
            .max_write_buffer_size(2 * MAX_MESSAGE)
            .max_message_size(Some(MAX_MESSAGE))
            .max_frame_size(Some(MAX_MESSAGE));
        let upgraded = tokio_tungstenite::client_async_with_config(request, stream, Some(config));
        match timeout(STAGE, upgraded).await {
            Ok(Ok((socket, _))) => Ok(socket),
            Ok(Err(error)) => Err(session::failed(&error)),
            Err(_) => Err(Ended::Transport("the coordinator does not upgrade the connection".to_owned())),
        }
    }

    async fn renew_expired(&self, identity: &TlsIdentity) -> Ended {
        let way = (&self.target.address, self.target.proxy.as_ref());
        match renew::after_expiry(&self.files, identity, way, self.clock_floor()).await {
            Ok(()) => Ended::Renewed,
            Err(renew::RenewError::Post(post::PostError::Refused { code, detail })) => {
                Ended::Refused(format!("{detail} ({code})"))
            }
            Err(error) => Ended::Transport(chain(&error)),
        }
    }

    /// Durable before it is used: a counter that was sent once is never sent again.
    fn count_session(&self) -> Result<Counters, IdentityError> {
        let mut counters = self.files.counters();
        counters.session += 1;
        self.files.store_counters(counters)?;
        Ok(counters)
    }

    fn hello(&self, counters: Counters, status: wire::ExecutorStatus) -> wire::Hello {
        wire::Hello {
            protocol: PROTOCOL_VERSION,
            capabilities: 0,
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
            boot_id: facts::boot_id(),
            session_counter: counters.session,
            clock_unix_ms: self.clock.unix_ms(),
            runs: status.runs,
            facts: status.facts,
        }
    }

    fn now_unix_s(&self) -> i64 {
        let floor = i64::try_from(self.clock_floor().as_secs()).unwrap_or(0);
        (self.clock.unix_ms() / 1000).max(floor)
    }

    fn clock_floor(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.files.counters().server_time_unix_ms).unwrap_or(0))
    }
}

/// How long to wait, by how the last connection ended.
struct Pauses {
    transport: Backoff,
    refusal: Backoff,
}

impl Pauses {
    fn new(config: &AgentConfig) -> Self {
        Self { transport: Backoff::for_transport(&config.link), refusal: Backoff::for_refusal(&config.link) }
    }

    fn after(&mut self, ended: &Ended, lasted: Duration) -> Duration {
        if lasted >= STABLE {
            self.transport.reset();
            self.refusal.reset();
        }
        match ended {
            Ended::Transport(_) => self.transport.next(rand::random()),
            Ended::Refused(_) => self.refusal.next(rand::random()),
            Ended::ExecutorGone => EXECUTOR_PAUSE,
            Ended::GoAway(after) => *after,
            Ended::Superseded => SUPERSEDED,
            Ended::Renewed => Duration::ZERO,
        }
    }
}

/// An error and what is behind it, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
