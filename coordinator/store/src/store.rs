//! Opening the store and handing out its handles.
//!
//! Rule: whoever wants rows asks for a team's handle; `system()` is for what has no team yet or spans all of them.

use std::future::ready;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hydron_proto::ids::TeamId;
use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use tokio::sync::broadcast;

use crate::db::Db;
use crate::instance_lock::InstanceLock;
use crate::migrate::{self, MigrationState};
use crate::still::still;
use crate::wake::{Wake, Waker};
use crate::{Result, StoreError, SystemStore, TeamStore};

/// Readers beside the one writer of SQLite.
const SQLITE_READERS: u32 = 4;
const POSTGRES_CONNECTIONS: u32 = 16;

/// Where the data is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// `hydron.db` in this directory; exactly one coordinator.
    Sqlite(PathBuf),
    /// A database by its URL; several coordinators may share it.
    Postgres(String),
}

impl Location {
    /// A `postgres://` URL if there is one, SQLite in the data directory otherwise.
    pub fn new(data_dir: &Path, url: Option<&str>) -> Result<Self> {
        match url {
            None => Ok(Self::Sqlite(data_dir.to_owned())),
            Some(url) if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                Ok(Self::Postgres(url.to_owned()))
            }
            Some(_) => Err(StoreError::UnknownEngine),
        }
    }

    /// The engine's name, for messages: never the URL, which may hold a password.
    pub fn engine(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }
}

/// A coordinator that freezes, or whose machine vanishes, in the middle of a transaction holds its rows locked, and nobody
/// else could lead its runs. So PostgreSQL ends such a session after ten seconds, a lost connection after twenty.
const POSTGRES_SESSION: [(&str, &str); 5] = [
    ("idle_in_transaction_session_timeout", "10s"),
    ("tcp_user_timeout", "20s"),
    ("tcp_keepalives_idle", "10"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "2"),
];

/// The store; clones share connections.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) db: Db,
    pub(crate) waker: Waker,
    _lock: Option<Arc<InstanceLock>>,
}

impl Store {
    /// Connects as the coordinator; does not touch the schema.
    pub async fn open(location: &Location) -> Result<Self> {
        let lock = match location {
            Location::Sqlite(dir) => {
                make_dir(dir)?;
                Some(InstanceLock::take(dir)?)
            }
            Location::Postgres(_) => None,
        };
        let store = Self::open_beside(location).await?;
        store.waker.relay(&store.db).await?;
        Ok(Self { _lock: lock.map(Arc::new), ..store })
    }

    /// Connects beside a coordinator that may be running, for a short command on its own machine.
    pub async fn open_beside(location: &Location) -> Result<Self> {
        let db = match location {
            Location::Sqlite(dir) => still(open_sqlite(dir)).await?,
            Location::Postgres(url) => open_postgres(url).await?,
        };
        Ok(Self { db, waker: Waker::new(), _lock: None })
    }

    /// Brings the schema up to date.
    pub async fn migrate(&self) -> Result<()> {
        migrate::run(&self.db).await
    }

    /// How far the schema is.
    pub async fn migration_state(&self) -> Result<MigrationState> {
        migrate::state(&self.db).await
    }

    /// The rows of one team.
    pub fn team(&self, team: TeamId) -> TeamStore {
        TeamStore { store: self.clone(), team }
    }

    /// What has no team: users, sessions, set-up; and jobs' readers across teams.
    pub fn system(&self) -> SystemStore {
        SystemStore { store: self.clone() }
    }

    /// Hints that rows have changed, from every coordinator on this database. Read the rows, not the hint.
    pub fn wakeups(&self) -> broadcast::Receiver<Wake> {
        self.waker.subscribe()
    }

    /// Hints to every coordinator without a change of rows, e.g. what a running step is doing.
    pub async fn wake(&self, wake: Wake) {
        self.waker.wake_all(&self.db, vec![wake]).await;
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        self.db.q("SELECT CAST(1 AS BIGINT)").one::<(i64,)>().await.map(drop)
    }

