//! Two engines behind one enum: static SQL with `$n`, typed binds and rows that decode on both.
//!
//! Rule: this is the one place that knows which engine runs. SQLite has a pool of readers that cannot write and one
//! writer; every write transaction begins IMMEDIATE, because upgrading a read transaction fails at once there.
//! (Tried and measured: sqlx's `Any` driver loses the types of NULLs and bools; this does not.)

use sqlx::encode::Encode;
use sqlx::postgres::{PgArguments, PgConnection, PgPool, PgRow, Postgres};
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteConnection, SqlitePool, SqliteRow};
use sqlx::{Arguments as _, AssertSqlSafe, FromRow, Transaction, Type};

use crate::still::still;
use crate::{Result, StoreError};

/// A database of either engine.
#[derive(Debug, Clone)]
pub(crate) enum Db {
    Sqlite { readers: SqlitePool, writer: SqlitePool },
    Postgres(PgPool),
}

/// A write transaction; rolled back when dropped.
#[derive(Debug)]
pub(crate) enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// A value that binds on both engines.
pub(crate) trait Bind<'q>:
    Encode<'q, Sqlite> + Type<Sqlite> + Encode<'q, Postgres> + Type<Postgres>
{
}
impl<'q, T> Bind<'q> for T where T: Encode<'q, Sqlite> + Type<Sqlite> + Encode<'q, Postgres> + Type<Postgres> {}

/// A row that decodes on both engines; `#[derive(sqlx::FromRow)]` gives it.
pub(crate) trait Record:
    for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin + 'static
{
}
impl<T> Record for T where
    T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin + 'static
{
}

impl Db {
    /// A query outside a transaction; on SQLite it can only read.
    pub(crate) fn q(&self, sql: &str) -> Query<'_> {
        let on = match self {
            Self::Sqlite { readers, .. } => On::Sqlite(SqliteOn::Pool(readers), SqliteArguments::default()),
            Self::Postgres(pool) => On::Postgres(PgOn::Pool(pool), PgArguments::default()),
        };
        Query::new(sql, on)
    }

    /// A write transaction.
    pub(crate) async fn begin(&self) -> Result<Tx> {
        Ok(match self {
            Self::Sqlite { writer, .. } => Tx::Sqlite(still(writer.begin_with("BEGIN IMMEDIATE")).await?),
            Self::Postgres(pool) => Tx::Postgres(still(pool.begin()).await?),
        })
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite { readers, writer } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

impl Tx {
    /// A query in this transaction.
    pub(crate) fn q(&mut self, sql: &str) -> Query<'_> {
        let on = match self {
            Self::Sqlite(tx) => On::Sqlite(SqliteOn::Connection(tx), SqliteArguments::default()),
            Self::Postgres(tx) => On::Postgres(PgOn::Connection(tx), PgArguments::default()),
        };
        Query::new(sql, on)
    }

    pub(crate) async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(tx) => still(tx.commit()).await?,
            Self::Postgres(tx) => still(tx.commit()).await?,
        }
        Ok(())
    }
}

/// A statement being put together: text, arguments, and where it will run.
pub(crate) struct Query<'e> {
    sql: String,
    on: On<'e>,
    /// Rows were written by [`Query::rows`], so placeholders and arguments agree by construction.
    by_rows: bool,
    fault: Option<sqlx::error::BoxDynError>,
}

