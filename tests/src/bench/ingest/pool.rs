//! The peer: a plain pool of connections of `sqlx`, as one would first write it. Every task inserts one row a statement and
//! waits for it.
//!
//! Rule: the same columns and key as ours, and the same promise: what was answered survives a power cut. No index, foreign
//! key or second table besides.

use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

/// Connections to SQLite, as in field/perf.md, 2e; and to PostgreSQL, as the coordinator has.
const SQLITE: u32 = 8;
const POSTGRES: u32 = 16;

const SQLITE_TABLE: &str = "CREATE TABLE entry (team_id TEXT NOT NULL, run_id TEXT NOT NULL, server_id TEXT NOT NULL, \
    seq INTEGER NOT NULL, at INTEGER NOT NULL, received_at INTEGER NOT NULL, body BLOB NOT NULL, \
    PRIMARY KEY (team_id, run_id, server_id, seq)) STRICT";
const POSTGRES_TABLE: &str = "CREATE TABLE entry (team_id TEXT NOT NULL, run_id TEXT NOT NULL, server_id TEXT NOT NULL, \
    seq BIGINT NOT NULL, at BIGINT NOT NULL, received_at BIGINT NOT NULL, body BYTEA NOT NULL, \
    PRIMARY KEY (team_id, run_id, server_id, seq))";

/// An open pool with an empty table.
#[derive(Clone)]
pub(super) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Pool {
    /// Opens it.
    pub(super) async fn open(place: &Path, database_url: Option<String>) -> anyhow::Result<Self> {
        let pool = match database_url {
            None => {
                let options = SqliteConnectOptions::new()
                    .filename(place.join("pool.db"))
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full)
                    .busy_timeout(Duration::from_mins(1));
                Self::Sqlite(SqlitePoolOptions::new().max_connections(SQLITE).connect_with(options).await?)
            }
            Some(url) => {
                let options = PgPoolOptions::new().max_connections(POSTGRES);
                Self::Postgres(options.acquire_timeout(Duration::from_mins(1)).connect(&url).await?)
            }
        };
        match &pool {
            Self::Sqlite(pool) => {
                sqlx::query(SQLITE_TABLE).execute(pool).await?;
            }
            Self::Postgres(pool) => {
                sqlx::query(POSTGRES_TABLE).execute(pool).await?;
            }
        }
        Ok(pool)
    }

    /// So many tasks insert so many rows each.
    pub(super) async fn insert(&self, tasks: usize, rows: usize) -> anyhow::Result<Duration> {
        let began = Instant::now();
        let mut inserting = tokio::task::JoinSet::new();
        for task in 0..tasks {
            let pool = self.clone();
            let run = format!("run_{task}_{:08x}", rand::random::<u32>());
            inserting.spawn(async move { pool.insert_one_by_one(&run, rows).await });
        }
        while let Some(inserted) = inserting.join_next().await {
            inserted??;
        }
        Ok(began.elapsed())
    }

    /// Closes it.
    pub(super) async fn close(self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }

    async fn insert_one_by_one(&self, run: &str, rows: usize) -> sqlx::Result<()> {
        const INSERT: &str = "INSERT INTO entry VALUES ($1, $2, $3, $4, $5, $6, $7)";
        macro_rules! insert {
            ($pool:expr, $seq:expr) => {
                sqlx::query(INSERT)
                    .bind("team_00000000000000000000000000")
                    .bind(run)
                    .bind("srv_00000000000000000000000000")
                    .bind($seq)
                    .bind(1_700_000_000_000_i64)
                    .bind(1_700_000_000_000_i64)
                    .bind([7_u8; 96].as_slice())
                    .execute($pool)
                    .await
                    .map(drop)
            };
        }
        for seq in 1..=i64::try_from(rows).unwrap_or(i64::MAX) {
            match self {
                Self::Sqlite(pool) => insert!(pool, seq)?,
                Self::Postgres(pool) => insert!(pool, seq)?,
            }
        }
        Ok(())
    }
}
