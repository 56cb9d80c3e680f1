//! Use cases: what the product can do, written once for REST, chat and the command line.
//!
//! Rule: the first line of every use case is `principal.authorize(…)`, and what it returns is the only way to rows.
//! Neighbours: `http` and `assistant` call in; `hydron-domain` decides; `hydron-store` keeps.

pub mod audit;
pub mod auth;
pub mod input;
pub mod passwords;
pub mod principal;
pub mod setup;
pub mod teams;
pub mod tokens;
