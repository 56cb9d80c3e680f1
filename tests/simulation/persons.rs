//! What persons said about runs: what they allowed to happen again, and what they stopped.
//!
//! Rule: noted before a coordinator hears of it, because it may die between doing and answering.

use std::collections::{BTreeMap, BTreeSet};

use hydron_proto::ids::RunId;

#[derive(Debug, Default)]
pub(crate) struct Persons {
    /// Steps that count as done, and attempts that somebody asked for.
    adopted: BTreeSet<(RunId, u32)>,
    again: BTreeSet<(RunId, u32, u32)>,
    stops: BTreeMap<RunId, Stop>,
}

/// Whether a run shall end where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Whoever was asked did not answer, or a retry took it back, perhaps.
    Perhaps,
    Surely,
}

impl Persons {
    pub(crate) fn adopt(&mut self, run: RunId, step: u32) {
        self.adopted.insert((run, step));
    }

    pub(crate) fn want_again(&mut self, run: RunId, step: u32, attempt: u32) {
        self.again.insert((run, step, attempt));
    }

    pub(crate) fn has_adopted(&self, run: RunId, step: u32) -> bool {
        self.adopted.contains(&(run, step))
    }

    pub(crate) fn wanted_again(&self, run: RunId, step: u32, attempt: u32) -> bool {
        self.again.contains(&(run, step, attempt))
    }

    pub(crate) fn may_stop(&mut self, run: RunId) {
        self.stops.entry(run).or_insert(Stop::Perhaps);
    }

    pub(crate) fn stop(&mut self, run: RunId) {
        self.stops.insert(run, Stop::Surely);
    }

    pub(crate) fn stopped(&self, run: RunId) -> Option<Stop> {
        self.stops.get(&run).copied()
    }

    /// A retry takes a stop back, if it comes to that.
    pub(crate) fn doubt_stop(&mut self, run: RunId) {
        if let Some(stop) = self.stops.get_mut(&run) {
            *stop = Stop::Perhaps;
        }
    }
}