enum On<'e> {
    Sqlite(SqliteOn<'e>, SqliteArguments),
    Postgres(PgOn<'e>, PgArguments),
}

enum SqliteOn<'e> {
    Pool(&'e SqlitePool),
    Connection(&'e mut SqliteConnection),
}

enum PgOn<'e> {
    Pool(&'e PgPool),
    Connection(&'e mut PgConnection),
}

/// Runs `$method` of a typed query on whatever connection the statement has.
macro_rules! run {
    ($query:expr, $make:ident [$($t:ty)?], $method:ident) => {{
        let query = $query.checked()?;
        match query.on {
            On::Sqlite(on, args) => {
                let made = sqlx::$make::<Sqlite, $($t,)? _>(AssertSqlSafe(query.sql), args);
                match on {
                    SqliteOn::Pool(pool) => still(made.$method(pool)).await.map(Into::into),
                    SqliteOn::Connection(connection) => still(made.$method(connection)).await.map(Into::into),
                }
            }
            On::Postgres(on, args) => {
                let made = sqlx::$make::<Postgres, $($t,)? _>(AssertSqlSafe(query.sql), args);
                match on {
                    PgOn::Pool(pool) => still(made.$method(pool)).await.map(Into::into),
                    PgOn::Connection(connection) => still(made.$method(connection)).await.map(Into::into),
                }
            }
        }
    }};
}

impl<'e> Query<'e> {
    fn new(sql: &str, on: On<'e>) -> Self {
        Self { sql: sql.to_owned(), on, by_rows: false, fault: None }
    }

    /// The next argument, `$1` first.
    pub(crate) fn bind<'q>(mut self, value: impl Bind<'q>) -> Self {
        self.push(value);
        self
    }

    /// More text, on both engines.
    pub(crate) fn sql(mut self, more: &str) -> Self {
        self.sql.push_str(more);
        self
    }

    /// More text, on PostgreSQL only: ` FOR UPDATE SKIP LOCKED`.
    pub(crate) fn pg(mut self, more: &str) -> Self {
        if matches!(self.on, On::Postgres(..)) {
            self.sql.push_str(more);
        }
        self
    }

    /// Rows of a multi-row insert after `VALUES `: `?` on SQLite (three times faster there), `$n` on PostgreSQL.
    /// The text before must hold no placeholder of its own; 30,000 values a statement at most.
    pub(crate) fn rows<I: IntoIterator>(
        mut self,
        rows: I,
        mut write: impl FnMut(&mut RowWriter<'_, 'e>, I::Item),
    ) -> Self {
        self.by_rows = true;
        for (index, item) in rows.into_iter().enumerate() {
            self.sql.push_str(if index == 0 { "(" } else { ",(" });
            write(&mut RowWriter { query: &mut self, first: true }, item);
            self.sql.push(')');
        }
        self
    }

    /// Every row.
    pub(crate) async fn all<T: Record>(self) -> Result<Vec<T>> {
        let rows: std::result::Result<Vec<T>, sqlx::Error> = run!(self, query_as_with[T], fetch_all);
        Ok(rows?)
    }

    /// The row, if there is one.
    pub(crate) async fn opt<T: Record>(self) -> Result<Option<T>> {
        let row: std::result::Result<Option<T>, sqlx::Error> = run!(self, query_as_with[T], fetch_optional);
        Ok(row?)
    }

    /// The one row there must be.
    pub(crate) async fn one<T: Record>(self) -> Result<T> {
        let row: std::result::Result<T, sqlx::Error> = run!(self, query_as_with[T], fetch_one);
        Ok(row?)
    }

    /// Runs it; how many rows were touched.
    pub(crate) async fn exec(self) -> Result<u64> {
        let touched: std::result::Result<Touched, sqlx::Error> = run!(self, query_with[], execute);
        Ok(touched?.0)
    }

    /// Runs a conditional change of one row; `Stale` if its condition did not hold.
    pub(crate) async fn exec_one(self, what: &'static str) -> Result<()> {
        match self.exec().await? {
            0 => Err(StoreError::Stale { what }),
            _ => Ok(()),
        }
    }

    fn push<'q>(&mut self, value: impl Bind<'q>) {
        let added = match &mut self.on {
            On::Sqlite(_, args) => sqlx::Arguments::add(args, value),
            On::Postgres(_, args) => sqlx::Arguments::add(args, value),
        };
        if let Err(fault) = added {
            self.fault = Some(fault);
        }
    }

    fn bound(&self) -> usize {
        match &self.on {
            On::Sqlite(_, args) => args.len(),
            On::Postgres(_, args) => args.len(),
        }
    }

    /// SQLite takes a missing argument for NULL and says nothing, so arity is checked here.
    fn checked(self) -> Result<Self> {
        if let Some(fault) = self.fault {
            return Err(StoreError::Database(sqlx::Error::Encode(fault)));
        }
        let (expected, given) = (highest_placeholder(&self.sql), self.bound());
        if !self.by_rows && expected != given {
            return Err(StoreError::Arity { expected, given });
        }
        Ok(self)
    }
}

/// Writes the values of one row of [`Query::rows`].
pub(crate) struct RowWriter<'w, 'e> {
    query: &'w mut Query<'e>,
    first: bool,
}

impl RowWriter<'_, '_> {
    /// The next column of the row.
    pub(crate) fn bind<'q>(&mut self, value: impl Bind<'q>) -> &mut Self {
        if !self.first {
            self.query.sql.push(',');
        }
        self.first = false;
        self.query.push(value);
        let number = self.query.bound();
        match self.query.on {
            On::Sqlite(..) => self.query.sql.push('?'),
            On::Postgres(..) => {
                self.query.sql.push('$');
                self.query.sql.push_str(&number.to_string());
            }
        }
        self
    }
}

struct Touched(u64);

impl From<sqlx::sqlite::SqliteQueryResult> for Touched {
    fn from(result: sqlx::sqlite::SqliteQueryResult) -> Self {
        Self(result.rows_affected())
    }
}

impl From<sqlx::postgres::PgQueryResult> for Touched {
    fn from(result: sqlx::postgres::PgQueryResult) -> Self {
        Self(result.rows_affected())
    }
}

fn highest_placeholder(sql: &str) -> usize {
    sql.split('$')
        .skip(1)
        .map(|rest| {
            rest.bytes().take_while(u8::is_ascii_digit).fold(0, |n, b| n * 10 + usize::from(b - b'0'))
        })
        .max()
        .unwrap_or(0)
}
