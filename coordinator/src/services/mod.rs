//! Use cases: what the product can do, written once for REST, chat and the command line.
//!
//! Rule: the first line of every use case is `principal.authorize(…)`, and what it returns is the only way to rows.
//! Neighbours: `http` and `assistant` call in; `hydron-domain` decides; `hydron-store` keeps.

pub mod analyses;
pub mod approvals;
pub mod audit;
pub mod auth;
pub mod chats;
pub mod component_view;
pub mod components;
pub mod enrollment;
pub mod env;
pub mod input;
pub mod operations;
pub mod passwords;
pub mod plans;
pub mod principal;
pub mod projects;
pub mod refusal;
pub mod releases;
pub mod runs;
pub mod secrets;
pub mod servers;
pub mod setup;
pub mod teams;
pub mod tokens;
