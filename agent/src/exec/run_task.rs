//! One run on this server: accepts permits, walks their range step by step, and writes down every turn before it
//! takes the next.
//!
//! Rule: intent is durable before the step host hears of a step; a result is durable before anybody hears of it.
//! Neighbours: `run_state` (what is), `permit` (what may start), `host_client` (who runs it), `outbox` (who is told).

mod hosting;
mod writing;

use std::sync::Arc;
use std::time::Duration;

use hydron_proto::envelope::VerifiedEnvelope;
use hydron_proto::plan::Step;
use hydron_proto::reject::RejectCode;
use hydron_proto::wire::{self, event, from_step_host, journal_record, to_step_host};
use sha2::{Digest as _, Sha256};
use tokio::sync::{mpsc, oneshot};

use super::admission::Held;
use super::host_client::HostClient;
use super::journal::Journal;

use self::hosting::{failed_start, next_of};
use super::permit::{self, Against, Opener, Verdict};
use super::run_state::{RunState, StepPhase};
use super::runs;
use super::shared::{ExecError, Shared};
use crate::config::Policy;
use crate::run_dir::RunDir;

/// A host without work is sent away after this time.
const IDLE_HOST: Duration = Duration::from_mins(2);

/// What a run is asked to do.
#[derive(Debug)]
pub(super) enum RunCommand {
    /// Walk a range.
    Permit(wire::Permit),
    /// Stop at the next boundary.
    Hold(wire::Hold),
    /// End the running step.
    Cancel(wire::Cancel),
    /// A guarded step may stay.
    Confirm(wire::Confirm),
    /// The coordinator has everything: go. Answers whether it could.
    Forget(oneshot::Sender<bool>),
}

/// One run's task.
#[derive(Debug)]
pub(super) struct RunTask {
    shared: Arc<Shared>,
    directory: RunDir,
    envelope: VerifiedEnvelope,
    /// SHA-256 of the signed bytes behind `envelope`.
    verified: [u8; 32],
    journal: Journal,
    state: RunState,
    /// Applied to the state, not durable yet.
    pending: Vec<wire::JournalRecord>,
    host: Option<HostClient>,
    commands: mpsc::Receiver<RunCommand>,
}

enum Next {
    Command(Option<RunCommand>),
    Host(Option<from_step_host::Body>),
    Idle,
}

impl RunTask {
    /// A task for a run whose journal is open and folded.
    pub(super) fn new(
        shared: Arc<Shared>,
        directory: RunDir,
        held: Held,
        (journal, state): (Journal, RunState),
        commands: mpsc::Receiver<RunCommand>,
    ) -> Self {
        Self {
            shared,
            directory,
            envelope: held.envelope,
            verified: held.sha256,
            journal,
            state,
            pending: Vec::new(),
            host: None,
            commands,
        }
    }

    /// Runs until the run is forgotten. An error means that the journal cannot be trusted any more.
    pub(super) async fn run(mut self) -> Result<(), ExecError> {
        self.recover().await?;
        loop {
            self.advance().await?;
            if self.host.is_some() && self.is_over() {
                self.dismiss_host().await;
            }
            let next = tokio::select! {
                command = self.commands.recv() => Next::Command(command),
                message = next_of(&mut self.host) => Next::Host(message),
                () = tokio::time::sleep(IDLE_HOST), if self.host.is_some() && self.state.range.is_none() => Next::Idle,
            };
            match next {
                Next::Command(None) => return Ok(()),
                Next::Command(Some(RunCommand::Forget(reply))) => {
                    let possible = self.state.range.is_none();
                    if possible {
                        self.forget().await?;
                    }
                    let _ = reply.send(possible);
                    if possible {
                        return Ok(());
                    }
                }
                Next::Command(Some(command)) => self.command(command).await?,
                Next::Host(Some(message)) => self.host_says(message)?,
                Next::Host(None) => self.host_lost().await?,
                Next::Idle => self.dismiss_host().await,
            }
        }
    }

