//! What can go wrong in the store, named by what it means to a caller.

use std::path::PathBuf;

use sqlx::error::ErrorKind;

/// An operation of the store that failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A unique rule was broken: the name is taken, the row exists.
    #[error("the row exists already")]
    Exists(#[source] sqlx::Error),
    /// A row points to one that does not exist, or one that others point to was to go.
    #[error("the row refers to one that does not exist, or is referred to")]
    Reference(#[source] sqlx::Error),
    /// A row that does not decode.
    #[error("a stored row does not decode")]
    Corrupt(#[source] sqlx::Error),
    /// The database refused or is away. Whoever reads a log line of it learns why: a disk, a network, a lock.
    #[error("the database failed: {0}")]
    Database(sqlx::Error),
    /// A statement got another number of arguments than it names.
    #[error("a statement takes {expected} arguments and was given {given}")]
    Arity {
        /// The highest `$n` of the text.
        expected: usize,
        /// How many were bound.
        given: usize,
    },
    /// A conditional change whose condition no longer held: the row is gone or has moved on.
    #[error("the {what} was changed or removed by somebody else")]
    Stale {
        /// What was to be changed.
        what: &'static str,
    },
    /// Migrations could not be applied.
    #[error("the database could not be migrated")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// Another coordinator uses this data directory.
    #[error("another coordinator uses {0}; stop it first, or use PostgreSQL to run several")]
    InUse(PathBuf),
    /// The data directory cannot be used.
    #[error("the data directory {path} cannot be used")]
    Directory {
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A database URL that names neither engine.
    #[error(
        "the database URL must start with postgres:// (or be left out to use SQLite in the data directory)"
    )]
    UnknownEngine,
    /// Someone named a team that does not exist.
    #[error("no such team")]
    NoSuchTeam,
}

impl StoreError {
    /// A column whose content contradicts itself.
    pub(crate) fn corrupt(what: &'static str) -> Self {
        Self::Corrupt(sqlx::Error::Decode(what.into()))
    }

    /// Whether a unique rule was broken.
    pub fn is_exists(&self) -> bool {
        matches!(self, Self::Exists(_))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error.as_database_error().map(sqlx::error::DatabaseError::kind) {
            Some(ErrorKind::UniqueViolation) => Self::Exists(error),
            Some(ErrorKind::ForeignKeyViolation) => Self::Reference(error),
            None if is_decoding(&error) => Self::Corrupt(error),
            Some(_) | None => Self::Database(error),
        }
    }
}

fn is_decoding(error: &sqlx::Error) -> bool {
    matches!(
        error,
        sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::Decode(_)
            | sqlx::Error::ColumnNotFound(_)
            | sqlx::Error::ColumnIndexOutOfBounds { .. }
    )
}
