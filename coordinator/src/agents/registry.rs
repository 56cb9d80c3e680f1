//! Who is connected to this coordinator, and a way to tell them something.
//!
//! Rule: what was sent over a connection is remembered with the connection and dies with it; whether it arrived is told
//! by the agent's journal alone. Telling never waits: a full queue means a broken peer, and its connection goes.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use hydron_domain::run::AgentView;
use hydron_proto::frame::Priority;
use hydron_proto::ids::{RunId, ServerId, TeamId};
use hydron_proto::wire::frame::Body;
use hydron_store::logs::LogKey;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Messages on their way to one session. Acknowledgements come one a batch, the driver sends a few a connection.
const QUEUE: usize = 512;

/// The connected agents; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Agents {
    shared: Arc<Mutex<HashMap<ServerId, Arc<AgentHandle>>>>,
    doing: Arc<Mutex<HashMap<(RunId, ServerId), Doing>>>,
    address: Arc<OnceLock<SocketAddr>>,
}

/// What a running step is doing right now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doing {
    /// Which step.
    pub step: u32,
    /// Which attempt.
    pub attempt: u32,
    /// In words.
    pub text: String,
}

/// One connection.
#[derive(Debug)]
pub struct AgentHandle {
    /// Its team.
    pub team: TeamId,
    /// Which server.
    pub server: ServerId,
    /// Which connection; grows.
    pub epoch: u64,
    /// Where each run's journal stood when it connected.
    reported: BTreeMap<RunId, u64>,
    sent: Mutex<BTreeMap<RunId, Sent>>,
    sender: mpsc::Sender<ToAgent>,
    broken: CancellationToken,
    heard_at: AtomicI64,
}

/// What was sent about a run over one connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// The envelope.
    pub offered: bool,
    /// The epoch of the permit that is out. Every telling has its own: an answer that names another one is none to it.
    pub permit: Option<u64>,
    /// The epoch of the hold after that permit.
    pub hold: Option<u64>,
    /// The epoch of the newest confirmation.
    pub confirm: Option<u64>,
    /// Permits refused because this side's view was old.
    pub refusals: u32,
    /// Nothing is sent before then.
    pub quiet_until: Option<Instant>,
}

/// A message to a session.
#[derive(Debug)]
pub(super) enum ToAgent {
    /// Send it.
    Frame(Priority, Box<Body>),
    /// Send a signed envelope; they go in the order of their sequence.
    Envelope(Box<EnvelopeOut>),
    /// Output is durable up to `stored`; `used` bytes of the stream's credit are free.
    LogStored {
        /// Whose output.
        key: LogKey,
        /// Contiguous bytes stored.
        stored: u64,
        /// Bytes that came in.
        used: usize,
    },
    /// End the connection with this close code.
    Close(u16, &'static str),
}

/// A signed envelope on its way.
#[derive(Debug)]
pub(super) struct EnvelopeOut {
    pub(super) run: RunId,
    pub(super) sequence: i64,
    pub(super) bytes: Vec<u8>,
}

/// The session's end of a handle.
#[derive(Debug)]
pub(super) struct Mailbox {
    pub(super) receiver: mpsc::Receiver<ToAgent>,
    /// Cancelled when the session must end because its queue overflowed.
    pub(super) broken: CancellationToken,
}

impl Agents {
    /// Where agents dial, once the port is bound.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address.get().copied()
    }

    pub(super) fn bound(&self, address: SocketAddr) {
        let _ = self.address.set(address);
    }

    /// Whether a server is connected here.
    pub fn is_online(&self, server: ServerId) -> bool {
        self.lock().contains_key(&server)
    }

    /// How many are connected here.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// The connection of a server.
    pub fn get(&self, server: ServerId) -> Option<Arc<AgentHandle>> {
        self.lock().get(&server).cloned()
    }

    /// What is seen of a server with regard to a run whose journal is stored up to `stored`.
    pub fn view(&self, server: ServerId, run: RunId, stored: u64) -> AgentView {
        self.get(server).map_or(AgentView::Offline, |handle| handle.view(run, stored))
    }

    /// Ends a server's connection.
    pub fn close(&self, server: ServerId, code: u16, why: &'static str) {
        if let Some(handle) = self.get(server) {
            handle.tell(ToAgent::Close(code, why));
        }
    }

