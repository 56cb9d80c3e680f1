//! The part of a run on one server: its envelope, the permit that is out, its steps; and what is seen of its agent.

use hydron_proto::ids::ServerId;
use hydron_proto::reject::RejectCode;

use super::report::{Outcome, RangeEnd, Report, UnexpectedReport};
use super::step::{RunStep, StepState};

/// One server's part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunPart {
    /// Which server.
    pub server: ServerId,
    /// Whether the executor holds the plan.
    pub envelope: EnvelopeState,
    /// The permit that is out, if one is.
    pub permit: Option<Permitted>,
    /// In order of the plan.
    pub steps: Vec<RunStep>,
}

/// Whether the executor holds the signed plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvelopeState {
    /// Signed and stored here.
    Signed,
    /// Verified and kept there.
    Accepted,
    /// Refused with a code.
    Refused(String),
}

/// A contiguous range of steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepRange {
    /// First step.
    pub first: u32,
    /// Last step.
    pub last: u32,
    /// Attempt of the first; the others are at their first.
    pub attempt: u32,
}

/// A permit that is out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permitted {
    /// What it covers.
    pub range: StepRange,
    /// The executor's journal has it.
    pub accepted: bool,
}

/// What is seen of a server's agent right now, with regard to one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgentView {
    /// Not connected.
    Offline,
    /// Connected to another coordinator, which tells it what is due.
    Elsewhere,
    /// Will never be connected again.
    Revoked,
    /// Connected.
    Online {
        /// Which connection; grows.
        connection: u64,
        /// Everything that its journal held when it connected is stored here.
        caught_up: bool,
        /// The envelope was sent over this connection.
        offered: bool,
        /// The permit that is out was sent over this connection.
        permit_sent: bool,
        /// A hold was sent over this connection, after the permit that is out.
        hold_sent: bool,
    },
}

impl RunPart {
    /// Whether nothing can start on this server without a new permit.
    pub fn is_quiet(&self) -> bool {
        self.permit.is_none()
    }

    /// Whether anything is left to do.
    pub fn has_work(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.state, StepState::Pending | StepState::Running))
    }

    /// Records a journal entry that came over `connection`.
    pub fn apply(&mut self, report: &Report, connection: u64) -> Result<(), UnexpectedReport> {
        match report {
            Report::EnvelopeAccepted => self.envelope = EnvelopeState::Accepted,
            Report::PermitAccepted { first, last, attempt, .. } => {
                let range = StepRange { first: *first, last: *last, attempt: *attempt };
                self.envelope = EnvelopeState::Accepted;
                self.permit = Some(Permitted { range, accepted: true });
            }
            Report::StepStarting { step, attempt } => {
                let record = self.record(*step, *attempt)?;
                if record.attempt == *attempt {
                    record.state = StepState::Running;
                    record.started_on = Some(connection);
                }
            }
            Report::StepExited { step, attempt, outcome } => self.exited(*step, *attempt, outcome)?,
            Report::StepInterrupted { step, attempt, .. } => {
                let record = self.record(*step, *attempt)?;
                if record.attempt == *attempt && record.state == StepState::Running {
                    record.interrupted();
                }
                self.permit = None;
            }
            Report::RangeEnded { end, .. } => match end {
                RangeEnd::Completed | RangeEnd::StepFailed | RangeEnd::Held | RangeEnd::Interrupted => {
                    self.end_accepted_permit();
                }
            },
        }
        Ok(())
    }

    /// The executor said that nothing runs and no earlier permit will start anything.
    pub fn nothing_runs(&mut self) {
        self.permit_refused();
    }

    /// The executor refused the permit that is out; its journal will say why the view here was old.
    pub fn permit_refused(&mut self) {
        if self.permit.is_some_and(|permit| !permit.accepted) {
            self.permit = None;
        }
    }

    /// Nothing will be heard of what was permitted: nobody knows how what ran has ended.
    pub fn give_up(&mut self) {
        self.permit = None;
        for step in self.steps.iter_mut().filter(|step| step.state == StepState::Running) {
            step.state = StepState::Unknown;
        }
    }

    /// The server cannot read its journal of this run any more, and starts nothing of it.
    pub fn journal_lost(&mut self, code: String) {
        self.give_up();
        self.envelope = EnvelopeState::Refused(code);
    }

    /// Whether that is so.
    pub fn has_lost_its_journal(&self) -> bool {
        matches!(&self.envelope, EnvelopeState::Refused(code) if code == RejectCode::JournalLost.code())
    }

    /// For a retry: failed steps get another attempt, skipped ones wait again, a refused envelope is offered again.
    pub(super) fn reopen(&mut self) {
        if matches!(self.envelope, EnvelopeState::Refused(_)) {
            self.envelope = EnvelopeState::Signed;
        }
        for step in &mut self.steps {
            match step.state {
                StepState::Failed => step.next_attempt(),
                StepState::Skipped => step.state = StepState::Pending,
                StepState::Pending | StepState::Running | StepState::Completed | StepState::Unknown => {}
            }
        }
    }

    fn exited(&mut self, step: u32, attempt: u32, outcome: &Outcome) -> Result<(), UnexpectedReport> {
        let record = self.record(step, attempt)?;
        if record.attempt == attempt {
            record.state = match outcome {
                Outcome::Succeeded => StepState::Completed,
                Outcome::Failed(_) => StepState::Failed,
            };
        }
        let ends_range = match (outcome, self.permit) {
            (Outcome::Failed(_), _) => true,
            (Outcome::Succeeded, Some(permit)) => permit.accepted && permit.range.last == step,
            (Outcome::Succeeded, None) => false,
        };
        if ends_range {
            self.permit = None;
        }
        Ok(())
    }

    /// A new permit may be out already when the end of the old range arrives; it is not accepted yet.
    fn end_accepted_permit(&mut self) {
        if self.permit.is_some_and(|permit| permit.accepted) {
            self.permit = None;
        }
    }

    fn record(&mut self, step: u32, attempt: u32) -> Result<&mut RunStep, UnexpectedReport> {
        self.steps
            .get_mut(step as usize)
            .filter(|record| attempt >= 1 && attempt <= record.attempt)
            .ok_or(UnexpectedReport { step, attempt })
    }
}
