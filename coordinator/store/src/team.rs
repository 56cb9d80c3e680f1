//! One team's rows: [`TeamStore`] reads, [`TeamTx`] writes. Aggregates add their methods in their own files.
//!
//! Rule: a change, the event that tells others and the audit row that names who did it are one transaction. Events and
//! audit rows are written at commit, in the order they were drafted, so the team's counter row is locked only briefly.

use hydron_domain::identity::Actor;
use hydron_proto::ids::TeamId;

use crate::audit::{self, AuditDraft};
use crate::db::{Query, Tx};
use crate::events::{self, EventDraft};
use crate::wake::{Topic, Wake, notify_with};
use crate::{Result, Store};

/// Reads one team's rows.
#[derive(Debug, Clone)]
pub struct TeamStore {
    pub(crate) store: Store,
    pub(crate) team: TeamId,
}

impl TeamStore {
    /// Whose rows.
    pub fn id(&self) -> TeamId {
        self.team
    }

    /// Starts a change by `actor` at `now` (milliseconds since 1970).
    pub async fn begin(&self, actor: &Actor, now: i64) -> Result<TeamTx> {
        Ok(TeamTx {
            tx: self.store.db.begin().await?,
            store: self.store.clone(),
            team: self.team,
            actor: actor.clone(),
            now,
            events: Vec::new(),
            audits: Vec::new(),
            wakes: Vec::new(),
        })
    }

    /// The whole store, for handing on.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// A read whose text names the team as `$1`, bound here so that no query forgets it.
    pub(crate) fn q(&self, sql: &str) -> Query<'_> {
        self.store.db.q(sql).bind(self.team.to_string())
    }
}

/// Changes one team's rows; rolled back when dropped without [`TeamTx::commit`].
#[derive(Debug)]
pub struct TeamTx {
    tx: Tx,
    store: Store,
    team: TeamId,
    actor: Actor,
    now: i64,
    events: Vec<EventDraft>,
    audits: Vec<AuditDraft>,
    wakes: Vec<Wake>,
}

impl TeamTx {
    /// Whose rows.
    pub fn team(&self) -> TeamId {
        self.team
    }

    /// When the change began, milliseconds since 1970.
    pub fn now(&self) -> i64 {
        self.now
    }

    /// Who changes.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Tells listeners of the team, with this change.
    pub fn event(&mut self, draft: EventDraft) {
        self.events.push(draft);
    }

    /// Records who did what, with this change.
    pub fn audit(&mut self, draft: AuditDraft) {
        self.audits.push(draft);
    }

    /// Wakes a job or a stream once this change is there.
    pub fn wake(&mut self, wake: Wake) {
        if !self.wakes.contains(&wake) {
            self.wakes.push(wake);
        }
    }

    /// Makes the change durable, then wakes whoever waits for it.
    pub async fn commit(mut self) -> Result<()> {
        if !self.events.is_empty() {
            let drafts = std::mem::take(&mut self.events);
            events::insert(&mut self.tx, self.team, self.now, &drafts).await?;
            self.wake(Wake::new(Topic::Events, self.team));
        }
        let audits = std::mem::take(&mut self.audits);
        audit::insert(&mut self.tx, self.team, self.now, &self.actor, &audits).await?;
        commit_and_wake(self.tx, &self.store, self.wakes).await
    }

    /// A statement whose text names the team as `$1`, bound here so that no statement forgets it.
    pub(crate) fn q(&mut self, sql: &str) -> Query<'_> {
        let team = self.team.to_string();
        self.tx.q(sql).bind(team)
    }

    /// A statement without that convention, for multi-row inserts: every row must name [`TeamTx::team`].
    pub(crate) fn q_rows(&mut self, sql: &str) -> Query<'_> {
        self.tx.q(sql)
    }
}

/// On PostgreSQL the hint travels with the commit; on SQLite there is only this process to tell.
pub(crate) async fn commit_and_wake(mut tx: Tx, store: &Store, wakes: Vec<Wake>) -> Result<()> {
    notify_with(&mut tx, &wakes).await?;
    tx.commit().await?;
    if matches!(store.db, crate::db::Db::Sqlite { .. }) {
        for wake in wakes {
            store.waker.wake(wake);
        }
    }
    Ok(())
}
