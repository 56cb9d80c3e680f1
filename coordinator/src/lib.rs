//! The coordinator: the REST interface, the agents' port, background jobs and the embedded web interface in one process.
//!
//! Rule: faces (`http`, `assistant`, `cli`) call `services`; services decide with `hydron-domain` and keep with
//! `hydron-store`; nothing below calls back up. [`serve`] wires every task and channel in one function.

pub mod agents;
pub mod app;
pub mod assistant;
pub mod cli;
pub mod clients;
pub mod clock;
pub mod config;
pub mod http;
pub mod jobs;
pub mod keys;
pub mod lifecycle;
pub mod serve;
pub mod services;
