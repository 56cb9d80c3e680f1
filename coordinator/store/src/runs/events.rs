//! The agents' journals as they came: one row an entry, stored once and in order.

use hydron_proto::ids::{RunId, ServerId};

use crate::column::Text;
use crate::{Result, TeamTx};

/// Answered by the index of events by their subject alone: a team has far more events than a run has.
const NEWEST_ABOUT: &str =
    "SELECT CAST(MAX(seq) AS BIGINT) FROM event WHERE team_id = $1 AND seq > $2 AND subject = $3";

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalEntry {
    /// Its place; starts at 1.
    pub seq: u64,
    /// The server's clock, milliseconds since 1970.
    pub at: i64,
    /// The entry as bytes of the wire.
    pub body: Vec<u8>,
}

impl TeamTx {
    /// Adds entries of parts, thousands at most. The caller has checked, with the runs locked, that they follow on what is
    /// stored.
    pub async fn insert_journal(&mut self, entries: &[(RunId, ServerId, &JournalEntry)]) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let (team, now) = (self.team(), self.now());
        self.q_rows("INSERT INTO run_event (team_id, run_id, server_id, seq, at, received_at, body) VALUES ")
            .rows(entries, |row, (run, server, entry)| {
                row.bind(Text(team))
                    .bind(Text(*run))
                    .bind(Text(*server))
                    .bind(i64::try_from(entry.seq).unwrap_or(i64::MAX))
                    .bind(entry.at)
                    .bind(now)
                    .bind(entry.body.as_slice());
            })
            .exec()
            .await
            .map(drop)
    }
}

impl crate::TeamStore {
    /// The newest event of the team about `subject` after `seq`.
    pub async fn last_event_about(&self, subject: &str, seq: i64) -> Result<Option<i64>> {
        let row: (Option<i64>,) = self.q(NEWEST_ABOUT).bind(seq).bind(subject).one().await?;
        Ok(row.0)
    }

    /// Up to where the journal of a part is stored; none if the server has no part in the run.
    pub async fn journal_position(&self, run: RunId, server: ServerId) -> Result<Option<u64>> {
        let row: Option<(i64,)> = self
            .q("SELECT event_seq FROM run_part WHERE team_id = $1 AND run_id = $2 AND server_id = $3")
            .bind(Text(run))
            .bind(Text(server))
            .opt()
            .await?;
        Ok(row.and_then(|(seq,)| u64::try_from(seq).ok()))
    }
}

#[cfg(test)]
mod tests {
    use hydron_proto::ids::TeamId;

    use super::NEWEST_ABOUT;
    use crate::testing::{Engine, TestStore};

    #[tokio::test]
    async fn what_is_new_about_one_run_is_found_without_reading_what_is_new_about_others() {
        let test = TestStore::open(Engine::Sqlite).await.unwrap();
        let team = test.store.team(TeamId::new(1, [1; 10]));
        let explained = team.q(&format!("EXPLAIN QUERY PLAN {NEWEST_ABOUT}")).bind(0_i64).bind("run");
        let lines: Vec<(i64, i64, i64, String)> = explained.all().await.unwrap();
        let plan: Vec<String> = lines.into_iter().map(|line| line.3).collect();
        assert!(plan.iter().any(|line| line.contains("COVERING INDEX event_by_subject")), "{plan:?}");
    }
}
