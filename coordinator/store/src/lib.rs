//! The only crate with SQL: one store over SQLite and PostgreSQL, one file an aggregate.
//!
//! Rule: a row is reached through a team handle ([`TeamStore`] reads, [`TeamTx`] writes) and every query names the
//! team; readers across teams live in [`SystemStore`] alone. A change, its event and its audit row share a transaction.
//! Neighbours: `hydron-domain` gives the types that rows decode into; only services, jobs and agents' sessions call in.

mod analyses;
mod approvals;
pub mod audit;
pub mod chat_notices;
mod chats;
mod column;
mod db;
pub mod enrollment;
pub mod env_vars;
mod error;
pub mod events;
pub mod idempotency;
mod instance_lock;
mod key_marks;
pub mod login_attempts;
pub mod logs;
pub mod mandates;
mod migrate;
mod planned_releases;
mod plans;
mod projects;
mod reading;
pub mod releases;
pub mod runs;
mod secrets;
pub mod servers;
mod services;
pub mod sessions;
pub mod setup;
pub mod still;
mod store;
mod system;
mod team;
pub mod teams;
#[cfg(feature = "testing")]
pub mod testing;
pub mod tokens;
pub mod users;
mod wake;
pub mod warrant;

pub use column::{Json, Text};
pub use error::StoreError;
pub use migrate::MigrationState;
pub use store::{Location, Store};
pub use system::{SystemStore, SystemTx};
pub use team::{TeamStore, TeamTx};
pub use wake::{Topic, Wake};

/// What every function of the store returns.
pub type Result<T> = std::result::Result<T, StoreError>;
