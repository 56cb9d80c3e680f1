//! The executor of a simulated agent: verifies, journals, spools, and plays each step by script.
//!
//! Rule: it refuses what a real one refuses, with the same codes, and never starts an attempt twice: [`Executor::starts`]
//! is what tests count.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ed25519_dalek::VerifyingKey;
use hydron_proto::envelope::{PinnedSigner, VerifiedEnvelope, Verifier};
use hydron_proto::ids::RunId;
use hydron_proto::plan::{Step, StepResult};
use hydron_proto::reject::RejectCode;
use hydron_proto::seal::SealContext;
use hydron_proto::wire::{self, event::Body};
use prost::Message as _;
use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;

use super::identity::Identity;

/// What a step does.
#[derive(Debug, Clone)]
pub enum Play {
    /// Writes this, waits, and succeeds.
    Succeed {
        /// Its output.
        output: Vec<u8>,
        /// How long it takes.
        takes: Duration,
        /// What it reports.
        result: StepResult,
    },
    /// Writes this and fails.
    Fail {
        /// Its output.
        output: Vec<u8>,
        /// Why.
        message: &'static str,
    },
    /// Runs until [`Executor::release`].
    Hang,
    /// Its host dies with it: nobody knows how it ended.
    Vanish,
}

/// What each step does, by the step and its attempt.
pub type Script = Arc<dyn Fn(&Step, u32) -> Play + Send + Sync>;

/// A start of an attempt.
pub type Start = (RunId, u32, u32);

/// Journals, spools and the script.
pub struct Executor {
    identity: Arc<Identity>,
    script: Script,
    state: Mutex<State>,
    /// Something grew, or a decision waits.
    pub(super) grew: Notify,
    released: Notify,
}

#[derive(Default)]
struct State {
    runs: BTreeMap<RunId, RunJournal>,
    highest_sequence: u64,
    starts: Vec<Start>,
    secrets: Vec<(String, Vec<u8>)>,
    decisions: Vec<wire::Decision>,
    doing: Vec<wire::Event>,
    clock: i64,
}

struct RunJournal {
    envelope: VerifiedEnvelope,
    events: Vec<wire::Event>,
    epoch: u64,
    range: Option<wire::Permit>,
    held: bool,
    attempts: BTreeMap<u32, (u32, Ended)>,
    spools: BTreeMap<(u32, u32), Spool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Running,
    Succeeded,
    Failed,
    Interrupted,
}

#[derive(Default, Clone)]
pub(super) struct Spool {
    pub(super) bytes: Vec<u8>,
    pub(super) finished: bool,
}

impl std::fmt::Debug for Executor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Executor").field("server", &self.identity.server).finish_non_exhaustive()
    }
}

impl Play {
    /// Succeeds at once, with some output.
    pub fn done(output: impl Into<Vec<u8>>) -> Self {
        Self::Succeed { output: output.into(), takes: Duration::ZERO, result: StepResult::Done {} }
    }
}

impl Executor {
    pub(super) fn new(identity: Arc<Identity>, script: Script) -> Self {
        Self { identity, script, state: Mutex::default(), grew: Notify::new(), released: Notify::new() }
    }

    /// Every start of an attempt so far, in order.
    pub fn starts(&self) -> Vec<Start> {
        self.lock().starts.clone()
    }

    /// Every secret that came in a permit, opened.
    pub fn secrets(&self) -> Vec<(String, Vec<u8>)> {
        self.lock().secrets.clone()
    }

    /// The whole output of an attempt.
    pub fn output(&self, run: RunId, step: u32, attempt: u32) -> Vec<u8> {
        let state = self.lock();
        let spool = state.runs.get(&run).and_then(|journal| journal.spools.get(&(step, attempt)));
        spool.map(|spool| spool.bytes.clone()).unwrap_or_default()
    }

    /// Whether a run was told to go no further than the step that is running.
    pub fn is_held(&self, run: RunId) -> bool {
        self.lock().runs.get(&run).is_some_and(|journal| journal.held)
    }

    /// The journal of a run.
    pub fn journal(&self, run: RunId) -> Vec<wire::Event> {
        self.lock().runs.get(&run).map(|journal| journal.events.clone()).unwrap_or_default()
    }

    /// Lets steps that hang go on to their success.
    pub fn release(&self) {
        self.released.notify_waiters();
    }

    /// Says what a running step is doing.
    pub fn say_doing(&self, run: RunId, step: u32, attempt: u32, text: &str) {
        let doing = wire::StepDoing { step, attempt, text: text.to_owned() };
        let event = wire::Event {
            run_id: run.to_string(),
            body: Some(Body::StepDoing(doing)),
            ..wire::Event::default()
        };
        self.lock().doing.push(event);
        self.grew.notify_waiters();
    }

