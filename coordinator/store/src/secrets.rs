//! Secrets of projects, encrypted, version by version.
//!
//! Rule: a version is written once and stays, because a release keeps the values it was made with.

use hydron_proto::ids::ProjectId;
use hydron_proto::names::SecretName;
use hydron_proto::plan::SecretRef;

use crate::column::Text;
use crate::reading::on_both;
use crate::{Result, TeamTx};

on_both! {
    /// The encrypted value of a version.
    async fn secret_value(this, project: ProjectId, secret: &SecretRef) -> Result<Option<String>> {
        let row: Option<(String,)> = this
            .q("SELECT value FROM secret WHERE team_id = $1 AND project_id = $2 AND name = $3 AND version = $4")
            .bind(Text(project))
            .bind(Text(&secret.name))
            .bind(i64::from(secret.version))
            .opt()
            .await?;
        Ok(row.map(|(value,)| value))
    }

    /// The newest version of every secret of a project, and whether it was made by us.
    async fn secret_versions(this, project: ProjectId) -> Result<Vec<(SecretName, u32, bool)>> {
        let rows: Vec<(Text<SecretName>, i64, bool)> = this
            .q("SELECT name, version, generated FROM secret newest WHERE team_id = $1 AND project_id = $2 \
                AND version = (SELECT MAX(version) FROM secret WHERE team_id = newest.team_id \
                AND project_id = newest.project_id AND name = newest.name) ORDER BY name")
            .bind(Text(project))
            .all()
            .await?;
        let version = |version| u32::try_from(version).unwrap_or(u32::MAX);
        Ok(rows.into_iter().map(|(name, number, generated)| (name.0, version(number), generated)).collect())
    }
}

impl TeamTx {
    /// Adds a version.
    pub async fn insert_secret(
        &mut self,
        project: ProjectId,
        secret: &SecretRef,
        sealed: &str,
        generated: bool,
    ) -> Result<()> {
        let now = self.now();
        self.q("INSERT INTO secret (team_id, project_id, name, version, value, generated, created_at) \
                VALUES ($1, $2, $3, $4, $5, $6, $7)")
            .bind(Text(project))
            .bind(Text(&secret.name))
            .bind(i64::from(secret.version))
            .bind(sealed)
            .bind(generated)
            .bind(now)
            .exec()
            .await
            .map(drop)
    }
}
