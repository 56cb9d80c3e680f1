//! What all tasks of the executor share, and how the executor can fail.
//!
//! Rule: locks are held for one short call and never across an await.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hydron_proto::seal::SealingKey;
use tokio::sync::Notify;

use super::audit::{Audit, Entry};
use super::ledger::{Ledger, LedgerError};
use super::machine::Machine;
use super::outbox::Outbox;
use super::run_state::Contradiction;
use crate::clock::Clock;
use crate::identity::{ExecIdentity, IdentityError};
use crate::root::Root;

/// Shared by all tasks of the executor.
#[derive(Debug)]
pub(super) struct Shared {
    /// Paths.
    pub root: Root,
    /// Step hosts, engine, proxy.
    pub machine: Arc<dyn Machine>,
    /// The time.
    pub clock: Clock,
    /// Who this server is, and whose signatures count.
    pub identity: ExecIdentity,
    /// Opens secrets; never leaves this process.
    pub sealing_key: SealingKey,
    /// What links are told.
    pub outbox: Outbox,
    ledger: Mutex<Ledger>,
    audit: Mutex<Audit>,
    facts_nudge: Notify,
}

/// The executor cannot go on; whoever supervises it starts it again, and it recovers from its journals.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// No identity, or no key.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The ledger is unusable.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A journal did not take a record: nothing may follow from it.
    #[error("a journal cannot be written")]
    Journal(#[source] io::Error),
    /// The executor's own records contradict each other.
    #[error(transparent)]
    Contradiction(#[from] Contradiction),
    /// Another executor uses this root.
    #[error("another executor is running for this root")]
    AlreadyRunning,
    /// The state directory or the socket cannot be used.
    #[error("the executor's files or socket cannot be used")]
    Io(#[from] io::Error),
}

impl Shared {
    /// Puts the parts together.
    pub(super) fn new(
        (root, machine): (Root, Arc<dyn Machine>),
        clock: Clock,
        (identity, sealing_key): (ExecIdentity, SealingKey),
        (ledger, audit): (Ledger, Audit),
    ) -> Self {
        Self {
            root,
            machine,
            clock,
            identity,
            sealing_key,
            outbox: Outbox::default(),
            ledger: Mutex::new(ledger),
            audit: Mutex::new(audit),
            facts_nudge: Notify::new(),
        }
    }

    /// The ledger, for one call.
    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a line of the local audit log.
    pub(super) fn audit(&self, entry: Entry) -> Result<(), ExecError> {
        tracing::info!(
            run = entry.run,
            subject = entry.subject,
            decision = entry.decision,
            detail = entry.detail,
            "{} {}: {}",
            entry.subject,
            entry.run,
            entry.decision
        );
        self.audit.lock().unwrap_or_else(PoisonError::into_inner).record(entry)?;
        Ok(())
    }

    /// What this server is may have changed.
    pub(super) fn nudge_facts(&self) {
        self.facts_nudge.notify_one();
    }

    /// Waits for a nudge.
    pub(super) async fn facts_nudged(&self) {
        self.facts_nudge.notified().await;
    }
}
