//! Background work: each job reads its rows, acts, and records; wakeups only make it sooner.
//!
//! Rule: killed at any moment, a job goes on from its rows.

pub mod analyse;
pub mod drive_runs;
pub mod reaper;
