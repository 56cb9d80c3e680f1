//! Places at which a simulation may take this process's life: before bytes are written, after it, after they are synced.
//!
//! Rule: without the feature `simulation` nothing is here. Neighbours: `exec/journal` and `durable`, which pass by;
//! `tests/simulation`, which decides.

use std::fs::File;

#[cfg(feature = "simulation")]
use std::cell::RefCell;
#[cfg(feature = "simulation")]
use std::rc::Rc;

/// What a simulation does at these places.
#[cfg(feature = "simulation")]
pub trait Faults {
    /// Something durable is about to happen, or has just happened.
    fn point(&self);
    /// Bytes beyond `before` are in this file, and a power cut would take them.
    fn written(&self, file: &File, before: u64);
    /// What is in this file stays.
    fn synced(&self, file: &File);
}

#[cfg(feature = "simulation")]
thread_local! {
    static FAULTS: RefCell<Option<Rc<dyn Faults>>> = const { RefCell::new(None) };
}

/// From now on this thread's files are in the hands of a simulation.
#[cfg(feature = "simulation")]
pub fn simulate(faults: Option<Rc<dyn Faults>>) {
    FAULTS.with(|known| *known.borrow_mut() = faults);
}

#[cfg(feature = "simulation")]
fn with(act: impl FnOnce(&dyn Faults)) {
    // Not borrowed meanwhile: who dies in there leaves this as it was.
    let faults = FAULTS.with(|known| known.borrow().clone());
    if let Some(faults) = faults {
        act(faults.as_ref());
    }
}

#[cfg(feature = "simulation")]
pub(crate) fn point() {
    with(|faults| faults.point());
}

#[cfg(feature = "simulation")]
pub(crate) fn length(file: &File) -> u64 {
    file.metadata().map_or(0, |meta| meta.len())
}

#[cfg(feature = "simulation")]
pub(crate) fn written(file: &File, before: u64) {
    with(|faults| faults.written(file, before));
}

#[cfg(feature = "simulation")]
pub(crate) fn synced(file: &File) {
    with(|faults| faults.synced(file));
}

#[cfg(not(feature = "simulation"))]
pub(crate) fn point() {}

#[cfg(not(feature = "simulation"))]
pub(crate) fn length(_: &File) -> u64 {
    0
}

#[cfg(not(feature = "simulation"))]
pub(crate) fn written(_: &File, _: u64) {}

#[cfg(not(feature = "simulation"))]
pub(crate) fn synced(_: &File) {}