    async fn command(&mut self, command: RunCommand) -> Result<(), ExecError> {
        let (epoch, subject, outcome) = match command {
            RunCommand::Permit(permit) => (permit.epoch, wire::DecisionSubject::Permit, self.permit(permit)?),
            RunCommand::Hold(hold) => (hold.epoch, wire::DecisionSubject::Control, self.hold(&hold)?),
            RunCommand::Cancel(cancel) => {
                (cancel.epoch, wire::DecisionSubject::Control, self.cancel(&cancel).await?)
            }
            RunCommand::Confirm(confirm) => {
                (confirm.epoch, wire::DecisionSubject::Control, self.confirm(&confirm).await?)
            }
            RunCommand::Forget(_) => return Ok(()),
        };
        match outcome {
            Ok(Answer::Silent) => {}
            Ok(Answer::Yes) => self.decide(subject, epoch, None),
            Err(code) => self.decide(subject, epoch, Some(code)),
        }
        Ok(())
    }

    fn permit(&mut self, permit: wire::Permit) -> Result<Result<Answer, RejectCode>, ExecError> {
        let verdict = self.judge(&permit);
        let detail = format!("{}..={} attempt {}", permit.first_step, permit.last_step, permit.attempt);
        self.audit("permit", verdict.as_ref().err().copied(), &detail)?;
        match verdict {
            Err(code) => return Ok(Err(code)),
            Ok(Verdict::Repeated) => {
                self.see_epoch(permit.epoch)?;
                return Ok(Ok(Answer::Silent));
            }
            Ok(Verdict::Start) => {}
        }
        let accepted = wire::PermitAccepted {
            first_step: permit.first_step,
            last_step: permit.last_step,
            attempt: permit.attempt,
            epoch: permit.epoch,
        };
        self.note(journal_record::Body::Permit(permit))?;
        self.event(event::Body::PermitAccepted(accepted))?;
        Ok(Ok(Answer::Silent))
    }

    fn judge(&self, permit: &wire::Permit) -> Result<Verdict, RejectCode> {
        let policy = self.policy()?;
        let against = Against {
            envelope: &self.envelope,
            state: &self.state,
            policy: &policy,
            now_unix_ms: self.shared.clock.unix_ms(),
        };
        let verdict = permit::check(permit, against)?;
        if verdict == Verdict::Start {
            self.opener().check(permit)?;
        }
        Ok(verdict)
    }

    fn hold(&mut self, hold: &wire::Hold) -> Result<Result<Answer, RejectCode>, ExecError> {
        if hold.epoch < self.state.epoch {
            self.audit("hold", Some(RejectCode::StaleEpoch), "")?;
            return Ok(Err(RejectCode::StaleEpoch));
        }
        self.audit("hold", None, "")?;
        let active = self.state.range.is_some();
        self.note(journal_record::Body::Hold(hold.clone()))?;
        self.flush()?;
        Ok(Ok(if active { Answer::Silent } else { Answer::Yes }))
    }

    async fn cancel(&mut self, cancel: &wire::Cancel) -> Result<Result<Answer, RejectCode>, ExecError> {
        if cancel.epoch < self.state.epoch {
            self.audit("cancel", Some(RejectCode::StaleEpoch), "")?;
            return Ok(Err(RejectCode::StaleEpoch));
        }
        let wanted = cancel.command.as_ref().map(|command| (command.step, command.attempt));
        self.audit("cancel", None, &format!("{wanted:?}"))?;
        self.see_epoch(cancel.epoch)?;
        let Some((step, attempt)) = self.state.started().filter(|started| wanted == Some(*started)) else {
            return Ok(Ok(Answer::Yes));
        };
        let message = wire::CancelStep { step, attempt, grace_ms: cancel.grace_ms };
        self.tell_host(to_step_host::Body::Cancel(message)).await;
        Ok(Ok(Answer::Silent))
    }

    async fn confirm(&mut self, confirm: &wire::Confirm) -> Result<Result<Answer, RejectCode>, ExecError> {
        if confirm.epoch < self.state.epoch {
            self.audit("confirm", Some(RejectCode::StaleEpoch), "")?;
            return Ok(Err(RejectCode::StaleEpoch));
        }
        self.audit("confirm", None, "")?;
        if let Some(command) = &confirm.command {
            let message = wire::ConfirmStep { step: command.step, attempt: command.attempt };
            self.tell_host(to_step_host::Body::Confirm(message)).await;
        }
        Ok(Ok(Answer::Silent))
    }

