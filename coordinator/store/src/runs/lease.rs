//! Who told a run's servers something last: a lease with an epoch. The epoch travels in permits and holds and fences what was
//! told before, by whomever: an executor refuses it from then on, and no answer to it is taken for the answer to this.
//!
//! Rule: the lease follows the agents' connections; that it passes on never touches a step that runs.

use hydron_proto::ids::{RunId, ServerId, TeamId};

use crate::column::Text;
use crate::{Result, SystemStore, TeamTx};

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

impl TeamTx {
    /// Takes or keeps the lease; its epoch, which no other telling has. Taken at once by whoever holds the connection of a
    /// server that is told something now: the run's row is locked, and an agent has one connection.
    pub async fn lease_run(&mut self, run: RunId, owner: &str) -> Result<u64> {
        let (epoch,): (i64,) = self
            .q("INSERT INTO run_lease (team_id, run_id, owner, epoch) VALUES ($1, $2, $3, 1) \
                ON CONFLICT (team_id, run_id) DO UPDATE SET owner = excluded.owner, \
                epoch = run_lease.epoch + 1 RETURNING epoch")
            .bind(Text(run))
            .bind(owner)
            .one()
            .await?;
        Ok(u64::try_from(epoch).unwrap_or(0))
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
