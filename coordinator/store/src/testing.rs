//! Fresh databases for tests, on both engines: SQLite in a directory of its own, and, when
//! `HYDRON_TEST_POSTGRES_URL` names a server, a database of its own there.
//!
//! Rule: a test that touches rows runs on every engine; [`crate::on_every_engine`] stamps it.

#![expect(clippy::expect_used, reason = "only tests call this: a failure should say where, at once")]

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::postgres::PgPoolOptions;
use tempfile::TempDir;

use crate::db::Db;
use crate::{Location, Store};

/// Names the PostgreSQL server of the tests.
pub const POSTGRES_URL: &str = "HYDRON_TEST_POSTGRES_URL";

/// Which engine a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// A file in a temporary directory.
    Sqlite,
    /// A fresh database on the tests' server.
    Postgres,
}

/// A migrated store that is gone with the value.
#[derive(Debug)]
pub struct TestStore {
    /// The store.
    pub store: Store,
    /// Where it is, to open it again as a second coordinator would.
    pub location: Location,
    /// Its data directory (also for keys and the like when it runs on PostgreSQL).
    pub dir: TempDir,
}

impl TestStore {
    /// A fresh store; none if the engine is not there to be tested.
    pub async fn open(engine: Engine) -> Option<Self> {
        let (location, dir) = fresh_location(engine).await?;
        let store = Store::open(&location).await.expect("the fresh store opens");
        store.migrate().await.expect("the fresh store migrates");
        Some(Self { store, location, dir })
    }
}

/// Where a fresh store may be opened, and its data directory; none if the engine is not there to be tested.
pub async fn fresh_location(engine: Engine) -> Option<(Location, TempDir)> {
    let dir = TempDir::new().expect("a temporary directory");
    let location = match engine {
        Engine::Sqlite => Location::Sqlite(dir.path().to_owned()),
        Engine::Postgres => Location::Postgres(fresh_database(&std::env::var(POSTGRES_URL).ok()?).await),
    };
    Some((location, dir))
}

/// Databases stay behind on the tests' server: it is thrown away as a whole.
async fn fresh_database(url: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let nanos = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos());
    let name = format!("test_{}_{nanos}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let server = PgPoolOptions::new().max_connections(1).connect(url).await.expect("the tests' PostgreSQL");
    // TEMPLATE template0 is the one nobody can be connected to while it is copied.
    let create = format!("CREATE DATABASE {name} TEMPLATE template0");
    sqlx::query(sqlx::AssertSqlSafe(create)).execute(&server).await.expect("a fresh database");
    server.close().await;
    let (base, _) = url.rsplit_once('/').expect("a URL with a database");
    format!("{base}/{name}")
}

/// From now on no transaction that adds a journal entry can be committed; everything before its commit still works.
pub async fn refuse_commits_of_journals(store: &Store) {
    let table =
        "CREATE TABLE refused_commit (team_id TEXT REFERENCES team (id) DEFERRABLE INITIALLY DEFERRED)";
    let statements: &[&str] = match &store.db {
        Db::Sqlite { .. } => &[
            table,
            "CREATE TRIGGER refuse_commit AFTER INSERT ON run_event \
             BEGIN INSERT INTO refused_commit VALUES ('nobody'); END",
        ],
        Db::Postgres(_) => &[
            table,
            "CREATE FUNCTION refuse_commit() RETURNS trigger LANGUAGE plpgsql AS \
             'BEGIN INSERT INTO refused_commit VALUES (''nobody''); RETURN NULL; END'",
            "CREATE TRIGGER refuse_commit AFTER INSERT ON run_event FOR EACH ROW EXECUTE FUNCTION refuse_commit()",
        ],
    };
    execute(store, statements).await;
}

/// Takes [`refuse_commits_of_journals`] back.
pub async fn allow_commits_of_journals(store: &Store) {
    let statement = match &store.db {
        Db::Sqlite { .. } => "DROP TRIGGER refuse_commit",
        Db::Postgres(_) => "DROP TRIGGER refuse_commit ON run_event",
    };
    execute(store, &[statement]).await;
}

async fn execute(store: &Store, statements: &[&str]) {
    let mut tx = store.db.begin().await.expect("a transaction");
    for statement in statements {
        tx.q(statement).exec().await.expect("a statement of the tests");
    }
    tx.commit().await.expect("a commit");
}

/// Stamps `async fn name(db: TestStore)` into one test an engine: `name::sqlite` and `name::postgres`.
#[macro_export]
macro_rules! on_every_engine {
    ($($(#[$meta:meta])* async fn $name:ident($db:ident: TestStore) $body:block)*) => {$(
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            $(#[$meta])*
            async fn run($db: $crate::testing::TestStore) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let db = $crate::testing::TestStore::open($crate::testing::Engine::Sqlite).await;
                run(db.expect("SQLite is always there")).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                match $crate::testing::TestStore::open($crate::testing::Engine::Postgres).await {
                    Some(db) => run(db).await,
                    None => eprintln!("skipped: {} is not set", $crate::testing::POSTGRES_URL),
                }
            }
        }
    )*};
}
