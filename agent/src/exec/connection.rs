//! One attached link (or `status`): commands in, answers, events and log bytes out.
//!
//! Rule: the reader never waits for the writer, so neither side can block the other; events are pulled from the
//! outbox by sequence, log bytes only when asked for. Neighbours: `runs` (commands), `outbox` (what is new).

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Mutex, PoisonError};

use hydron_proto::frame::MAX_DATA;
use hydron_proto::ids::RunId;
use hydron_proto::reject::RejectCode;
use hydron_proto::wire::{self, FromExecutor, ToExecutor, from_executor, to_executor};
use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Notify, broadcast, oneshot};

use super::facts::FactsTask;
use super::outbox::{SpoolKey, SpoolView, command};
use super::run_task::RunCommand;
use super::runs::Runs;
use super::shared::{ExecError, Shared};
use crate::local::{self, Incoming};
use crate::run_dir::RunDir;

/// Answers that wait for the peer; more means that it does not read.
const MAX_QUEUED: usize = 4096;
/// Log bytes that wait for the peer; a link asks for a few reads of 32 KiB at a time.
const MAX_LOG_BYTES: usize = 4 * 1024 * 1024;
/// Messages are put together up to so many bytes: each write wakes the peer.
const BATCH: usize = 64 * 1024;

/// What the two halves of a connection share.
#[derive(Debug)]
struct Conversation {
    shared: Arc<Shared>,
    runs: Arc<Runs>,
    facts: FactsTask,
    state: Mutex<State>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<from_executor::Body>,
    /// Of the log data in it.
    log_bytes: usize,
    followed: BTreeMap<RunId, Followed>,
}

#[derive(Debug, Default)]
struct Followed {
    seq: u64,
    logs: BTreeMap<SpoolKey, SpoolView>,
    doing: u64,
    /// All of this version was said.
    version: Option<u64>,
}

/// Serves one connection until the peer goes. An error is the executor's, not the peer's.
pub(super) async fn serve(
    stream: UnixStream,
    shared: Arc<Shared>,
    runs: Arc<Runs>,
    facts: FactsTask,
) -> Result<(), ExecError> {
    let (read, write) = stream.into_split();
    let answers = shared.outbox.answers();
    let conversation = Conversation { shared, runs, facts, state: Mutex::default(), wake: Notify::new() };
    tokio::select! {
        result = conversation.read(Incoming::new(read)) => result,
        _closed = conversation.write(write, answers) => Ok(()),
    }
}

