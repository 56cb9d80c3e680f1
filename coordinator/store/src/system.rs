//! What belongs to no team: users, sessions, set-up, login limits; and readers across teams for jobs and the border
//! (a token by its hash, an agent by its key, the runs to drive).
//!
//! Rule: nothing here takes an id from a request and returns a team's row to it.

use hydron_domain::identity::Actor;
use hydron_proto::ids::TeamId;

use crate::audit::{self, AuditDraft};
use crate::db::{Query, Tx};
use crate::team::commit_and_wake;
use crate::wake::Wake;
use crate::{Result, Store};

/// Reads across teams.
#[derive(Debug, Clone)]
pub struct SystemStore {
    pub(crate) store: Store,
}

impl SystemStore {
    /// Starts a change at `now` (milliseconds since 1970).
    pub async fn begin(&self, now: i64) -> Result<SystemTx> {
        Ok(SystemTx { tx: self.store.db.begin().await?, store: self.store.clone(), now, wakes: Vec::new() })
    }

    pub(crate) fn q(&self, sql: &str) -> Query<'_> {
        self.store.db.q(sql)
    }
}

/// Changes what belongs to no team; rolled back when dropped without [`SystemTx::commit`].
#[derive(Debug)]
pub struct SystemTx {
    tx: Tx,
    store: Store,
    now: i64,
    wakes: Vec<Wake>,
}

impl SystemTx {
    /// When the change began, milliseconds since 1970.
    pub fn now(&self) -> i64 {
        self.now
    }

    /// Records in a team's audit log what happened outside it, e.g. a member signing in.
    pub async fn audit(&mut self, team: TeamId, actor: &Actor, draft: AuditDraft) -> Result<()> {
        audit::insert(&mut self.tx, team, self.now, actor, &[draft]).await
    }

    /// Wakes a job or a stream once this change is there.
    pub fn wake(&mut self, wake: Wake) {
        self.wakes.push(wake);
    }

    /// Makes the change durable.
    pub async fn commit(self) -> Result<()> {
        commit_and_wake(self.tx, &self.store, self.wakes).await
    }

    pub(crate) fn q(&mut self, sql: &str) -> Query<'_> {
        self.tx.q(sql)
    }
}
