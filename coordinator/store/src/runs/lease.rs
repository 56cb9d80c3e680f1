//! Who drives a run: a lease with an epoch. The epoch travels in permits and fences whoever drove the run before.
//!
//! Rule: a lease says who decides; its end never touches a step that runs.

use hydron_proto::ids::{RunId, ServerId, TeamId};

use crate::column::Text;
use crate::{Result, SystemStore, SystemTx, TeamTx};

/// A run that is not over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Driven {
    /// Its team.
    pub team: TeamId,
    /// Id.
    pub run: RunId,
}

impl SystemStore {
    /// Every run that is not over, whatever its team: what drivers look at.
    pub async fn runs_to_drive(&self) -> Result<Vec<Driven>> {
        let rows: Vec<(Text<TeamId>, Text<RunId>)> = self
            .q("SELECT team_id, id FROM run WHERE state IN ('started', 'in_progress', 'paused') ORDER BY id")
            .all()
            .await?;
        Ok(rows.into_iter().map(|(team, run)| Driven { team: team.0, run: run.0 }).collect())
    }

    /// The run behind an id, if it is not over.
    pub async fn run_to_drive(&self, run: RunId) -> Result<Option<Driven>> {
        let row: Option<(Text<TeamId>,)> = self
            .q("SELECT team_id FROM run WHERE id = $1 AND state IN ('started', 'in_progress', 'paused')")
            .bind(Text(run))
            .opt()
            .await?;
        Ok(row.map(|(team,)| Driven { team: team.0, run }))
    }

    /// The runs that are not over and have a part on this server.
    pub async fn runs_on_server(&self, server: ServerId) -> Result<Vec<Driven>> {
        let rows: Vec<(Text<TeamId>, Text<RunId>)> = self
            .q("SELECT run.team_id, run.id FROM run JOIN run_part ON run_part.team_id = run.team_id \
                AND run_part.run_id = run.id WHERE run_part.server_id = $1 \
                AND run.state IN ('started', 'in_progress', 'paused') ORDER BY run.id")
            .bind(Text(server))
            .all()
            .await?;
        Ok(rows.into_iter().map(|(team, run)| Driven { team: team.0, run: run.0 }).collect())
    }
}

impl SystemTx {
    /// Frees every lease. Only where one coordinator is all there can be (SQLite), at its start.
    pub async fn free_leases(&mut self) -> Result<()> {
        self.q("UPDATE run_lease SET held_until = 0").exec().await.map(drop)
    }
}

impl TeamTx {
    /// Takes or keeps the lease until `until`. The epoch when it is ours, grown by one when it was not before; none
    /// while somebody else holds it.
    pub async fn lease_run(&mut self, run: RunId, owner: &str, until: i64) -> Result<Option<u64>> {
        let now = self.now();
        let row: Option<(i64,)> = self
            .q("INSERT INTO run_lease (team_id, run_id, owner, epoch, held_until) VALUES ($1, $2, $3, 1, $4) \
                ON CONFLICT (team_id, run_id) DO UPDATE SET owner = excluded.owner, held_until = excluded.held_until, \
                epoch = CASE WHEN run_lease.owner = excluded.owner AND run_lease.held_until > $5 \
                THEN run_lease.epoch ELSE run_lease.epoch + 1 END \
                WHERE run_lease.owner = excluded.owner OR run_lease.held_until <= $5 RETURNING epoch")
            .bind(Text(run))
            .bind(owner)
            .bind(until)
            .bind(now)
            .opt()
            .await?;
        Ok(row.and_then(|(epoch,)| u64::try_from(epoch).ok()))
    }

    /// Makes the lease's epoch at least `epoch`: an executor has seen that one already.
    pub async fn raise_epoch(&mut self, run: RunId, epoch: u64) -> Result<()> {
        self.q("UPDATE run_lease SET epoch = $3 WHERE team_id = $1 AND run_id = $2 AND epoch < $3")
            .bind(Text(run))
            .bind(i64::try_from(epoch).unwrap_or(i64::MAX))
            .exec()
            .await
            .map(drop)
    }
}
