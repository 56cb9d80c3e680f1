//! The product's words as pure code: entities, their states, planning and decisions. No clock, no I/O, no randomness.
//!
//! Neighbours: `hydron-proto` below; `hydron-store` keeps these types, `hydron-coordinator` moves them.

pub mod analysis;
pub mod analysis_run;
pub mod approval;
pub mod chat;
pub mod disguise;
pub mod enrollment;
pub mod env;
pub mod identity;
pub mod infrastructure;
pub mod named;
pub mod planning;
pub mod project;
pub mod provisioning;
pub mod release;
pub mod run;
pub mod server;
pub mod service;
