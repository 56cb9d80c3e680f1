//! Mandates: what releases of a service may do on a server without a new approval.
//!
//! Rule: written only together with the signature under the approved plan that grants them.

use hydron_proto::ids::{RunId, ServerId};
use hydron_proto::plan::Mandate;

use crate::column::{Json, Text};
use crate::{Result, TeamStore, TeamTx};

impl TeamTx {
    /// Keeps a mandate; a newer one for the same service takes its place.
    pub async fn grant_mandate(&mut self, server: ServerId, run: RunId, mandate: &Mandate) -> Result<()> {
        let now = self.now();
        self.q("INSERT INTO mandate (team_id, server_id, service_id, run_id, document, granted_at) \
                VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (team_id, server_id, service_id) DO UPDATE SET \
                run_id = excluded.run_id, document = excluded.document, granted_at = excluded.granted_at")
            .bind(Text(server))
            .bind(Text(mandate.service))
            .bind(Text(run))
            .bind(Json(mandate))
            .bind(now)
            .exec()
            .await
            .map(drop)
    }

    /// The mandates that hold on a server.
    pub async fn mandates(&mut self, server: ServerId) -> Result<Vec<Mandate>> {
        let rows: Vec<(Json<Mandate>,)> = self
            .q("SELECT document FROM mandate WHERE team_id = $1 AND server_id = $2 ORDER BY service_id")
            .bind(Text(server))
            .all()
            .await?;
        Ok(rows.into_iter().map(|(mandate,)| mandate.0).collect())
    }
}

impl TeamStore {
    /// The mandates that hold on a server, for planning a release inside them.
    pub async fn mandates(&self, server: ServerId) -> Result<Vec<Mandate>> {
        let rows: Vec<(Json<Mandate>,)> = self
            .q("SELECT document FROM mandate WHERE team_id = $1 AND server_id = $2 ORDER BY service_id")
            .bind(Text(server))
            .all()
            .await?;
        Ok(rows.into_iter().map(|(mandate,)| mandate.0).collect())
    }
}
