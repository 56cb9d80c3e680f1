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
mod line;
mod logs;
mod outgoing;
pub mod post;
mod renew;
mod session;
pub mod tls;
mod way;

use std::time::Duration;

use hydron_proto::{PROTOCOL_VERSION, wire};
use tokio::time::{Instant, sleep};

use self::backoff::{Backoff, STABLE, SUPERSEDED};
use self::dial::DialError;
use self::identity::{Counters, LinkFiles, TlsIdentity};
pub use self::line::Line;
pub use self::session::Ended;
use self::session::Session;
pub use self::way::{Target, Way};
use crate::clock::Clock;
use crate::config::AgentConfig;
use crate::facts;
use crate::identity::IdentityError;
use crate::root::Root;

/// Pause while the executor is not there.
const EXECUTOR_PAUSE: Duration = Duration::from_millis(200);

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

/// Keeps this server connected until `stop` resolves.
pub async fn run(
    root: Root,
    config: AgentConfig,
    clock: Clock,
    stop: impl Future<Output = ()>,
) -> Result<(), LinkError> {
    let target = Target::of(&config)?;
    run_over(target, root, &config, (clock, rand::random), stop).await
}

/// The same over any way to a coordinator, with any clock and any chance (numbers in 0..1).
pub async fn run_over(
    way: impl Way,
    root: Root,
    config: &AgentConfig,
    (clock, chance): (Clock, Chance),
    stop: impl Future<Output = ()>,
) -> Result<(), LinkError> {
    let files = LinkFiles::new(root.link());
    let settle = Duration::from_millis(config.link.settle_ms);
    let link = Link { root, clock, chance, way, files, settle };
    let mut pauses = Pauses::new(config, chance);
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

/// Random numbers in 0..1, as an argument.
pub type Chance = fn() -> f64;

struct Link<W> {
    root: Root,
    clock: Clock,
    chance: Chance,
    way: W,
    files: LinkFiles,
    settle: Duration,
}

impl<W: Way> Link<W> {
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
            return self.way.renew_expired(&self.files, identity, self.clock_floor()).await;
        }
        let Ok((from_exec, exec_writer, early, status)) = executor::attach(&self.root.exec_socket()).await
        else {
            return Ended::ExecutorGone;
        };
        let counters = match self.count_session() {
            Ok(counters) => counters,
            Err(error) => return Ended::Transport(error.to_string()),
        };
        let socket = match self.way.open(identity, self.clock_floor()).await {
            Ok(socket) => socket,
            Err(ended) => return ended,
        };
        let renew_in = renew::due_in(identity.validity, now, (self.chance)());
        let hello = self.hello(counters, status);
        let session = Session::new(
            (identity, &self.files),
            Instant::now().checked_add(renew_in),
            (self.settle, self.chance),
        );
        let line = W::line(&socket);
        session.run((socket, line), hello, (from_exec, exec_writer, early)).await
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
    chance: Chance,
}

impl Pauses {
    fn new(config: &AgentConfig, chance: Chance) -> Self {
        let (transport, refusal) = (Backoff::for_transport(&config.link), Backoff::for_refusal(&config.link));
        Self { transport, refusal, chance }
    }

    fn after(&mut self, ended: &Ended, lasted: Duration) -> Duration {
        if lasted >= STABLE {
            self.transport.reset();
            self.refusal.reset();
        }
        match ended {
            Ended::Transport(_) => self.transport.next((self.chance)()),
            Ended::Refused(_) => self.refusal.next((self.chance)()),
            Ended::ExecutorGone => EXECUTOR_PAUSE,
            Ended::GoAway(after) => *after,
            Ended::Superseded => SUPERSEDED,
            Ended::Renewed => Duration::ZERO,
        }
    }
}
