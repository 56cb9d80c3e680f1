//! Schema changes, forward only, embedded in the binary: one folder an engine.
//!
//! Rule: a migration that has been released is never edited.

use sqlx::migrate::{Migrate as _, Migrator};

use crate::Result;
use crate::db::Db;

static SQLITE: Migrator = sqlx::migrate!("../../migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("../../migrations/postgres");

/// How far a database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MigrationState {
    /// The newest migration in the database; 0 when it is empty.
    pub applied: i64,
    /// The newest migration this binary knows.
    pub known: i64,
}

impl MigrationState {
    /// Whether `hydron migrate` has something to do.
    pub fn is_behind(self) -> bool {
        self.applied < self.known
    }
}

/// Brings the schema up to date; concurrent callers wait for each other (PostgreSQL: an advisory lock).
pub(crate) async fn run(db: &Db) -> Result<()> {
    match db {
        Db::Sqlite { writer, .. } => SQLITE.run(writer).await?,
        Db::Postgres(pool) => POSTGRES.run(pool).await?,
    }
    Ok(())
}

pub(crate) async fn state(db: &Db) -> Result<MigrationState> {
    let (migrator, applied) = match db {
        Db::Sqlite { writer, .. } => {
            let mut connection = writer.acquire().await?;
            connection.ensure_migrations_table("_sqlx_migrations").await?;
            (&SQLITE, connection.list_applied_migrations("_sqlx_migrations").await?)
        }
        Db::Postgres(pool) => {
            let mut connection = pool.acquire().await?;
            connection.ensure_migrations_table("_sqlx_migrations").await?;
            (&POSTGRES, connection.list_applied_migrations("_sqlx_migrations").await?)
        }
    };
    Ok(MigrationState {
        applied: applied.iter().map(|migration| migration.version).max().unwrap_or(0),
        known: migrator.iter().map(|migration| migration.version).max().unwrap_or(0),
    })
}