    pub(super) fn reports(&self) -> Vec<wire::RunReport> {
        let state = self.lock();
        let report = |(run, journal): (&RunId, &RunJournal)| wire::RunReport {
            run_id: run.to_string(),
            epoch: journal.epoch,
            last_seq: journal.events.len() as u64,
            envelope_digest: journal.envelope.digest.0.to_vec(),
            logs: journal
                .spools
                .iter()
                .map(|((step, attempt), spool)| wire::LogPosition {
                    command: Some(wire::CommandId {
                        run_id: run.to_string(),
                        step: *step,
                        attempt: *attempt,
                    }),
                    length: spool.bytes.len() as u64,
                    finished: spool.finished,
                })
                .collect(),
        };
        state.runs.iter().map(report).collect()
    }

    pub(super) fn forget(&self, run: RunId) {
        self.lock().runs.remove(&run);
    }

    pub(super) fn take_decisions(&self) -> Vec<wire::Decision> {
        std::mem::take(&mut self.lock().decisions)
    }

    pub(super) fn take_doing(&self) -> Vec<wire::Event> {
        std::mem::take(&mut self.lock().doing)
    }

    /// Events of a run after `seq`.
    pub(super) fn events_after(&self, run: RunId, seq: u64) -> Vec<wire::Event> {
        let state = self.lock();
        let from = usize::try_from(seq).unwrap_or(usize::MAX);
        state
            .runs
            .get(&run)
            .and_then(|journal| journal.events.get(from..))
            .map(<[_]>::to_vec)
            .unwrap_or_default()
    }

    pub(super) fn runs(&self) -> Vec<RunId> {
        self.lock().runs.keys().copied().collect()
    }

    pub(super) fn spools(&self) -> Vec<(RunId, u32, u32, Spool)> {
        let state = self.lock();
        let all = state.runs.iter().flat_map(|(run, journal)| {
            journal.spools.iter().map(|((step, attempt), spool)| (*run, *step, *attempt, spool.clone()))
        });
        all.collect()
    }

    /// A signed envelope came.
    pub(super) fn envelope(&self, bytes: &[u8]) {
        let mut state = self.lock();
        let verified = wire::SignedEnvelope::decode(bytes)
            .map_err(|_| RejectCode::Malformed)
            .and_then(|signed| self.verify(&signed));
        let (run, digest, code) = match verified {
            Err(code) => (String::new(), Vec::new(), Some(code)),
            Ok(envelope) if state.runs.contains_key(&envelope.run) => {
                (envelope.run.to_string(), envelope.digest.0.to_vec(), None)
            }
            Ok(envelope) if envelope.sequence <= state.highest_sequence => {
                (envelope.run.to_string(), envelope.digest.0.to_vec(), Some(RejectCode::Replay))
            }
            Ok(envelope) => {
                state.highest_sequence = envelope.sequence;
                let (run, digest) = (envelope.run, envelope.digest.0.to_vec());
                state.runs.insert(run, RunJournal::new(envelope));
                state.note(run, Body::EnvelopeAccepted(wire::EnvelopeAccepted { digest: digest.clone() }));
                (run.to_string(), digest, None)
            }
        };
        state.decide(wire::DecisionSubject::Envelope, run, digest, code, 0);
        drop(state);
        self.grew.notify_waiters();
    }

    /// A permit came; its range is walked in a task.
    pub(super) fn permit(self: &Arc<Self>, permit: wire::Permit) {
        let Ok(run) = permit.run_id.parse::<RunId>() else { return };
        let mut state = self.lock();
        match self.judge(&mut state, run, &permit) {
            Ok(false) => {}
            Ok(true) => {
                let accepted = wire::PermitAccepted {
                    first_step: permit.first_step,
                    last_step: permit.last_step,
                    attempt: permit.attempt,
                    epoch: permit.epoch,
                };
                state.note(run, Body::PermitAccepted(accepted));
                let executor = self.clone();
                tokio::spawn(async move { executor.walk(run, permit).await });
            }
            Err(code) => {
                state.decide(
                    wire::DecisionSubject::Permit,
                    permit.run_id.clone(),
                    permit.envelope_digest.clone(),
                    Some(code),
                    permit.epoch,
                );
            }
        }
        drop(state);
        self.grew.notify_waiters();
    }

    /// A hold came.
    pub(super) fn hold(&self, hold: &wire::Hold) {
        let Ok(run) = hold.run_id.parse::<RunId>() else { return };
        let mut state = self.lock();
        let active = state.runs.get_mut(&run).is_some_and(|journal| {
            journal.epoch = journal.epoch.max(hold.epoch);
            journal.held = journal.range.is_some();
            journal.held
        });
        if !active {
            state.decide(wire::DecisionSubject::Control, hold.run_id.clone(), Vec::new(), None, hold.epoch);
        }
        drop(state);
        self.grew.notify_waiters();
    }

