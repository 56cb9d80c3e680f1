//! What an executor does about the step host that it finds, or does not find.

use hydron_proto::envelope::PlanDigest;
use hydron_proto::wire::{RangeEnd, StepOutcome, from_step_host, journal_record, to_step_host};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use super::*;
use crate::attempts::Attempts;
use crate::local::Incoming;

const STARTING: event::Body = event::Body::StepStarting(wire::StepStarting { step: 1, attempt: 1 });

/// A permit for one step of the plan that [`Server::signed`] signs.
fn permit(directory: &RunDir, step: u32) -> wire::Permit {
    wire::Permit {
        run_id: directory.run.to_string(),
        envelope_digest: PlanDigest::of(&directory.plan_bytes().unwrap()).0.to_vec(),
        first_step: step,
        last_step: step,
        attempt: 1,
        epoch: 1,
        secrets: vec![],
    }
}

fn succeeded(step: u32) -> wire::StepExited {
    let outcome = StepOutcome::Succeeded.into();
    wire::StepExited { step, attempt: 1, outcome, ..wire::StepExited::default() }
}

/// A run whose first step a former executor walked; `then` stands in its journal behind that.
async fn walked(server: &Server, then: Vec<journal_record::Body>) -> RunDir {
    let directory = server.held().await;
    let (mut journal, mut records) = Journal::open(&directory.journal()).unwrap();
    let accepted = |step| wire::PermitAccepted { first_step: step, last_step: step, attempt: 1, epoch: 1 };
    let first = [
        journal_record::Body::Permit(permit(&directory, 0)),
        said(event::Body::PermitAccepted(accepted(0))),
        said(event::Body::StepStarting(wire::StepStarting { step: 0, attempt: 1 })),
        said(event::Body::StepExited(succeeded(0))),
        said(event::Body::RangeEnded(wire::RangeEnded::default())),
    ];
    for body in first.into_iter().chain(then) {
        records.push(wire::JournalRecord { body: Some(body) });
    }
    let mut seq = 0;
    for record in &mut records {
        if let Some(journal_record::Body::Event(event)) = &mut record.body {
            seq += 1;
            event.seq = seq;
        }
    }
    journal.append(&records[1..]).unwrap();
    directory
}

fn said(body: event::Body) -> journal_record::Body {
    journal_record::Body::Event(wire::Event { body: Some(body), ..wire::Event::default() })
}

/// The same, and its second step was about to start when the executor died.
async fn starting(server: &Server) -> RunDir {
    let accepted = wire::PermitAccepted { first_step: 1, last_step: 1, attempt: 1, epoch: 1 };
    let accepted = said(event::Body::PermitAccepted(accepted));
    let directory = RunDir::new(&server.root(), RunId::new(1, [3; 10]));
    let permit =
        wire::Permit { first_step: 1, last_step: 1, attempt: 1, epoch: 1, ..wire::Permit::default() };
    let then = vec![journal_record::Body::Permit(permit), accepted, said(STARTING)];
    assert_eq!(walked(server, then).await, directory);
    directory
}

/// A step host in the hands of a test.
struct Host {
    incoming: Incoming<OwnedReadHalf>,
    writer: OwnedWriteHalf,
}

impl Host {
    /// The host that an executor finds, and what it is doing.
    async fn found(listener: &UnixListener, status: wire::HostStatus) -> Self {
        let (read, writer) = listener.accept().await.unwrap().0.into_split();
        let mut host = Self { incoming: Incoming::new(read), writer };
        assert_eq!(host.heard().await, to_step_host::Body::Query(wire::QueryHost {}));
        host.says(from_step_host::Body::Status(status)).await;
        host
    }

    async fn heard(&mut self) -> to_step_host::Body {
        self.incoming.next::<wire::ToStepHost>().await.unwrap().unwrap().body.unwrap()
    }

    async fn says(&mut self, body: from_step_host::Body) {
        local::send(&mut self.writer, &wire::FromStepHost { body: Some(body) }).await.unwrap();
    }
}

/// The events of the run from `seq` on, when its range has ended.
async fn ended(executor: &Executor, run: RunId, seq: usize) -> Vec<event::Body> {
    let over = |view: &RunView| {
        let last = view.events.last().and_then(|event| event.body.as_ref());
        view.events.len() >= seq && matches!(last, Some(event::Body::RangeEnded(_)))
    };
    executor.until(run, over).await;
    executor.events(run).split_off(seq - 1)
}

fn range_ended(end: RangeEnd, next_step: u32) -> event::Body {
    event::Body::RangeEnded(wire::RangeEnded { next_step, end: end.into() })
}

#[tokio::test]
async fn a_step_whose_host_cannot_be_started_fails_and_says_why() {
    let server = Server::new();
    let directory = walked(&server, vec![]).await;
    let executor = server.executor();
    executor.runs.recover().await.unwrap();
    executor.runs.command(directory.run, RunCommand::Permit(permit(&directory, 1))).unwrap();
    let events = ended(&executor, directory.run, 7).await;
    let event::Body::StepExited(exited) = &events[1] else { panic!("{events:?}") };
    assert_eq!((exited.step, exited.attempt, exited.outcome()), (1, 1, StepOutcome::Failed));
    assert_eq!(exited.error_code, "HOST_START");
    assert!(exited.error_message.contains("no more processes"), "{}", exited.error_message);
    assert_eq!((&events[0], &events[2]), (&STARTING, &range_ended(RangeEnd::StepFailed, 1)));
}

#[tokio::test]
async fn a_host_that_runs_the_step_is_attached_to_and_not_told_again() {
    let server = Server::new();
    let directory = starting(&server).await;
    let listener = local::listen(&directory.host_socket(), 0o600).unwrap();
    let executor = server.executor();
    executor.runs.recover().await.unwrap();
    let mut host = Host::found(&listener, wire::HostStatus { step: Some(1), attempt: 1 }).await;
    host.says(from_step_host::Body::Exited(succeeded(1))).await;
    let events = ended(&executor, directory.run, 8).await;
    assert_eq!(events, [event::Body::StepExited(succeeded(1)), range_ended(RangeEnd::Completed, 2)]);
    assert_eq!(host.heard().await, to_step_host::Body::Finish(wire::FinishHost {}));
}

/// The executor died after the intent was durable and before it told anybody.
#[tokio::test]
async fn a_host_that_never_heard_of_the_step_is_told() {
    let server = Server::new();
    let directory = starting(&server).await;
    let listener = local::listen(&directory.host_socket(), 0o600).unwrap();
    server.executor().runs.recover().await.unwrap();
    let mut host = Host::found(&listener, wire::HostStatus::default()).await;
    let to_step_host::Body::Start(start) = host.heard().await else { panic!("not told to start") };
    assert_eq!((start.step, start.attempt), (1, 1));
}

#[tokio::test]
async fn a_step_that_began_and_that_its_living_host_does_not_run_is_unknown() {
    let server = Server::new();
    let directory = starting(&server).await;
    assert!(Attempts::open(&directory.attempts_log()).unwrap().begin(1, 1).unwrap());
    let listener = local::listen(&directory.host_socket(), 0o600).unwrap();
    let executor = server.executor();
    executor.runs.recover().await.unwrap();
    let _host = Host::found(&listener, wire::HostStatus::default()).await;
    let events = ended(&executor, directory.run, 8).await;
    let event::Body::StepInterrupted(interrupted) = &events[0] else { panic!("{events:?}") };
    assert_eq!((interrupted.step, interrupted.attempt), (1, 1));
    assert_eq!(events[1], range_ended(RangeEnd::Interrupted, 1));
}