    fn see_epoch(&mut self, epoch: u64) -> Result<(), ExecError> {
        if epoch > self.state.epoch {
            self.note(journal_record::Body::Epoch(epoch))?;
            self.flush()?;
        }
        Ok(())
    }

    /// Takes the next turns of the range until a step runs or the range is over.
    async fn advance(&mut self) -> Result<(), ExecError> {
        while self.state.started().is_none()
            && let Some(range) = &self.state.range
        {
            let step = range.next;
            if step > range.permit.last_step {
                self.end_range(step, wire::RangeEnd::Completed)?;
            } else if self.state.held {
                self.end_range(step, wire::RangeEnd::Held)?;
            } else {
                let attempt = RunState::attempt_in_range(range, step);
                self.start(step, attempt).await?;
            }
        }
        self.flush()
    }

    async fn start(&mut self, step: u32, attempt: u32) -> Result<(), ExecError> {
        if let Err(code) = self.reverify(step) {
            self.audit("step", Some(code), &format!("{step}.{attempt}"))?;
            let epoch = self.state.epoch;
            self.decide(wire::DecisionSubject::Permit, epoch, Some(code));
            return self.end_range(step, wire::RangeEnd::Held);
        }
        let ready = self.ensure_host().await;
        self.event(event::Body::StepStarting(wire::StepStarting { step, attempt }))?;
        self.flush()?;
        match ready {
            Ok(()) => self.tell_start(step, attempt).await,
            Err(error) => self.exited(failed_start(step, attempt, &error)),
        }
    }

    /// Before every step: the bytes on disk are still the ones that were verified when they came, or when this executor
    /// started (what differs is verified anew, to say what is wrong with it), and this server still allows the step.
    fn reverify(&self, step: u32) -> Result<(), RejectCode> {
        let bytes = std::fs::read(self.directory.envelope()).map_err(|_| RejectCode::UnknownRun)?;
        if Sha256::digest(&bytes).as_slice() != self.verified.as_slice() {
            super::admission::verify(self.shared.identity.verifier(), &bytes)?;
            return Err(RejectCode::DigestMismatch);
        }
        let planned = self.plan_step(step).ok_or(RejectCode::NoSuchStep)?;
        if self.policy()?.allows(&planned.action) { Ok(()) } else { Err(RejectCode::Policy) }
    }

    /// A policy that cannot be read allows nothing.
    fn policy(&self) -> Result<Policy, RejectCode> {
        Policy::load(&self.shared.root).map_err(|_| RejectCode::Policy)
    }

    fn end_range(&mut self, next_step: u32, end: wire::RangeEnd) -> Result<(), ExecError> {
        self.event(event::Body::RangeEnded(wire::RangeEnded { next_step, end: end.into() }))?;
        self.shared.nudge_facts();
        Ok(())
    }

    /// Every step of the plan has succeeded.
    fn is_over(&self) -> bool {
        let done = self.state.steps.values().filter(|step| step.phase == StepPhase::Succeeded).count();
        self.state.range.is_none() && done == self.envelope.plan.steps.len()
    }

    async fn forget(&mut self) -> Result<(), ExecError> {
        self.audit("forget", None, "")?;
        self.dismiss_host().await;
        self.shared.machine.end_orphans(&self.directory).await;
        self.shared.outbox.remove(self.directory.run);
        runs::discard(&self.shared.root, &self.directory)?;
        Ok(())
    }

    fn opener(&self) -> Opener<'_> {
        Opener {
            key: &self.shared.sealing_key,
            team: self.shared.identity.team,
            server: self.shared.identity.server,
            envelope: &self.envelope,
        }
    }

    fn plan_step(&self, step: u32) -> Option<&Step> {
        self.envelope.plan.steps.get(permit::index(step))
    }
}

/// What a command that is not refused is answered with.
enum Answer {
    /// An event tells, or there is nothing to tell.
    Silent,
    /// A decision with an empty code.
    Yes,
}
