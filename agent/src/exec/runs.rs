//! The runs of this server: how one comes in, is found again after a restart, is set aside when damaged, and goes.
//!
//! Rule: a run exists as soon as its directory has its name; it gets it by one rename, with everything in it.
//! Neighbours: `admission` (may it come in), `run_task` (what it does then).

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use hydron_proto::envelope::VerifiedEnvelope;
use hydron_proto::ids::RunId;
use hydron_proto::reject::RejectCode;
use hydron_proto::wire::{self, event, journal_record};
use tokio::sync::mpsc;

use super::admission::{Gate, Held};
use super::audit::Entry;
use super::journal::{Journal, JournalError};
use super::run_state::RunState;
use super::run_task::{RunCommand, RunTask};
use super::shared::{ExecError, Shared};
use super::view::view;
use crate::config::Policy;
use crate::durable;
use crate::root::Root;
use crate::run_dir::RunDir;

/// Commands that may wait for one run.
const COMMANDS: usize = 64;

/// Every run that is held here.
#[derive(Debug)]
pub(super) struct Runs {
    shared: Arc<Shared>,
    tasks: Mutex<BTreeMap<RunId, mpsc::Sender<RunCommand>>>,
    lost: Mutex<BTreeSet<RunId>>,
    failed: mpsc::UnboundedSender<ExecError>,
}

/// What an envelope led to.
#[derive(Debug)]
pub(super) struct Admitted {
    /// The run it names, as far as it can be read.
    pub run: String,
    /// The plan's digest, once verified.
    pub digest: Vec<u8>,
    /// Held here, or why not.
    pub outcome: Result<RunId, RejectCode>,
}

impl Runs {
    /// No runs yet; a task that cannot go on says so through `failed`.
    pub(super) fn new(shared: Arc<Shared>, failed: mpsc::UnboundedSender<ExecError>) -> Self {
        Self { shared, tasks: Mutex::default(), lost: Mutex::default(), failed }
    }

