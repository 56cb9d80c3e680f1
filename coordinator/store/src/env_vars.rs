//! Variables of services. Plain values are encrypted in their row; secret ones point to a version of a secret.
//!
//! Rule: ciphertext in, ciphertext out; the key is not here.

use hydron_proto::ids::{ProjectId, ServiceId};
use hydron_proto::names::{EnvName, SecretName};
use hydron_proto::plan::SecretRef;

use crate::column::Text;
use crate::reading::on_both;
use crate::{Result, TeamTx};

/// A stored variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvVarRow {
    /// Whose.
    pub service: ServiceId,
    /// Name.
    pub name: EnvName,
    /// Value.
    pub value: StoredValue,
    /// Milliseconds since 1970.
    pub updated_at: i64,
}

/// A stored value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredValue {
    /// Encrypted text that may be shown.
    Sealed(String),
    /// A secret.
    Secret(SecretRef),
}

#[derive(sqlx::FromRow)]
struct Row {
    service_id: Text<ServiceId>,
    name: Text<EnvName>,
    value: Option<String>,
    secret_name: Option<Text<SecretName>>,
    secret_version: Option<i64>,
    updated_at: i64,
}

impl From<Row> for EnvVarRow {
    fn from(row: Row) -> Self {
        let value = match (row.secret_name, row.secret_version) {
            (Some(name), Some(version)) => StoredValue::Secret(SecretRef {
                name: name.0,
                version: u32::try_from(version).unwrap_or(u32::MAX),
            }),
            (_, _) => StoredValue::Sealed(row.value.unwrap_or_default()),
        };
        Self { service: row.service_id.0, name: row.name.0, value, updated_at: row.updated_at }
    }
}

on_both! {
    /// The variables of a project's services, by service and name.
    async fn env_vars(this, project: ProjectId) -> Result<Vec<EnvVarRow>> {
        let rows: Vec<Row> = this
            .q("SELECT service_id, name, value, secret_name, secret_version, updated_at FROM env_var \
                WHERE team_id = $1 AND project_id = $2 ORDER BY service_id, name")
            .bind(Text(project))
            .all()
            .await?;
        Ok(rows.into_iter().map(EnvVarRow::from).collect())
    }
}

impl TeamTx {
    /// Sets a variable.
    pub async fn put_env_var(&mut self, project: ProjectId, row: &EnvVarRow) -> Result<()> {
        let (value, secret) = match &row.value {
            StoredValue::Sealed(text) => (Some(text.as_str()), None),
            StoredValue::Secret(secret) => (None, Some(secret)),
        };
        self.q("INSERT INTO env_var (team_id, service_id, project_id, name, value, secret_name, secret_version, \
                updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (team_id, service_id, name) DO UPDATE \
                SET value = excluded.value, secret_name = excluded.secret_name, \
                secret_version = excluded.secret_version, updated_at = excluded.updated_at")
            .bind(Text(row.service))
            .bind(Text(project))
            .bind(Text(&row.name))
            .bind(value)
            .bind(secret.map(|secret| Text(&secret.name)))
            .bind(secret.map(|secret| i64::from(secret.version)))
            .bind(row.updated_at)
            .exec()
            .await
            .map(drop)
    }

    /// Removes a variable; false when there is none.
    pub async fn delete_env_var(&mut self, service: ServiceId, name: &EnvName) -> Result<bool> {
        let gone = self
            .q("DELETE FROM env_var WHERE team_id = $1 AND service_id = $2 AND name = $3")
            .bind(Text(service))
            .bind(Text(name))
            .exec()
            .await?;
        Ok(gone > 0)
    }
}
