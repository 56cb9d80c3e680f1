//! The agent: one static binary, several processes, each with the least it needs (ARCHITECTURE.md, "Processes").
//!
//! Rule: imports point down: `link` knows `exec` only through the local protocol; `exec` starts `host` and never the
//! other way round; `steps` know nothing of either. Neighbour: `hydron-proto`, where every wire type ends.

pub mod config;
pub mod root;
pub mod step_context;