    fn verify(&self, signed: &wire::SignedEnvelope) -> Result<VerifiedEnvelope, RejectCode> {
        let signers: Vec<PinnedSigner> = self
            .identity
            .signers
            .iter()
            .filter_map(|signer| {
                let key = <[u8; 32]>::try_from(signer.public_key.as_slice()).ok()?;
                Some(PinnedSigner {
                    key_id: signer.key_id.clone(),
                    key: VerifyingKey::from_bytes(&key).ok()?,
                })
            })
            .collect();
        Verifier { signers: &signers, team: self.identity.team, server: self.identity.server }.verify(signed)
    }

    /// Whether a range starts; an active one that comes again is no error.
    fn judge(&self, state: &mut State, run: RunId, permit: &wire::Permit) -> Result<bool, RejectCode> {
        let journal = state.runs.get_mut(&run).ok_or(RejectCode::UnknownRun)?;
        if permit.envelope_digest != journal.envelope.digest.0 {
            return Err(RejectCode::DigestMismatch);
        }
        if permit.epoch < journal.epoch {
            return Err(RejectCode::StaleEpoch);
        }
        let same = |other: &wire::Permit| {
            (other.first_step, other.last_step, other.attempt)
                == (permit.first_step, permit.last_step, permit.attempt)
        };
        if let Some(range) = &journal.range {
            return if same(range) { Ok(false) } else { Err(RejectCode::Busy) };
        }
        let last = journal.envelope.plan.steps.len();
        if permit.first_step > permit.last_step || permit.last_step as usize >= last {
            return Err(RejectCode::NoSuchStep);
        }
        let ended = |step: &u32| journal.attempts.get(step).map(|(_, ended)| *ended);
        if !(0..permit.first_step)
            .all(|step| matches!(ended(&step), Some(Ended::Succeeded | Ended::Interrupted)))
        {
            return Err(RejectCode::OutOfOrder);
        }
        if ended(&permit.first_step) == Some(Ended::Succeeded) {
            return Err(RejectCode::AlreadyDone);
        }
        let used = journal.attempts.get(&permit.first_step).map_or(0, |(attempt, _)| *attempt);
        if permit.attempt != used + 1 {
            return Err(RejectCode::WrongAttempt);
        }
        let secrets = self.open_secrets(journal, run, permit)?;
        journal.epoch = permit.epoch;
        journal.held = false;
        journal.range = Some(permit.clone());
        state.secrets.extend(secrets);
        Ok(true)
    }

    fn open_secrets(
        &self,
        journal: &RunJournal,
        run: RunId,
        permit: &wire::Permit,
    ) -> Result<Vec<(String, Vec<u8>)>, RejectCode> {
        let steps = journal.envelope.plan.steps.iter().zip(0u32..);
        let range = steps.filter(|(_, index)| (permit.first_step..=permit.last_step).contains(index));
        let mut opened = Vec::new();
        for secret in range.flat_map(|(step, _)| step.action.secrets()) {
            let sealed =
                permit.secrets.iter().find(|s| s.name == secret.name.as_str() && s.version == secret.version);
            let place = SealContext {
                team: self.identity.team,
                server: self.identity.server,
                run,
                name: &secret.name,
                version: secret.version,
            };
            let value = sealed.and_then(|sealed| self.identity.sealing.open(&place, sealed).ok());
            opened.push((secret.name.to_string(), value.ok_or(RejectCode::Secret)?.to_vec()));
        }
        Ok(opened)
    }

    async fn walk(self: Arc<Self>, run: RunId, permit: wire::Permit) {
        for step in permit.first_step..=permit.last_step {
            let attempt = if step == permit.first_step { permit.attempt } else { 1 };
            if !self.begin(run, step, attempt) {
                return self.end_range(run, step, wire::RangeEnd::Held);
            }
            match self.play(run, step, attempt).await {
                Ended::Succeeded => {}
                Ended::Interrupted => return self.end_range(run, step, wire::RangeEnd::Interrupted),
                Ended::Failed | Ended::Running => {
                    return self.end_range(run, step, wire::RangeEnd::StepFailed);
                }
            }
        }
        self.end_range(run, permit.last_step + 1, wire::RangeEnd::Completed);
    }

    fn begin(&self, run: RunId, step: u32, attempt: u32) -> bool {
        let mut state = self.lock();
        if state.runs.get(&run).is_none_or(|journal| journal.held) {
            return false;
        }
        state.starts.push((run, step, attempt));
        if let Some(journal) = state.runs.get_mut(&run) {
            journal.attempts.insert(step, (attempt, Ended::Running));
            journal.spools.insert((step, attempt), Spool::default());
        }
        state.note(run, Body::StepStarting(wire::StepStarting { step, attempt }));
        drop(state);
        self.grew.notify_waiters();
        true
    }

