//! What happens next in a run: a pure function of the stored state and of what is seen of the agents.
//!
//! Rule: every action is safe to carry out twice, and after any crash the same state gives the same actions. A permit is
//! decided only when none is out on that server, and covers steps up to the next barrier. Pausing, stopping and failing
//! share one way: hold what is out, wait until every server is quiet, then enter the state.

use std::collections::BTreeMap;

use hydron_proto::ids::ServerId;
use hydron_proto::reject::RejectCode;

use super::part::{AgentView, EnvelopeState, RunPart, StepRange};
use super::step::{RunStep, StepState};
use super::{Run, RunFailure, RunNote, RunState, Wish};

/// One thing to do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Started or paused becomes in progress.
    Proceed,
    /// Send the signed plan.
    OfferEnvelope {
        /// To.
        server: ServerId,
    },
    /// Record a permit, then send it.
    Permit {
        /// To.
        server: ServerId,
        /// For.
        range: StepRange,
    },
    /// Send the recorded permit over a connection on which it was not sent.
    SendPermit {
        /// To.
        server: ServerId,
    },
    /// Tell the executor to go no further.
    Hold {
        /// To.
        server: ServerId,
    },
    /// Tell a guarded step that the server can still be reached, and record this connection as its `started_on`.
    Confirm {
        /// To.
        server: ServerId,
        /// Which step.
        step: u32,
        /// Which attempt.
        attempt: u32,
    },
    /// Running steps of a server that will never report again become unknown.
    GiveUp {
        /// Which server.
        server: ServerId,
    },
    /// Pending steps become skipped.
    SkipPending,
    /// Enter a state: paused or one of the ends.
    Enter(RunState),
    /// Change the side note.
    Note(Option<RunNote>),
}

impl Action {
    /// Whether a server is told something, so that only the coordinator that holds its connection can do it.
    pub fn tells_a_server(&self) -> bool {
        match self {
            Self::OfferEnvelope { .. }
            | Self::Permit { .. }
            | Self::SendPermit { .. }
            | Self::Hold { .. }
            | Self::Confirm { .. } => true,
            Self::Proceed | Self::GiveUp { .. } | Self::SkipPending | Self::Enter(_) | Self::Note(_) => false,
        }
    }
}

/// Where the run is going.
enum Aim {
    Go,
    Pause,
    Stop,
    Fail(RunFailure),
}

/// The actions for this moment; none when there is nothing to do but wait.
pub fn decide(run: &Run, parts: &[RunPart], agents: &BTreeMap<ServerId, AgentView>) -> Vec<Action> {
    if run.state.is_over() {
        return Vec::new();
    }
    let view = |server: ServerId| agents.get(&server).copied().unwrap_or(AgentView::Offline);
    let mut actions: Vec<Action> = parts.iter().flat_map(|part| attend(part, view(part.server))).collect();
    match aim(run, parts, &view) {
        Aim::Go => go(run, parts, &view, &mut actions),
        Aim::Pause => settle(run, parts, &view, RunState::Paused, &mut actions),
        Aim::Stop => settle(run, parts, &view, RunState::Stopped, &mut actions),
        Aim::Fail(failure) => settle(run, parts, &view, RunState::Failed(failure), &mut actions),
    }
    let note = note(parts, &view);
    if note != run.note {
        actions.push(Action::Note(note));
    }
    actions
}

/// What is due whatever the aim.
fn attend(part: &RunPart, view: AgentView) -> Vec<Action> {
    match view {
        AgentView::Offline | AgentView::Elsewhere | AgentView::Online { caught_up: false, .. } => Vec::new(),
        AgentView::Revoked => {
            let left = !part.is_quiet() || part.steps.iter().any(|step| step.state == StepState::Running);
            left.then_some(Action::GiveUp { server: part.server }).into_iter().collect()
        }
        AgentView::Online { connection, offered, .. } => {
            // Also while a run waits: envelopes go in the order of their signatures, and holding one starts nothing.
            let offer = part.envelope == EnvelopeState::Signed && !offered;
            let offer = offer.then_some(Action::OfferEnvelope { server: part.server });
            offer.into_iter().chain(confirmations(part, connection)).collect()
        }
    }
}

/// Guarded steps that run since before this connection.
fn confirmations(part: &RunPart, connection: u64) -> impl Iterator<Item = Action> {
    let waiting = move |step: &RunStep| {
        step.rules.guarded
            && step.state == StepState::Running
            && step.started_on.is_some_and(|started| started < connection)
    };
    let steps = part.steps.iter().zip(0..).filter(move |(step, _)| waiting(step));
    steps.map(|(step, index)| Action::Confirm { server: part.server, step: index, attempt: step.attempt })
}