    /// Finds everything that a former executor held.
    pub(super) async fn recover(&self) -> Result<(), ExecError> {
        let _ = std::fs::remove_dir_all(forgotten(&self.shared.root));
        for entry in std::fs::read_dir(self.shared.root.runs())? {
            let entry = entry?;
            let Some(run) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
                // A directory that never got its name.
                let _ = std::fs::remove_dir_all(entry.path());
                continue;
            };
            let directory = RunDir::new(&self.shared.root, run);
            match self.reopen(&directory) {
                Ok((held, journal)) => self.start(directory, held, journal)?,
                Err(Unreadable::Fatal(error)) => return Err(error),
                Err(Unreadable::Damaged(why)) => self.quarantine(&directory, why).await?,
            }
        }
        self.find_lost()
    }

    /// Takes a signed envelope in, or says why not.
    pub(super) fn admit(&self, bytes: &[u8]) -> Result<Admitted, ExecError> {
        let now = self.shared.clock.unix_ms();
        let verified = Held::verify(self.shared.identity.verifier(), bytes);
        let admitted = match verified {
            Err(code) => Admitted { run: claimed_run(bytes), digest: Vec::new(), outcome: Err(code) },
            Ok(held) => Admitted {
                run: held.envelope.run.to_string(),
                digest: held.envelope.digest.0.to_vec(),
                outcome: self.admit_verified(held, bytes, now)?,
            },
        };
        self.shared.audit(Entry {
            at_unix_ms: now,
            subject: "envelope".to_owned(),
            run: admitted.run.clone(),
            decision: admitted.outcome.as_ref().err().map_or("accepted", |code| code.code()).to_owned(),
            detail: String::new(),
        })?;
        Ok(admitted)
    }

    fn admit_verified(
        &self,
        held: Held,
        bytes: &[u8],
        now: i64,
    ) -> Result<Result<RunId, RejectCode>, ExecError> {
        let envelope = &held.envelope;
        let run = envelope.run;
        if self.is_lost(run) {
            return Ok(Err(RejectCode::JournalLost));
        }
        let directory = RunDir::new(&self.shared.root, run);
        if self.sender(run).is_some() {
            // The same bytes again, after a lost answer, are no replay: nothing starts by them.
            let stored = std::fs::read(directory.envelope())?;
            return Ok(if stored == bytes { Ok(run) } else { Err(RejectCode::Replay) });
        }
        let Ok(policy) = Policy::load(&self.shared.root) else { return Ok(Err(RejectCode::Policy)) };
        {
            let ledger = self.shared.ledger();
            let gate = Gate { ledger: &ledger, policy: &policy, now_unix_ms: now };
            if let Err(code) = gate.admit(envelope) {
                return Ok(Err(code));
            }
        }
        let journal = self.create(&directory, bytes, envelope, now)?;
        self.shared.ledger().accept(envelope, now)?;
        self.start(directory, held, journal)?;
        Ok(Ok(run))
    }

    fn create(
        &self,
        directory: &RunDir,
        bytes: &[u8],
        envelope: &VerifiedEnvelope,
        now: i64,
    ) -> Result<OpenJournal, ExecError> {
        let runs = self.shared.root.runs();
        let unnamed = runs.join(format!("{}.new", directory.run));
        let _ = std::fs::remove_dir_all(&unnamed);
        durable::create_directory(&unnamed.join("steps"), 0o700)?;
        durable::write(&unnamed.join("envelope"), bytes, 0o600)?;
        let (mut journal, _) = Journal::open(&unnamed.join("journal.log")).map_err(journal_io)?;
        let accepted = wire::EnvelopeAccepted { digest: envelope.digest.0.to_vec() };
        let event = wire::Event {
            run_id: directory.run.to_string(),
            seq: 1,
            at_unix_ms: now,
            body: Some(event::Body::EnvelopeAccepted(accepted)),
        };
        let records = vec![wire::JournalRecord { body: Some(journal_record::Body::Event(event)) }];
        journal.append(&records).map_err(ExecError::Journal)?;
        std::fs::rename(&unnamed, directory.path())?;
        durable::sync_directory(&runs)?;
        Ok((journal, records))
    }

    /// Sends a command to a run's task.
    pub(super) fn command(&self, run: RunId, command: RunCommand) -> Result<(), RejectCode> {
        if self.is_lost(run) {
            return Err(RejectCode::JournalLost);
        }
        let sender = self.sender(run).ok_or(RejectCode::UnknownRun)?;
        sender.try_send(command).map_err(|_| RejectCode::Busy)
    }

    /// The task of a run that was forgotten is over.
    pub(super) fn forgotten(&self, run: RunId) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).remove(&run);
    }

    /// Runs whose journal was lost, until the coordinator has been told and forgets them.
    pub(super) fn lost(&self) -> Vec<RunId> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }

    /// The coordinator knows about a lost run. Its directory stays for a person to look at.
    pub(super) fn forget_lost(&self, run: RunId) -> bool {
        let known = self.lost.lock().unwrap_or_else(PoisonError::into_inner).remove(&run);
        if known {
            let path = self.shared.root.quarantine().join(run.to_string());
            let _ = std::fs::rename(&path, path.with_extension("reported"));
        }
        known
    }

    fn is_lost(&self, run: RunId) -> bool {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).contains(&run)
    }

    fn sender(&self, run: RunId) -> Option<mpsc::Sender<RunCommand>> {
        let tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.get(&run).filter(|sender| !sender.is_closed()).cloned()
    }

    fn start(
        &self,
        directory: RunDir,
        held: Held,
        (journal, records): (Journal, Vec<wire::JournalRecord>),
    ) -> Result<(), ExecError> {
        let state = RunState::fold(&records)?;
        self.shared.outbox.put(directory.run, view(&directory, &held.envelope, &state, &records));
        let (sender, commands) = mpsc::channel(COMMANDS);
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).insert(directory.run, sender);
        let task = RunTask::new(self.shared.clone(), directory, held, (journal, state), commands);
        let failed = self.failed.clone();
        tokio::spawn(async move {
            if let Err(error) = task.run().await {
                let _ = failed.send(error);
            }
        });
        Ok(())
    }

    fn reopen(&self, directory: &RunDir) -> Result<(Held, OpenJournal), Unreadable> {
        let bytes = std::fs::read(directory.envelope()).map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                return Unreadable::Damaged("its envelope is missing");
            }
            // A disk that says no today may say yes tomorrow: no reason to call a run lost.
            Unreadable::Fatal(error.into())
        })?;
        let held = Held::verify(self.shared.identity.verifier(), &bytes)
            .map_err(|_| Unreadable::Damaged("its envelope does not verify"))?;
        let journal = Self::open_journal(directory)?;
        RunState::fold(&journal.1).map_err(|_| Unreadable::Damaged("its journal contradicts itself"))?;
        let now = self.shared.clock.unix_ms();
        let mut ledger = self.shared.ledger();
        if !ledger.is_replay(&held.envelope) {
            // A crash came between the run's directory and the ledger.
            ledger.accept(&held.envelope, now).map_err(|error| Unreadable::Fatal(error.into()))?;
        }
        Ok((held, journal))
    }

    fn open_journal(directory: &RunDir) -> Result<OpenJournal, Unreadable> {
        Journal::open(&directory.journal()).map_err(|error| match error {
            JournalError::Damaged(_) => Unreadable::Damaged("its journal is damaged"),
            JournalError::Io(error) => Unreadable::Fatal(ExecError::Journal(error)),
        })
    }

    async fn quarantine(&self, directory: &RunDir, why: &str) -> Result<(), ExecError> {
        tracing::error!(run = %directory.run, why, "run {} is set aside: {why}", directory.run);
        self.shared.machine.end_orphans(directory).await;
        let aside = self.shared.root.quarantine();
        durable::create_directory(&aside, 0o700)?;
        let target = aside.join(directory.run.to_string());
        let _ = std::fs::remove_dir_all(&target);
        std::fs::rename(directory.path(), target)?;
        self.shared.audit(Entry {
            at_unix_ms: self.shared.clock.unix_ms(),
            subject: "quarantine".to_owned(),
            run: directory.run.to_string(),
            decision: RejectCode::JournalLost.code().to_owned(),
            detail: why.to_owned(),
        })
    }

    fn find_lost(&self) -> Result<(), ExecError> {
        let entries = match std::fs::read_dir(self.shared.root.quarantine()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            if let Some(run) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) {
                self.lost.lock().unwrap_or_else(PoisonError::into_inner).insert(run);
            }
        }
        Ok(())
    }
}

