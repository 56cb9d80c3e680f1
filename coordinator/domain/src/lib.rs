//! Placeholder.

pub mod analysis;
pub mod identity;
