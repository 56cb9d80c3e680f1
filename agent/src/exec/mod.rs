//! The executor: the one process that decides what this server does. Root, no network; it holds the sealing key and
//! the journals.
//!
//! Rule: signature, then mandate, then policy, then intent on disk, then the step. Neighbours: `link` asks through the
//! socket, `host` runs steps. The tasks: one a run (`run_task`), one a connection, one for facts, wired here.

mod admission;
pub mod audit;
mod connection;
mod edge_task;
mod facts;
mod host_client;
mod journal;
mod ledger;
mod machine;
mod outbox;
mod permit;
mod run_state;
mod run_task;
mod runs;
mod shared;
mod view;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use nix::fcntl::{Flock, FlockArg};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc};

use self::audit::Audit;
use self::facts::FactsTask;
use self::ledger::Ledger;
pub use self::machine::Machine;
use self::machine::ThisMachine;
use self::runs::Runs;
pub use self::shared::ExecError;
use self::shared::Shared;
use crate::clock::Clock;
use crate::config::AgentConfig;
use crate::identity::{self, ExecIdentity};
use crate::local;
use crate::root::Root;
use crate::user;

/// Connections at once: the link's, `status`, and what a takeover leaves behind for a moment. Each may queue answers.
const MOST_CONNECTIONS: usize = 16;
/// Pause after a connection that could not be accepted: too many open files, no memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Runs the executor of this machine until `stop` resolves or it cannot go on.
pub async fn run(
    root: Root,
    config: AgentConfig,
    clock: Clock,
    stop: impl Future<Output = ()>,
) -> Result<(), ExecError> {
    run_on(Arc::new(ThisMachine), root, config, clock, stop).await
}

/// The same on any machine.
pub async fn run_on(
    machine: Arc<dyn Machine>,
    root: Root,
    config: AgentConfig,
    clock: Clock,
    stop: impl Future<Output = ()>,
) -> Result<(), ExecError> {
    runs::prepare(&root)?;
    let _lock = lock(&root)?;
    let keys = (ExecIdentity::load(&root)?, identity::sealing_key(&root)?);
    let records = (Ledger::open(&root.exec().join("ledger.json"))?, Audit::open(&audit_file(&root))?);
    let shared = Arc::new(Shared::new((root, machine), clock, keys, records));
    let (failed, mut failures) = mpsc::unbounded_channel();
    let runs = Arc::new(Runs::new(shared.clone(), failed.clone()));
    runs.recover().await?;
    let _edge = shared.machine.keep_edge(shared.root.clone(), config.steps.clone(), shared.clock);
    let facts = FactsTask::start(shared.clone(), config.clone());
    let peers = Peers::new(&config);
    let listener = listen(&shared.root, &peers)?;
    let seats = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    tracing::info!(server = %shared.identity.server, "executor of {} is ready", shared.identity.server);

    tokio::pin!(stop);
    loop {
        let stream = tokio::select! {
            () = &mut stop => return Ok(()),
            Some(error) = failures.recv() => return Err(error),
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
        };
        if !peers.may_speak(&stream) {
            tracing::warn!("a process of another user was turned away from the executor's socket");
            continue;
        }
        let Ok(seat) = seats.clone().try_acquire_owned() else {
            tracing::warn!("too many processes speak to the executor at once: one was turned away");
            continue;
        };
        let (shared, runs, facts, failed) = (shared.clone(), runs.clone(), facts.clone(), failed.clone());
        tokio::spawn(async move {
            let _seat = seat;
            if let Err(error) = connection::serve(stream, shared, runs, facts).await {
                let _ = failed.send(error);
            }
        });
    }
}

/// What the bytes of a run's journal mean when an executor starts: how many they fill that are whole, and whether the
/// records fit together. `None` when they are damaged. For whoever throws arbitrary bytes at it.
pub fn judge_journal(bytes: &[u8]) -> Option<(usize, bool)> {
    let (records, whole) = journal::read(bytes).ok()?;
    Some((whole, run_state::RunState::fold(&records).is_ok()))
}

/// The local audit log of a root.
pub fn audit_file(root: &Root) -> std::path::PathBuf {
    root.exec().join("audit.jsonl")
}

#[expect(clippy::wildcard_enum_match_arm, reason = "every other error is reported as it is")]
fn lock(root: &Root) -> Result<Flock<std::fs::File>, ExecError> {
    let file = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(root.exec().join("lock"))?;
    Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, error)| match error {
        nix::errno::Errno::EWOULDBLOCK => ExecError::AlreadyRunning,
        other => ExecError::Io(io::Error::from(other)),
    })
}

/// Who may speak to the executor: its own user, and the link's.
struct Peers {
    own: u32,
    link: Option<user::Account>,
}

impl Peers {
    fn new(config: &AgentConfig) -> Self {
        let own = nix::unistd::geteuid();
        let link = own.is_root().then(|| user::link_account(&config.link.user));
        Self { own: own.as_raw(), link }
    }

    fn may_speak(&self, stream: &UnixStream) -> bool {
        let link = self.link.as_ref().map(|account| account.uid);
        stream.peer_cred().is_ok_and(|peer| peer.uid() == self.own || Some(peer.uid()) == link)
    }
}

/// The file mode keeps strangers out; the credentials are checked all the same.
fn listen(root: &Root, peers: &Peers) -> io::Result<UnixListener> {
    let path = root.exec_socket();
    let listener = local::listen(&path, 0o600)?;
    if let Some(link) = &peers.link {
        std::os::unix::fs::chown(&path, Some(peers.own), Some(link.gid))?;
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o660))?;
    }
    Ok(listener)
}

#[cfg(test)]
mod tests;