type OpenJournal = (Journal, Vec<wire::JournalRecord>);

enum Unreadable {
    Damaged(&'static str),
    Fatal(ExecError),
}

/// Takes a run's directory away; what cannot be removed now is removed at the next start.
pub(super) fn discard(root: &Root, directory: &RunDir) -> io::Result<()> {
    let forgotten = forgotten(root);
    durable::create_directory(&forgotten, 0o700)?;
    let target = forgotten.join(directory.run.to_string());
    std::fs::rename(directory.path(), &target)?;
    let _ = std::fs::remove_dir_all(&target);
    Ok(())
}

fn forgotten(root: &Root) -> std::path::PathBuf {
    root.exec().join("forgotten")
}

/// Which run an envelope claims to be for; only to name it in an answer and in the audit log.
fn claimed_run(bytes: &[u8]) -> String {
    use prost::Message as _;
    let signed = wire::SignedEnvelope::decode(bytes).unwrap_or_default();
    let envelope = wire::Envelope::decode(signed.envelope.as_slice()).unwrap_or_default();
    envelope.run_id.parse::<RunId>().map_or_else(|_| String::new(), |run| run.to_string())
}

fn journal_io(error: JournalError) -> ExecError {
    ExecError::Journal(io::Error::other(error))
}

/// The directories that the executor needs, with their modes.
pub(super) fn prepare(root: &Root) -> io::Result<()> {
    durable::create_directory(&root.state(), 0o755)?;
    let private: [&Path; 2] = [&root.exec(), &root.runs()];
    private.into_iter().try_for_each(|path| durable::create_directory(path, 0o700))?;
    durable::create_directory(&root.sockets(), 0o755)
}
