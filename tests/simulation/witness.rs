//! Who sees everything and says what must not be.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;

use hydron_agent::run_dir::RunDir;
use hydron_domain::run::{MAX_AUTOMATIC_ATTEMPTS, RunState};
use hydron_proto::ids::RunId;
use hydron_proto::wire::{event, frame::Body};
use tokio_tungstenite::tungstenite::Message;

use crate::agent::Disk;
use crate::fencing::Fencing;
use crate::history::History;
use crate::journal::{Journal, Known};
use crate::persons::Persons;
use crate::template::asks;
use crate::told::Told;
use crate::world::World;

/// Run, step, attempt.
pub(crate) type Attempt = (RunId, u32, u32);

#[derive(Debug, Default)]
pub(crate) struct Witness {
    pub(crate) told: Told,
    pub(crate) history: History,
    pub(crate) fencing: Fencing,
    pub(crate) persons: Persons,
    /// Permits and holds that were once sent.
    pub(crate) old_frames: Vec<Message>,
    pub(crate) disk: Option<Arc<Disk>>,
    /// Attempts that began, those that still work, and the output of those that ended well.
    begun: BTreeSet<Attempt>,
    working: BTreeSet<Attempt>,
    pub(crate) outputs: BTreeMap<Attempt, Vec<u8>>,
    /// What coordinators acknowledged, and what was seen to be stored.
    pub(crate) acknowledged: BTreeMap<RunId, u64>,
    pub(crate) stored: BTreeMap<RunId, u64>,
    pub(crate) failures: BTreeMap<String, u32>,
    over: BTreeMap<RunId, RunState>,
    journals: BTreeMap<RunId, (Version, Arc<Journal>)>,
}

/// A journal as it was read: which file, and how much of it is durable.
type Version = (u64, u64);

impl Witness {
    /// A step host is told to begin: I1, I2, I6, I7.
    pub(crate) fn begins(&mut self, world: &World, run: RunId, (step, attempt): (u32, u32), first: bool) {
        let at = format!("{run} {step}.{attempt}");
        assert!(self.begun.insert((run, step, attempt)) && first, "I1: {at} begins twice, or beside another");
        assert!(!self.over.contains_key(&run), "I6: {at} begins after the run is {:?}", self.over[&run]);
        self.working.insert((run, step, attempt));
        let journal = self.journal(world, run).unwrap_or_else(|| panic!("I2: {at} begins without a journal"));
        let known = journal.attempts.get(&(step, attempt));
        assert_eq!(known, Some(&Known::Starting), "I2: {at} has no durable intent");
        for before in 0..step {
            let known = journal.last(before);
            let passed = known == Some(Known::Succeeded)
                || known == Some(Known::Interrupted) && self.persons.has_adopted(run, before);
            assert!(passed, "I2: {at} begins after step {before}, which is {known:?}");
        }
        self.may_come_again(run, (step, attempt), &journal);
        self.told.steps += 1;
    }

    /// What was interrupted or failed begins again only if the plan or a person says so.
    fn may_come_again(&self, run: RunId, (step, attempt): (u32, u32), journal: &Journal) {
        if attempt == 1 || self.persons.wanted_again(run, step, attempt) {
            return;
        }
        let before = journal.attempts.get(&(step, attempt - 1));
        let by_plan = before == Some(&Known::Interrupted) && !asks(step) && attempt <= MAX_AUTOMATIC_ATTEMPTS;
        assert!(
            by_plan,
            "{run}: step {step} begins for the {attempt}th time, unasked, after it was {before:?}"
        );
    }

    /// A step did all it had to do.
    pub(crate) fn worked(&mut self, run: RunId, (step, attempt): (u32, u32), output: Vec<u8>) {
        self.ended(run, (step, attempt));
        self.outputs.insert((run, step, attempt), output);
    }

    /// A step ended, well or not.
    pub(crate) fn ended(&mut self, run: RunId, (step, attempt): (u32, u32)) {
        self.working.remove(&(run, step, attempt));
    }

    pub(crate) fn host_gone(&mut self, run: RunId) {
        self.working.retain(|(of, _, _)| *of != run);
    }

    pub(crate) fn has_worked(&self, run: RunId, step: u32) -> bool {
        self.outputs.range((run, step, 0)..(run, step + 1, 0)).next().is_some()
    }

    /// A run is stored as over: I6, nothing of it works any more, and it stays over.
    pub(crate) fn is_over(&mut self, run: RunId, state: &RunState) {
        let ended = matches!(state, RunState::Completed | RunState::Stopped);
        if let Some(known) = self.over.get(&run) {
            assert_eq!(known, state, "{run} was over");
        } else if ended {
            let works = self.working.iter().find(|(of, _, _)| *of == run);
            assert!(works.is_none(), "I6: {run} is {state:?}, and {works:?} works");
            self.over.insert(run, state.clone());
        }
    }

    pub(crate) fn note_failure(&mut self, code: &str) {
        *self.failures.entry(code.to_owned()).or_default() += 1;
    }

    /// The agent sends a frame. Nothing is told before it is durable.
    pub(crate) fn sends(&mut self, world: &World, body: &Body) {
        self.fencing.said(body);
        let Body::Event(event) = body else { return };
        let (Ok(run), true) = (event.run_id.parse(), event.seq > 0) else { return };
        let Some(journal) = self.journal(world, run) else { return };
        let known = journal.events.len() as u64;
        let seq = event.seq;
        assert!(seq <= known, "event {seq} of {run} is told, and durable are {known}");
        let ended = match &event.body {
            Some(event::Body::StepExited(exited)) => (run, exited.step, exited.attempt),
            Some(event::Body::StepInterrupted(lost)) => (run, lost.step, lost.attempt),
            _other_events => return,
        };
        assert!(!self.working.contains(&ended), "I6: {ended:?} is told to have ended, and works");
    }

    /// The coordinator says that it has the journal up to here.
    pub(crate) fn acknowledged(&mut self, run: &str, seq: u64) {
        if let Ok(run) = run.parse() {
            let known = self.acknowledged.entry(run).or_default();
            *known = seq.max(*known);
        }
    }

    /// Whether somebody said that more is stored than was ever seen.
    pub(crate) fn has_doubts(&self) -> bool {
        let stored = |run| self.stored.get(run).copied().unwrap_or(0);
        self.acknowledged.iter().any(|(run, seq)| *seq > stored(run))
    }

    /// At every tick: what journals say now.
    pub(crate) fn look(&mut self, world: &World) {
        for run in world.template.runs.clone() {
            if let Some(journal) = self.journal(world, run) {
                self.fencing.look(run, &journal);
                assert_eq!(journal.second_ends, 0, "I3: an attempt of {run} ended twice");
            }
        }
    }

    /// A run's journal, as far as it would outlive a power cut.
    pub(crate) fn journal(&mut self, world: &World, run: RunId) -> Option<Arc<Journal>> {
        let path = RunDir::new(&world.root, run).journal();
        let file = std::fs::metadata(&path).ok()?;
        let synced = self.disk.as_ref().and_then(|disk| disk.synced(file.ino()));
        let version = (file.ino(), synced.unwrap_or(file.len()));
        if let Some((known, journal)) = self.journals.get(&run)
            && *known == version
        {
            return Some(journal.clone());
        }
        let journal = Arc::new(Journal::read(&path, self.disk.as_deref())?);
        self.journals.insert(run, (version, journal.clone()));
        Some(journal)
    }
}
