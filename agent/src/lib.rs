//! The agent: one static binary, several processes, each with the least it needs (ARCHITECTURE.md, "Processes").
//!
//! Rule: imports point down: `link` knows `exec` only through the local protocol; `exec` starts `host` and never the
//! other way round; `steps` know nothing of either. Neighbour: `hydron-proto`, where every wire type ends.

pub mod attempts;
pub mod child;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
pub mod confine;
pub mod docker;
pub mod durable;
pub mod edge;
pub mod exec;
pub mod facts;
pub mod fault;
pub(crate) mod frames;
pub mod host;
pub mod identity;
pub mod join;
pub mod link;
pub mod local;
pub mod parsers;
pub mod record;
pub mod redact;
pub mod root;
pub mod run_dir;
pub mod step_context;
pub mod steps;
pub mod supervise;
pub mod user;
