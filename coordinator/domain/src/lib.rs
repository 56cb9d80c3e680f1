//! Placeholder.

pub mod analysis;
pub mod identity;
pub mod enrollment;
pub mod release;
pub mod run;
pub mod server;
