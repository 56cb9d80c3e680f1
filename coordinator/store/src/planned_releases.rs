//! What the releases announced by plans are made from, for skipping what did not change.
//!
//! Rule: written with the plan, never changed.

use hydron_domain::planning::{AnnouncedRelease, Fingerprint};
use hydron_proto::ids::{ProjectId, ReleaseId, ServerId, ServiceId};

use crate::column::Text;
use crate::reading::on_both;
use crate::{Result, TeamTx};

#[derive(sqlx::FromRow)]
struct Row {
    id: Text<ReleaseId>,
    service_id: Text<ServiceId>,
    server_id: Text<ServerId>,
    commit_id: Option<String>,
    tree_hash: String,
    config_digest: String,
}

impl From<Row> for AnnouncedRelease {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.0,
            service: row.service_id.0,
            server: row.server_id.0,
            commit: row.commit_id,
            fingerprint: Fingerprint { tree_hash: row.tree_hash, config_digest: row.config_digest },
        }
    }
}

on_both! {
    /// What a release was made from, if a plan announced it.
    async fn planned_release(this, id: ReleaseId) -> Result<Option<AnnouncedRelease>> {
        let row: Option<Row> = this
            .q("SELECT id, service_id, server_id, commit_id, tree_hash, config_digest FROM planned_release \
                WHERE team_id = $1 AND id = $2")
            .bind(Text(id))
            .opt()
            .await?;
        Ok(row.map(AnnouncedRelease::from))
    }
}

impl TeamTx {
    /// Keeps what announced releases are made from.
    pub async fn insert_planned_releases(
        &mut self,
        project: ProjectId,
        releases: &[AnnouncedRelease],
    ) -> Result<()> {
        let now = self.now();
        for release in releases {
            self.q(
                "INSERT INTO planned_release (team_id, id, project_id, service_id, server_id, commit_id, \
                    tree_hash, config_digest, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            )
            .bind(Text(release.id))
            .bind(Text(project))
            .bind(Text(release.service))
            .bind(Text(release.server))
            .bind(release.commit.as_deref())
            .bind(release.fingerprint.tree_hash.as_str())
            .bind(release.fingerprint.config_digest.as_str())
            .bind(now)
            .exec()
            .await?;
        }
        Ok(())
    }
}