    /// Ends every connection: agents find another coordinator, or this one later.
    pub fn close_all(&self, code: u16, why: &'static str) {
        let all: Vec<Arc<AgentHandle>> = self.lock().values().cloned().collect();
        for handle in all {
            handle.tell(ToAgent::Close(code, why));
        }
    }

    /// Servers that spoke after `since`.
    pub fn heard_since(&self, since: i64) -> Vec<ServerId> {
        let heard = |handle: &&Arc<AgentHandle>| handle.heard_at.load(Ordering::Relaxed) > since;
        self.lock().values().filter(heard).map(|handle| handle.server).collect()
    }

    /// What a running step is doing right now.
    pub fn doing(&self, run: RunId, server: ServerId) -> Option<Doing> {
        self.doing.lock().unwrap_or_else(PoisonError::into_inner).get(&(run, server)).cloned()
    }

    /// Notes what a running step is doing; none when it ended.
    pub(super) fn set_doing(&self, run: RunId, server: ServerId, doing: Option<Doing>) {
        let mut all = self.doing.lock().unwrap_or_else(PoisonError::into_inner);
        match doing {
            Some(doing) => all.insert((run, server), doing),
            None => all.remove(&(run, server)),
        };
    }

    /// Makes a connection known; the one before it is told to go.
    pub(super) fn enter(
        &self,
        (team, server, epoch): (TeamId, ServerId, u64),
        reported: BTreeMap<RunId, u64>,
        now: i64,
    ) -> (Arc<AgentHandle>, Mailbox) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let broken = CancellationToken::new();
        let handle = Arc::new(AgentHandle {
            team,
            server,
            epoch,
            reported,
            sent: Mutex::default(),
            sender,
            broken: broken.clone(),
            heard_at: AtomicI64::new(now),
        });
        let before = {
            let mut all = self.lock();
            match all.get(&server) {
                // A connection that was admitted later has overtaken this one.
                Some(other) if other.epoch > epoch => Some(handle.clone()),
                Some(_) | None => all.insert(server, handle.clone()),
            }
        };
        if let Some(before) = before {
            before.tell(ToAgent::Close(4001, "superseded by a newer connection"));
        }
        (handle, Mailbox { receiver, broken })
    }

    /// Forgets a connection, unless a newer one took its place.
    pub(super) fn leave(&self, handle: &AgentHandle) {
        let mut all = self.lock();
        if all.get(&handle.server).is_some_and(|current| current.epoch == handle.epoch) {
            all.remove(&handle.server);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ServerId, Arc<AgentHandle>>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AgentHandle {
    /// Sends a frame of control.
    pub fn send(&self, body: Body) {
        self.tell(ToAgent::Frame(Priority::Control, Box::new(body)));
    }

    /// Sends a signed envelope.
    pub fn offer(&self, run: RunId, sequence: i64, bytes: Vec<u8>) {
        self.tell(ToAgent::Envelope(Box::new(EnvelopeOut { run, sequence, bytes })));
    }

    /// Notes what was sent about a run.
    pub fn note(&self, run: RunId, change: impl FnOnce(&mut Sent)) {
        change(self.sent.lock().unwrap_or_else(PoisonError::into_inner).entry(run).or_default());
    }

    /// What was sent about a run.
    pub fn sent(&self, run: RunId) -> Sent {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).get(&run).copied().unwrap_or_default()
    }

    pub(super) fn heard(&self, now: i64) {
        self.heard_at.store(now, Ordering::Relaxed);
    }

    pub(super) fn tell(&self, message: ToAgent) {
        if self.sender.try_send(message).is_err() {
            self.broken.cancel();
        }
    }

    fn view(&self, run: RunId, stored: u64) -> AgentView {
        let sent = self.sent(run);
        let reported = self.reported.get(&run).copied().unwrap_or(0);
        AgentView::Online {
            connection: self.epoch,
            caught_up: stored >= reported && sent.quiet_until.is_none_or(|until| Instant::now() >= until),
            offered: sent.offered,
            permit_sent: sent.permit.is_some(),
            hold_sent: sent.hold.is_some(),
        }
    }
}