    async fn play(&self, run: RunId, step: u32, attempt: u32) -> Ended {
        let planned =
            self.lock().runs.get(&run).and_then(|j| j.envelope.plan.steps.get(step as usize).cloned());
        let Some(planned) = planned else { return Ended::Failed };
        let released = self.released.notified();
        match (self.script)(&planned, attempt) {
            Play::Succeed { output, takes, result } => {
                self.write(run, step, attempt, &output).await;
                tokio::time::sleep(takes).await;
                self.exit(run, step, attempt, &Ok(result))
            }
            Play::Fail { output, message } => {
                self.write(run, step, attempt, &output).await;
                self.exit(run, step, attempt, &Err(message))
            }
            Play::Hang => {
                released.await;
                self.exit(run, step, attempt, &Ok(StepResult::Done {}))
            }
            Play::Vanish => {
                let mut state = self.lock();
                if let Some(journal) = state.runs.get_mut(&run) {
                    journal.attempts.insert(step, (attempt, Ended::Interrupted));
                }
                let lost = wire::StepInterrupted { step, attempt, why: "the step host is gone".to_owned() };
                state.note(run, Body::StepInterrupted(lost));
                Ended::Interrupted
            }
        }
    }

    /// In pieces, as a process writes.
    async fn write(&self, run: RunId, step: u32, attempt: u32, output: &[u8]) {
        for piece in output.chunks(16 * 1024) {
            self.append(run, step, attempt, piece);
            tokio::task::yield_now().await;
        }
    }

    fn append(&self, run: RunId, step: u32, attempt: u32, piece: &[u8]) {
        let mut state = self.lock();
        if let Some(spool) = state.runs.get_mut(&run).and_then(|j| j.spools.get_mut(&(step, attempt))) {
            spool.bytes.extend_from_slice(piece);
        }
        drop(state);
        self.grew.notify_waiters();
    }

    fn exit(&self, run: RunId, step: u32, attempt: u32, result: &Result<StepResult, &'static str>) -> Ended {
        let mut state = self.lock();
        let ended = if result.is_ok() { Ended::Succeeded } else { Ended::Failed };
        let Some(journal) = state.runs.get_mut(&run) else { return ended };
        journal.attempts.insert(step, (attempt, ended));
        let spool = journal.spools.entry((step, attempt)).or_default();
        spool.finished = true;
        let exited = wire::StepExited {
            step,
            attempt,
            outcome: match result {
                Ok(_) => wire::StepOutcome::Succeeded.into(),
                Err(_) => wire::StepOutcome::Failed.into(),
            },
            log_length: spool.bytes.len() as u64,
            log_sha256: Sha256::digest(&spool.bytes).to_vec(),
            result_json: result.as_ref().ok().and_then(|r| serde_json::to_string(r).ok()).unwrap_or_default(),
            error_code: result.as_ref().err().map(|_| "exit".to_owned()).unwrap_or_default(),
            error_message: result.as_ref().err().map(|message| (*message).to_owned()).unwrap_or_default(),
            ..wire::StepExited::default()
        };
        state.note(run, Body::StepExited(exited));
        drop(state);
        self.grew.notify_waiters();
        ended
    }

    fn end_range(&self, run: RunId, next_step: u32, end: wire::RangeEnd) {
        let mut state = self.lock();
        if let Some(journal) = state.runs.get_mut(&run) {
            journal.range = None;
            journal.held = false;
        }
        state.note(run, Body::RangeEnded(wire::RangeEnded { next_step, end: end.into() }));
        drop(state);
        self.grew.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RunJournal {
    fn new(envelope: VerifiedEnvelope) -> Self {
        Self {
            envelope,
            events: Vec::new(),
            epoch: 0,
            range: None,
            held: false,
            attempts: BTreeMap::new(),
            spools: BTreeMap::new(),
        }
    }
}

impl State {
    fn note(&mut self, run: RunId, body: Body) {
        self.clock += 1;
        let at_unix_ms = 1_700_000_000_000 + self.clock;
        if let Some(journal) = self.runs.get_mut(&run) {
            let seq = journal.events.len() as u64 + 1;
            journal.events.push(wire::Event { run_id: run.to_string(), seq, at_unix_ms, body: Some(body) });
        }
    }

    fn decide(
        &mut self,
        subject: wire::DecisionSubject,
        run_id: String,
        envelope_digest: Vec<u8>,
        code: Option<RejectCode>,
        epoch: u64,
    ) {
        let code = code.map(RejectCode::code).unwrap_or_default().to_owned();
        self.decisions.push(wire::Decision { run_id, subject: subject.into(), code, envelope_digest, epoch });
    }
}