    /// Waits for running statements and closes every connection.
    pub async fn close(&self) {
        self.db.close().await;
    }
}

fn make_dir(dir: &Path) -> Result<()> {
    let failed = |source| StoreError::Directory { path: dir.to_owned(), source };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed)
}

/// Rows are for the coordinator's own user; SQLite gives the files beside this one its mode.
fn private_file(file: &Path) -> Result<()> {
    let failed = |source| StoreError::Directory { path: file.to_owned(), source };
    let opened = std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(file);
    opened.and_then(|file| file.set_permissions(std::fs::Permissions::from_mode(0o600))).map_err(failed)
}

async fn open_sqlite(dir: &Path) -> Result<Db> {
    make_dir(dir)?;
    let file = dir.join("hydron.db");
    private_file(&file)?;
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // NORMAL loses commits at a power cut; what was acknowledged must stay.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(10));
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .before_acquire(|connection, _| Box::pin(ready(Ok(is_at_rest(connection)))))
        .connect_with(options.clone())
        .await?;
    let readers = SqlitePoolOptions::new()
        .max_connections(SQLITE_READERS)
        .connect_with(options.pragma("query_only", "ON"))
        .await?;
    Ok(Db::Sqlite { readers, writer })
}

/// When a disk is full SQLite rolls back by itself. The connection's own rollback fails then, and it would be taken to be
/// in a transaction for ever: it is replaced by a new one.
fn is_at_rest(connection: &SqliteConnection) -> bool {
    !connection.is_in_transaction()
}

async fn open_postgres(url: &str) -> Result<Db> {
    let options: PgConnectOptions = url.parse()?;
    let pool = PgPoolOptions::new()
        .max_connections(POSTGRES_CONNECTIONS)
        .acquire_timeout(Duration::from_secs(10))
        .connect_with(options.application_name("hydron").options(POSTGRES_SESSION))
        .await?;
    Ok(Db::Postgres(pool))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Engine, TestStore};

    #[tokio::test]
    async fn what_sqlite_acknowledges_survives_a_power_cut_and_readers_cannot_write() {
        let test = TestStore::open(Engine::Sqlite).await.unwrap();
        let Db::Sqlite { readers, writer } = &test.store.db else { panic!("SQLite") };
        let pragma = |sql: &'static str| sqlx::query_as::<_, (i64,)>(sql).fetch_one(writer);
        assert_eq!(pragma("PRAGMA synchronous").await.unwrap().0, 2, "FULL");
        assert_eq!(pragma("PRAGMA foreign_keys").await.unwrap().0, 1);
        let (mode,): (String,) = sqlx::query_as("PRAGMA journal_mode").fetch_one(writer).await.unwrap();
        assert_eq!(mode, "wal");
        assert!(sqlx::query("DELETE FROM team").execute(readers).await.is_err());
        let (_, _, file): (i64, String, String) =
            sqlx::query_as("PRAGMA database_list").fetch_one(writer).await.unwrap();
        for part in ["", "-wal", "-shm"] {
            let mode = std::fs::metadata(format!("{file}{part}")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file}{part}");
        }
    }

    /// As a full disk does it.
    #[tokio::test]
    async fn a_transaction_that_sqlite_rolled_back_by_itself_does_not_keep_later_ones_out() {
        let test = TestStore::open(Engine::Sqlite).await.unwrap();
        let Db::Sqlite { writer, .. } = &test.store.db else { panic!("SQLite") };
        let mut tx = writer.begin().await.unwrap();
        sqlx::query("ROLLBACK").execute(&mut *tx).await.unwrap();
        drop(tx);
        let mut tx = writer.begin().await.unwrap();
        sqlx::query("DELETE FROM team").execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    }

    #[tokio::test]
    async fn a_forgotten_argument_is_an_error_and_not_a_null() {
        let test = TestStore::open(Engine::Sqlite).await.unwrap();
        let missing = test.store.db.q("SELECT id FROM team WHERE id = $1").opt::<(String,)>().await;
        assert!(matches!(missing, Err(StoreError::Arity { expected: 1, given: 0 })));
    }
}
