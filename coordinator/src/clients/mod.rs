//! Systems outside: one folder each, behind a small interface of ours.
//!
//! Rule: outbound addresses are resolved, checked and pinned before anything connects.

pub mod git;
