//! What attached links are told: the journaled events of every run, how far its spools have grown, and answers.
//!
//! Rule: an event is here only after it is durable. Readers pull by sequence, so a slow one holds nobody up.
//! Neighbours: `run_task` (puts in), `connection` (pulls).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hydron_proto::envelope::PlanDigest;
use hydron_proto::ids::RunId;
use hydron_proto::wire::{self, from_executor::Body};
use tokio::sync::{broadcast, watch};

/// Answers that a reader may lag behind before it is cut off.
const ANSWERS: usize = 256;

/// One command's spool: step and attempt.
pub(super) type SpoolKey = (u32, u32);

/// What is known of one run.
#[derive(Debug, Clone)]
pub(super) struct RunView {
    /// The plan's digest.
    pub digest: PlanDigest,
    /// Highest epoch seen.
    pub epoch: u64,
    /// Every event, in order; the first has sequence 1.
    pub events: Vec<wire::Event>,
    /// Every spool.
    pub logs: BTreeMap<SpoolKey, SpoolView>,
    /// What the running step is doing: the newest word, and how many there were.
    pub doing: (u64, Option<wire::Event>),
    /// Counts changes, so that a reader who has everything need not look.
    pub version: u64,
}

/// How far a spool has grown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct SpoolView {
    /// Bytes.
    pub length: u64,
    /// Nothing more will come.
    pub finished: bool,
}

/// Shared by all tasks of the executor.
#[derive(Debug, Clone)]
pub(super) struct Outbox {
    runs: Arc<Mutex<BTreeMap<RunId, RunView>>>,
    changed: watch::Sender<u64>,
    answers: broadcast::Sender<Body>,
}

impl Default for Outbox {
    fn default() -> Self {
        Self {
            runs: Arc::default(),
            changed: watch::Sender::new(0),
            answers: broadcast::Sender::new(ANSWERS),
        }
    }
}

impl Outbox {
    /// Changes whenever a run has something new.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Decisions and other messages that are not journaled, for whoever is attached.
    pub(super) fn answers(&self) -> broadcast::Receiver<Body> {
        self.answers.subscribe()
    }

    /// Says something to whoever is attached.
    pub(super) fn say(&self, body: Body) {
        let _ = self.answers.send(body);
    }

    /// Adds a run.
    pub(super) fn put(&self, run: RunId, view: RunView) {
        self.lock().insert(run, view);
        self.nudge();
    }

    /// Removes a run.
    pub(super) fn remove(&self, run: RunId) {
        self.lock().remove(&run);
    }

    /// Changes a run's view.
    pub(super) fn update(&self, run: RunId, change: impl FnOnce(&mut RunView)) {
        if let Some(view) = self.lock().get_mut(&run) {
            change(view);
            view.version += 1;
        }
        self.nudge();
    }

    /// Looks at all runs.
    pub(super) fn with<T>(&self, look: impl FnOnce(&BTreeMap<RunId, RunView>) -> T) -> T {
        look(&self.lock())
    }

    /// What Hello says of every run.
    pub(super) fn reports(&self) -> Vec<wire::RunReport> {
        self.lock().iter().map(|(run, view)| view.report(*run)).collect()
    }

    fn nudge(&self) {
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<RunId, RunView>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RunView {
    fn report(&self, run: RunId) -> wire::RunReport {
        let position = |(&(step, attempt), spool): (&SpoolKey, &SpoolView)| wire::LogPosition {
            command: Some(command(run, step, attempt)),
            length: spool.length,
            finished: spool.finished,
        };
        wire::RunReport {
            run_id: run.to_string(),
            epoch: self.epoch,
            last_seq: self.events.last().map_or(0, |event| event.seq),
            envelope_digest: self.digest.0.to_vec(),
            logs: self.logs.iter().map(position).collect(),
        }
    }
}

/// A command's wire form.
pub(super) fn command(run: RunId, step: u32, attempt: u32) -> wire::CommandId {
    wire::CommandId { run_id: run.to_string(), step, attempt }
}
