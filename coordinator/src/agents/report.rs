//! From the wire to the domain: events of agents' journals, and decisions of executors.
//!
//! Rule: what does not parse is a broken agent and ends its connection; nothing of the wire goes further in.

use hydron_domain::run::{Outcome, RangeEnd, Report, StepFailure};
use hydron_proto::ids::RunId;
use hydron_proto::plan::StepResult;
use hydron_proto::wire::{self, event::Body};
use hydron_store::runs::{JournalEntry, LogDigest};
use prost::Message as _;

/// Longest failure text that is kept.
const MAX_MESSAGE: usize = 8 * 1024;

/// A message that makes no sense.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Nonsense(pub(super) &'static str);

/// A journal entry, parsed.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) run: RunId,
    pub(super) journal: JournalEntry,
    pub(super) report: Report,
    /// What came with the end of an attempt.
    pub(super) exit: Option<Exit>,
}

/// What came with the end of an attempt.
#[derive(Debug)]
pub(super) struct Exit {
    pub(super) result: Option<StepResult>,
    pub(super) already_done: bool,
    pub(super) log: LogDigest,
}

impl TryFrom<wire::Event> for Entry {
    type Error = Nonsense;

    fn try_from(event: wire::Event) -> Result<Self, Nonsense> {
        let run = event.run_id.parse().map_err(|_| Nonsense("an event without a run"))?;
        let journal = JournalEntry { seq: event.seq, at: event.at_unix_ms, body: event.encode_to_vec() };
        let body = event.body.ok_or(Nonsense("an event of an unknown kind"))?;
        let (report, exit) = match body {
            Body::EnvelopeAccepted(_) => (Report::EnvelopeAccepted, None),
            Body::PermitAccepted(permit) => (
                Report::PermitAccepted {
                    first: permit.first_step,
                    last: permit.last_step,
                    attempt: permit.attempt,
                    epoch: permit.epoch,
                },
                None,
            ),
            Body::StepStarting(start) => {
                (Report::StepStarting { step: start.step, attempt: start.attempt }, None)
            }
            Body::StepExited(exited) => {
                let (report, exit) = exited_step(exited)?;
                (report, Some(exit))
            }
            Body::StepInterrupted(lost) => (
                Report::StepInterrupted { step: lost.step, attempt: lost.attempt, why: clean(lost.why) },
                None,
            ),
            Body::RangeEnded(range) => {
                (Report::RangeEnded { next_step: range.next_step, end: range_end(range.end())? }, None)
            }
            Body::StepDoing(_) => {
                return Err(Nonsense("what a step is doing is not an event of the journal"));
            }
        };
        Ok(Self { run, journal, report, exit })
    }
}

fn exited_step(exited: wire::StepExited) -> Result<(Report, Exit), Nonsense> {
    let outcome = match exited.outcome() {
        wire::StepOutcome::Succeeded => Outcome::Succeeded,
        wire::StepOutcome::Failed => failed(&exited, "failed"),
        wire::StepOutcome::TimedOut => failed(&exited, "timed_out"),
        wire::StepOutcome::Cancelled => failed(&exited, "cancelled"),
        wire::StepOutcome::Unspecified => return Err(Nonsense("a step that ended without an outcome")),
    };
    let exit = Exit {
        // An agent that is newer may report kinds of results that are not known here.
        result: serde_json::from_str(&exited.result_json).ok(),
        already_done: exited.already_done,
        log: LogDigest { length: exited.log_length, sha256: exited.log_sha256 },
    };
    Ok((Report::StepExited { step: exited.step, attempt: exited.attempt, outcome }, exit))
}

fn failed(exited: &wire::StepExited, otherwise: &str) -> Outcome {
    let code = if exited.error_code.is_empty() { otherwise } else { &exited.error_code };
    let message = match (exited.error_message.is_empty(), exited.exit_code, exited.signal) {
        (false, _, _) => exited.error_message.clone(),
        (true, Some(code), _) => format!("it ended with exit code {code}"),
        (true, None, Some(signal)) => format!("it was ended by signal {signal}"),
        (true, None, None) => otherwise.replace('_', " "),
    };
    Outcome::Failed(StepFailure { code: clean(code.to_owned()), message: clean(message) })
}

fn range_end(end: wire::RangeEnd) -> Result<RangeEnd, Nonsense> {
    match end {
        wire::RangeEnd::Completed => Ok(RangeEnd::Completed),
        wire::RangeEnd::StepFailed => Ok(RangeEnd::StepFailed),
        wire::RangeEnd::Held => Ok(RangeEnd::Held),
        wire::RangeEnd::Interrupted => Ok(RangeEnd::Interrupted),
        wire::RangeEnd::Unspecified => Err(Nonsense("a range that ended without a reason")),
    }
}

/// PostgreSQL refuses NUL in text.
pub(super) fn clean(text: String) -> String {
    if text.len() <= MAX_MESSAGE && !text.contains('\0') {
        return text;
    }
    text.chars().filter(|c| *c != '\0').take(MAX_MESSAGE).collect()
}