impl Conversation {
    async fn read(&self, mut incoming: Incoming<OwnedReadHalf>) -> Result<(), ExecError> {
        while let Ok(Some(ToExecutor { body: Some(body) })) = incoming.next().await {
            self.hear(body).await?;
            if self.state().is_full() {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn hear(&self, body: to_executor::Body) -> Result<(), ExecError> {
        match body {
            to_executor::Body::Attach(_) => self.attach().await,
            to_executor::Body::SignedEnvelope(bytes) => self.envelope(&bytes)?,
            to_executor::Body::Permit(permit) => {
                let (run, epoch) = (permit.run_id.clone(), permit.epoch);
                self.pass(&run, epoch, wire::DecisionSubject::Permit, RunCommand::Permit(permit));
            }
            to_executor::Body::Hold(hold) => {
                let (run, epoch) = (hold.run_id.clone(), hold.epoch);
                self.pass(&run, epoch, wire::DecisionSubject::Control, RunCommand::Hold(hold));
            }
            to_executor::Body::Cancel(cancel) => {
                let (run, epoch) = (run_of(cancel.command.as_ref()), cancel.epoch);
                self.pass(&run, epoch, wire::DecisionSubject::Control, RunCommand::Cancel(cancel));
            }
            to_executor::Body::Confirm(confirm) => {
                let (run, epoch) = (run_of(confirm.command.as_ref()), confirm.epoch);
                self.pass(&run, epoch, wire::DecisionSubject::Control, RunCommand::Confirm(confirm));
            }
            // What the coordinator has is its own record; it says so again in every Welcome.
            to_executor::Body::EventAck(_) | to_executor::Body::LogAck(_) => {}
            to_executor::Body::ReadLog(read) => self.read_log(&read)?,
            to_executor::Body::Forget(forget) => self.forget(&forget.run_id).await,
            to_executor::Body::FollowFrom(from) => {
                if let Ok(run) = from.run_id.parse() {
                    self.follow(run, from.seq);
                }
            }
        }
        Ok(())
    }

    async fn attach(&self) {
        let facts = self.facts.first().await;
        let status = wire::ExecutorStatus { runs: self.shared.outbox.reports(), facts: Some(facts) };
        self.say(from_executor::Body::Status(status));
        for run in self.runs.lost() {
            self.refuse(&run.to_string(), 0, wire::DecisionSubject::Control, RejectCode::JournalLost);
        }
    }

    fn envelope(&self, bytes: &[u8]) -> Result<(), ExecError> {
        let admitted = self.runs.admit(bytes)?;
        self.say(from_executor::Body::Decision(wire::Decision {
            run_id: admitted.run,
            subject: wire::DecisionSubject::Envelope.into(),
            code: admitted.outcome.as_ref().err().map_or("", |code| code.code()).to_owned(),
            envelope_digest: admitted.digest,
            epoch: 0,
        }));
        if let Ok(run) = admitted.outcome
            && !self.state().followed.contains_key(&run)
        {
            self.follow(run, 0);
        }
        Ok(())
    }

    fn pass(&self, run: &str, epoch: u64, subject: wire::DecisionSubject, command: RunCommand) {
        let passed =
            run.parse().map_err(|_| RejectCode::UnknownRun).and_then(|run| self.runs.command(run, command));
        if let Err(code) = passed {
            self.refuse(run, epoch, subject, code);
        }
    }

    fn refuse(&self, run: &str, epoch: u64, subject: wire::DecisionSubject, code: RejectCode) {
        self.say(from_executor::Body::Decision(wire::Decision {
            run_id: run.to_owned(),
            subject: subject.into(),
            code: code.code().to_owned(),
            envelope_digest: Vec::new(),
            epoch,
        }));
    }

    async fn forget(&self, run: &str) {
        let Ok(run) = run.parse() else { return };
        if self.runs.forget_lost(run) {
            return;
        }
        let (reply, answer) = oneshot::channel();
        if self.runs.command(run, RunCommand::Forget(reply)).is_ok() && answer.await == Ok(true) {
            self.runs.forgotten(run);
            self.state().followed.remove(&run);
        }
    }

    fn follow(&self, run: RunId, seq: u64) {
        self.state().followed.insert(run, Followed { seq, ..Followed::default() });
        self.wake.notify_one();
    }

    fn read_log(&self, read: &wire::ReadLog) -> Result<(), ExecError> {
        let Some(id) = &read.command else { return Ok(()) };
        let Ok(run) = id.run_id.parse() else { return Ok(()) };
        let key = (id.step, id.attempt);
        let view = self.shared.outbox.with(|runs| runs.get(&run)?.logs.get(&key).copied());
        let Some(view) = view else { return Ok(()) };
        let wanted = usize::try_from(read.max_bytes).unwrap_or(MAX_DATA).min(MAX_DATA);
        let path = RunDir::new(&self.shared.root, run).spool(id.step, id.attempt);
        let data = if read.offset < view.length { read_at(&path, read.offset, wanted)? } else { Vec::new() };
        let end = view.finished && read.offset + data.len() as u64 >= view.length;
        let command = Some(command(run, id.step, id.attempt));
        self.say(from_executor::Body::LogData(wire::LogData {
            command,
            offset: read.offset,
            data: data.into(),
            end,
        }));
        Ok(())
    }

    async fn write(
        &self,
        mut writer: OwnedWriteHalf,
        mut answers: broadcast::Receiver<from_executor::Body>,
    ) -> io::Result<()> {
        let mut changes = self.shared.outbox.changes();
        loop {
            loop {
                let batch = self.next_batch()?;
                if batch.is_empty() {
                    break;
                }
                writer.write_all(&batch).await?;
            }
            tokio::select! {
                _changed = changes.changed() => {}
                () = self.wake.notified() => {}
                answer = answers.recv() => match answer {
                    Ok(body) => self.state().push(body),
                    // The peer does not read: it attaches again and asks anew.
                    Err(_) => return Ok(()),
                },
            }
        }
    }

    /// What is to be said now, as far as it fits one write.
    fn next_batch(&self) -> io::Result<Vec<u8>> {
        let mut batch = Vec::new();
        while batch.len() < BATCH
            && let Some(body) = self.next_out()
        {
            batch.extend(local::frame(&FromExecutor { body: Some(body) })?);
        }
        Ok(batch)
    }

    /// Answers first, then events in order, then what is being done, then news of spools.
    fn next_out(&self) -> Option<from_executor::Body> {
        let mut state = self.state();
        if let Some(body) = state.pop() {
            return Some(body);
        }
        self.shared.outbox.with(|runs| {
            for (run, followed) in &mut state.followed {
                let Some(view) = runs.get(run).filter(|view| followed.version != Some(view.version)) else {
                    continue;
                };
                // Sequences start at 1 and have no gaps, so the next event's index is the last sequence sent.
                let at = usize::try_from(followed.seq).unwrap_or(usize::MAX);
                if let Some(event) = view.events.get(at) {
                    followed.seq = event.seq;
                    return Some(from_executor::Body::Event(event.clone()));
                }
                if let (count, Some(doing)) = &view.doing
                    && followed.doing != *count
                {
                    followed.doing = *count;
                    return Some(from_executor::Body::Event(doing.clone()));
                }
                for (key, spool) in &view.logs {
                    if followed.logs.get(key) != Some(spool) {
                        followed.logs.insert(*key, *spool);
                        return Some(from_executor::Body::LogGrew(wire::LogGrew {
                            command: Some(command(*run, key.0, key.1)),
                            length: spool.length,
                            finished: spool.finished,
                        }));
                    }
                }
                followed.version = Some(view.version);
            }
            None
        })
    }

    fn say(&self, body: from_executor::Body) {
        self.state().push(body);
        self.wake.notify_one();
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn push(&mut self, body: from_executor::Body) {
        self.log_bytes += log_bytes(&body);
        self.queue.push_back(body);
    }

    fn pop(&mut self) -> Option<from_executor::Body> {
        let body = self.queue.pop_front()?;
        self.log_bytes -= log_bytes(&body);
        Some(body)
    }

    /// The peer asks and does not read.
    fn is_full(&self) -> bool {
        self.queue.len() > MAX_QUEUED || self.log_bytes > MAX_LOG_BYTES
    }
}

fn log_bytes(body: &from_executor::Body) -> usize {
    if let from_executor::Body::LogData(data) = body { data.data.len() } else { 0 }
}

fn run_of(command: Option<&wire::CommandId>) -> String {
    command.map(|command| command.run_id.clone()).unwrap_or_default()
}

fn read_at(path: &std::path::Path, offset: u64, wanted: usize) -> io::Result<Vec<u8>> {
    let file = match std::fs::File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        file => file?,
    };
    let mut data = vec![0; wanted];
    let mut filled = 0;
    while let Some(rest) = data.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset + filled as u64)? {
            0 => break,
            read => filled += read,
        }
    }
    data.truncate(filled);
    Ok(data)
}

#[cfg(test)]
mod tests;
