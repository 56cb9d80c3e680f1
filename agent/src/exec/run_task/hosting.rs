//! A run and its step host: what is told to it, what it says, and what is known when it is gone.
//!
//! Rule: a step without a result and without a living host is unknown; it is never told to start again.

use hydron_proto::plan::Action;
use hydron_proto::reject::RejectCode;
use hydron_proto::wire::{self, event, from_step_host, to_step_host};

use super::RunTask;
use crate::exec::host_client::HostClient;
use crate::exec::outbox::SpoolView;
use crate::exec::shared::ExecError;

impl RunTask {
    /// The intent is durable. What cannot be told to the host any more is found out by [`Self::host_lost`].
    pub(super) async fn tell_start(&mut self, step: u32, attempt: u32) -> Result<(), ExecError> {
        let Some(range) = &self.state.range else { return Ok(()) };
        let secrets = self.plan_step(step).map_or_else(
            || Err(RejectCode::NoSuchStep),
            |planned| self.opener().open(&range.permit, planned),
        );
        let secrets = match secrets {
            Ok(secrets) => secrets,
            Err(code) => return self.exited(failed_start(step, attempt, &code)),
        };
        let clear = |(secret, value): (&hydron_proto::plan::SecretRef, &zeroize::Zeroizing<Vec<u8>>)| {
            wire::ClearSecret {
                name: secret.name.to_string(),
                version: secret.version,
                value: value.to_vec(),
            }
        };
        let message = wire::StartStep {
            step,
            attempt,
            plan_digest: self.envelope.digest.0.to_vec(),
            secrets: secrets.iter().map(clear).collect(),
        };
        self.shared.outbox.update(self.directory.run, |view| {
            view.logs.insert((step, attempt), SpoolView::default());
        });
        self.tell_host(to_step_host::Body::Start(message)).await;
        Ok(())
    }

    pub(super) fn host_says(&mut self, message: from_step_host::Body) -> Result<(), ExecError> {
        match message {
            from_step_host::Body::Exited(exited) => self.exited(exited),
            from_step_host::Body::LogGrew(grew) => {
                if let Some(command) = grew.command {
                    self.spool_grew((command.step, command.attempt), grew.length, false);
                }
                Ok(())
            }
            from_step_host::Body::Doing(doing) => {
                let event = wire::Event {
                    run_id: self.directory.run.to_string(),
                    seq: 0,
                    at_unix_ms: self.shared.clock.unix_ms(),
                    body: Some(event::Body::StepDoing(doing)),
                };
                self.shared
                    .outbox
                    .update(self.directory.run, |view| view.doing = (view.doing.0 + 1, Some(event)));
                Ok(())
            }
            from_step_host::Body::Status(_) => Ok(()),
        }
    }

    /// A result. Only the step whose intent is open can have one.
    pub(super) fn exited(&mut self, exited: wire::StepExited) -> Result<(), ExecError> {
        if self.state.started() != Some((exited.step, exited.attempt)) {
            return Ok(());
        }
        let (step, attempt, length) = (exited.step, exited.attempt, exited.log_length);
        let succeeded = exited.outcome() == wire::StepOutcome::Succeeded;
        if succeeded && let Some(Action::Release(spec)) = self.plan_step(step).map(|step| &step.action) {
            self.shared.ledger().note_release(spec)?;
        }
        self.event(event::Body::StepExited(exited))?;
        if !succeeded {
            self.end_range(step, wire::RangeEnd::StepFailed)?;
        }
        self.spool_grew((step, attempt), length, true);
        Ok(())
    }

    pub(super) fn interrupted(&mut self, step: u32, attempt: u32, why: &str) -> Result<(), ExecError> {
        self.event(event::Body::StepInterrupted(wire::StepInterrupted {
            step,
            attempt,
            why: why.to_owned(),
        }))?;
        self.end_range(step, wire::RangeEnd::Interrupted)?;
        let length = self.directory.spool_length(step, attempt);
        self.spool_grew((step, attempt), length, true);
        Ok(())
    }

    /// The host went away. A host that still lives is attached to again; else its exit record speaks; else nobody knows.
    pub(super) async fn host_lost(&mut self) -> Result<(), ExecError> {
        self.host = None;
        let Some((step, attempt)) = self.state.started() else { return Ok(()) };
        if let Some((host, status)) = HostClient::attach(&self.directory).await {
            self.host = Some(host);
            if (status.step, status.attempt) == (Some(step), attempt) {
                return Ok(());
            }
            if let Some(exited) = self.exit_record(step, attempt) {
                return self.exited(exited);
            }
            if !self.directory.has_begun(step, attempt)? {
                // The host lives and never heard of the step: it has not begun.
                return self.tell_start(step, attempt).await;
            }
            return self.interrupted(step, attempt, "the step host lost the step");
        }
        // The host may be gone while its children are not: nothing of the step may go on unseen.
        self.shared.machine.end_orphans(&self.directory).await;
        match self.exit_record(step, attempt) {
            Some(exited) => self.exited(exited),
            None => self.interrupted(step, attempt, "the step host ended before the step did"),
        }
    }

    /// A record that cannot be read is none: then nobody knows.
    pub(super) fn exit_record(&self, step: u32, attempt: u32) -> Option<wire::StepExited> {
        self.directory.exit_of(step, attempt).unwrap_or_else(|error| {
            tracing::warn!(run = %self.directory.run, %error, "the exit record of step {step}.{attempt} is unreadable");
            None
        })
    }

    /// After a start of the executor: what was running is found again before anything else is done. A run that has
    /// not begun gets its host now, so that its first step does not wait for one.
    pub(super) async fn recover(&mut self) -> Result<(), ExecError> {
        if self.state.steps.is_empty() {
            // What is wrong with the host is said when a step needs it.
            let _ = self.ensure_host().await;
        }
        self.host_lost_if_started().await
    }

    pub(super) async fn host_lost_if_started(&mut self) -> Result<(), ExecError> {
        if self.state.started().is_some() { self.host_lost().await } else { Ok(()) }
    }

    pub(super) async fn dismiss_host(&mut self) {
        self.tell_host(to_step_host::Body::Finish(wire::FinishHost {})).await;
        self.host = None;
    }

    pub(super) async fn ensure_host(&mut self) -> std::io::Result<()> {
        if self.host.is_none() {
            self.host =
                Some(HostClient::ensure(&*self.shared.machine, &self.shared.root, &self.directory).await?);
        }
        Ok(())
    }

    /// A message that does not arrive is no error: the closed connection says so in the next turn.
    pub(super) async fn tell_host(&mut self, body: to_step_host::Body) {
        if let Some(host) = &mut self.host {
            let _ = host.send(body).await;
        }
    }
}

pub(super) async fn next_of(host: &mut Option<HostClient>) -> Option<from_step_host::Body> {
    match host {
        Some(host) => host.next().await,
        None => std::future::pending().await,
    }
}

pub(super) fn failed_start(step: u32, attempt: u32, why: &dyn std::fmt::Display) -> wire::StepExited {
    wire::StepExited {
        step,
        attempt,
        outcome: wire::StepOutcome::Failed.into(),
        error_code: "HOST_START".to_owned(),
        error_message: format!("the step could not be started on this server: {why}"),
        ..wire::StepExited::default()
    }
}
