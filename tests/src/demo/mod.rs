//! The demo: a whole Hydron on this machine, and the sample repository deployed through its public interface.
//!
//! Rule: a client like any other; everything it starts or makes is under its state directory, under its agent's root or
//! labelled with its server's id, so that `clean` can remove exactly that. Neighbours: `stack` (the processes), `tests/lab/demo` (installs and builds).

#![expect(clippy::indexing_slicing, reason = "indexing a JSON value by name gives null, it never panics")]

pub mod clean;
pub mod deploy;
pub mod machine;
pub mod ports;
pub mod screen;
pub mod state;
