//! PostgreSQL as a benchmark's second engine: the one in the lab server, with the settings that `initdb` gave it.

use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use sqlx::postgres::PgPoolOptions;

const UNIT: &str = "peer-postgres";
const UNIT_FILE: &str = "/etc/systemd/system/peer-postgres.service";
const SERVER: &str = "postgres://postgres@127.0.0.1:22432";

/// A server that answers; it is stopped when this is dropped.
pub(super) struct Postgres(());

impl Postgres {
    /// Starts it; none where there is none.
    pub(super) fn start() -> anyhow::Result<Option<Self>> {
        if !Path::new(UNIT_FILE).exists() {
            return Ok(None);
        }
        let started = Command::new("systemctl").args(["start", UNIT]).status()?;
        anyhow::ensure!(started.success(), "PostgreSQL does not start: {started}");
        Ok(Some(Self(())))
    }

    /// A new database; its URL.
    pub(super) async fn database(&self, name: &str) -> anyhow::Result<String> {
        let maintenance = format!("{SERVER}/postgres");
        let mut tries = 0;
        let server = loop {
            tries += 1;
            match PgPoolOptions::new().max_connections(1).connect(&maintenance).await {
                Ok(server) => break server,
                Err(error) if tries > 100 => return Err(error).context("PostgreSQL does not answer"),
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(100)).await,
            }
        };
        let name = format!("{name}_{:08x}", rand::random::<u32>());
        let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
        sqlx::query(create).execute(&server).await?;
        server.close().await;
        Ok(format!("{SERVER}/{name}"))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ = Command::new("systemctl").args(["stop", UNIT]).status();
    }
}