fn aim(run: &Run, parts: &[RunPart], view: &impl Fn(ServerId) -> AgentView) -> Aim {
    if let Some(failure) = parts.iter().find_map(|part| failure(part, view(part.server))) {
        return Aim::Fail(failure);
    }
    let unknown = parts.iter().flat_map(|part| &part.steps).any(|step| step.state == StepState::Unknown);
    match run.wish {
        Wish::Stop => Aim::Stop,
        Wish::Go if unknown => Aim::Pause,
        Wish::Pause => Aim::Pause,
        Wish::Go => Aim::Go,
    }
}

/// What a person can do about it.
const JOURNAL_LOST: &str = "the server cannot read its journal of this run any more and has set it aside: how a step that was \
    running has ended is not known; see what the server shows, then deploy again";

fn failure(part: &RunPart, view: AgentView) -> Option<RunFailure> {
    let at = |code: &str, message: String, step: Option<u32>| {
        Some(RunFailure { code: code.to_owned(), message, server: Some(part.server), step })
    };
    if let Some(index) = part.steps.iter().position(RunStep::has_failed) {
        return at("step_failed", format!("step {index} failed"), u32::try_from(index).ok());
    }
    if part.has_lost_its_journal() {
        return at("journal_lost", JOURNAL_LOST.to_owned(), None);
    }
    if let EnvelopeState::Refused(code) = &part.envelope {
        let why = RejectCode::from_code(code).map_or_else(|| code.clone(), |code| code.to_string());
        return at("agent_refused", format!("the server refused the plan ({code}): {why}"), None);
    }
    if view == AgentView::Revoked && (part.has_work() || !part.is_quiet()) {
        return at("server_revoked", "the server was removed while it had work to do".to_owned(), None);
    }
    None
}

fn go(run: &Run, parts: &[RunPart], view: &impl Fn(ServerId) -> AgentView, actions: &mut Vec<Action>) {
    if parts.iter().flat_map(|part| &part.steps).all(RunStep::is_done) {
        if parts.iter().all(RunPart::is_quiet) {
            actions.push(Action::Enter(RunState::Completed));
        }
        return;
    }
    if run.state != RunState::InProgress {
        actions.push(Action::Proceed);
    }
    actions.extend(parts.iter().filter_map(|part| advance(part, parts, view(part.server))));
}

/// The next message for one server of a run that goes on.
fn advance(part: &RunPart, parts: &[RunPart], view: AgentView) -> Option<Action> {
    let AgentView::Online { caught_up: true, permit_sent, .. } = view else { return None };
    let server = part.server;
    if part.envelope != EnvelopeState::Accepted {
        return None;
    }
    match part.permit {
        Some(permit) => (!permit.accepted && !permit_sent).then_some(Action::SendPermit { server }),
        None => next_range(part, parts).map(|range| Action::Permit { server, range }),
    }
}

/// The longest range that may start now: from the first step that is not done, up to the next barrier.
fn next_range(part: &RunPart, parts: &[RunPart]) -> Option<StepRange> {
    let first = part.steps.iter().position(|step| !step.is_done())?;
    let head = part.steps.get(first).filter(|step| step.state == StepState::Pending)?;
    let others_done = head.rules.after.iter().all(|needed| {
        let step =
            parts.iter().find(|p| p.server == needed.server).and_then(|p| p.steps.get(needed.step as usize));
        step.is_some_and(RunStep::is_done)
    });
    if !others_done {
        return None;
    }
    let more = part.steps.iter().skip(first + 1).take_while(|step| {
        !head.rules.guarded
            && !step.rules.begins_range()
            && step.state == StepState::Pending
            && step.attempt == 1
    });
    let last = first + more.count();
    Some(StepRange {
        first: u32::try_from(first).ok()?,
        last: u32::try_from(last).ok()?,
        attempt: head.attempt,
    })
}

/// Holds what is out; when every server is quiet, enters `state`.
fn settle(
    run: &Run,
    parts: &[RunPart],
    view: &impl Fn(ServerId) -> AgentView,
    state: RunState,
    actions: &mut Vec<Action>,
) {
    let loud = parts.iter().filter(|part| !part.is_quiet());
    let mut quiet = true;
    for part in loud {
        match view(part.server) {
            AgentView::Online { hold_sent: false, caught_up: true, .. } => {
                quiet = false;
                actions.push(Action::Hold { server: part.server });
            }
            AgentView::Online { .. } | AgentView::Offline | AgentView::Elsewhere => quiet = false,
            // `attend` gives this part up in the same breath.
            AgentView::Revoked => {}
        }
    }
    if !quiet || run.state == state {
        return;
    }
    if state.is_over() {
        actions.push(Action::SkipPending);
    }
    actions.push(Action::Enter(state));
}

fn note(parts: &[RunPart], view: &impl Fn(ServerId) -> AgentView) -> Option<RunNote> {
    let unknown = parts.iter().flat_map(|part| &part.steps).any(|step| step.state == StepState::Unknown);
    let offline = |part: &RunPart| part.has_work() && view(part.server) == AgentView::Offline;
    if unknown {
        Some(RunNote::NeedsDecision)
    } else if parts.iter().any(offline) {
        Some(RunNote::AgentOffline)
    } else {
        None
    }
}
