//! Runs: made from signed plans, watched, and steered by people.
//!
//! Rule: a request changes what is wanted and wakes the driver; only `jobs::drive_runs` moves a run.

pub mod create;
pub mod steer;
pub mod view;

pub use create::{CreateRunError, NewPart, NewRun, create};
