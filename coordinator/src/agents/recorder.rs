//! The one writer of what agents report: batches from all connections, one transaction a team.
//!
//! Rule: acknowledged after commit, never before. A report that is stored already is acknowledged again and changes
//! nothing; a gap ends the connection, and the agent goes on from what is stored.

mod apply;
mod pending;
pub(crate) mod verify;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use hydron_domain::identity::Actor;
use hydron_domain::run::Report;
use hydron_domain::server::AgentFacts;
use hydron_proto::ids::{RunId, ServerId, TeamId};
use hydron_proto::wire::{self, frame::Body};
use hydron_store::logs::LogKey;
use hydron_store::{StoreError, Topic, Wake};
use tokio::sync::mpsc;

use self::apply::{Applied, RunChange};
use self::pending::Pending;
use super::registry::{AgentHandle, ToAgent};
use super::report::Entry;
use crate::app::AppState;

/// Records waiting for the writer; a session whose record does not fit stops reading.
const QUEUE: usize = 1024;
/// Most records of one batch.
const BATCH: usize = 512;
/// Most bytes of output of one batch.
const BATCH_BYTES: usize = 2 * 1024 * 1024;

/// One thing an agent reported.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) handle: Arc<AgentHandle>,
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    /// A journal entry.
    Event(Box<Entry>),
    /// Bytes of output.
    Log { key: LogKey, offset: u64, bytes: Bytes },
    /// An answer that is not in the journal.
    Decision(Box<wire::Decision>),
    /// What it says of its machine.
    Facts(Box<AgentFacts>),
}

/// Where sessions put their records.
#[derive(Debug, Clone)]
pub(super) struct Recorder {
    sender: mpsc::Sender<Record>,
}

/// The writer.
#[derive(Debug)]
pub struct RecorderTask {
    app: AppState,
    receiver: mpsc::Receiver<Record>,
}

impl Recorder {
    /// Hands a record over; gives it back when there is no room, or nothing when the writer is gone.
    pub(super) fn try_record(&self, record: Record) -> Result<(), Option<Record>> {
        self.sender.try_send(record).map_err(|error| match error {
            mpsc::error::TrySendError::Full(record) => Some(record),
            mpsc::error::TrySendError::Closed(_) => None,
        })
    }

    /// Waits for room; none when the writer is gone.
    pub(super) async fn room(&self) -> Option<mpsc::Permit<'_, Record>> {
        self.sender.reserve().await.ok()
    }
}

impl RecorderTask {
    pub(super) fn new(app: AppState) -> (Recorder, Self) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        (Recorder { sender }, Self { app, receiver })
    }

    /// Writes until every session is gone.
    pub(super) async fn run(mut self) {
        while let Some(first) = self.receiver.recv().await {
            let mut bytes = first.size();
            let mut batch = vec![first];
            while batch.len() < BATCH && bytes < BATCH_BYTES {
                let Ok(record) = self.receiver.try_recv() else { break };
                bytes += record.size();
                batch.push(record);
            }
            self.write(batch).await;
        }
    }

    async fn write(&self, batch: Vec<Record>) {
        let mut teams: BTreeMap<TeamId, Vec<Record>> = BTreeMap::new();
        for record in batch {
            teams.entry(record.handle.team).or_default().push(record);
        }
        for (team, records) in teams {
            if self.store(team, &records).await.is_err() {
                // One bad record must not keep the others out: each run by itself, and the culprit's connection ends.
                for (_, records) in by_run(&records) {
                    if let Err(error) = self.store_some(team, &records).await {
                        let handle = &records.first().map(|record| record.handle.clone());
                        tracing::error!(%error, server = ?handle.as_ref().map(|h| h.server), "a report was not stored");
                        for record in &records {
                            record.handle.tell(ToAgent::Close(1002, "not stored"));
                        }
                    }
                }
            }
        }
    }

    async fn store(&self, team: TeamId, records: &[Record]) -> Result<(), StoreError> {
        let all: Vec<&Record> = records.iter().collect();
        self.store_some(team, &all).await
    }

    async fn store_some(&self, team: TeamId, records: &[&Record]) -> Result<(), StoreError> {
        let actor = Actor::System { name: "agents" };
        let mut tx = self.app.store.team(team).begin(&actor, self.app.now()).await?;
        let mut after = AfterCommit::default();
        let mut runs: BTreeMap<RunId, Option<RunChange>> = BTreeMap::new();
        let mut pending = Pending::default();
        for record in records {
            match &record.what {
                What::Event(entry) => {
                    let change = RunChange::of(&mut runs, &mut tx, entry.run).await?;
                    let applied = match change {
                        Some(change) => change.event((&mut tx, &mut pending), &record.handle, entry).await?,
                        None => Applied::Stranger,
                    };
                    if let Applied::Stored(_) = applied {
                        tx.wake(Wake::new(Topic::Work, entry.run));
                    }
                    after.event(record, entry, applied);
                }
                What::Decision(decision) => {
                    let Ok(run) = decision.run_id.parse() else { continue };
                    if let Some(change) = RunChange::of(&mut runs, &mut tx, run).await? {
                        change.decision(&mut tx, &record.handle, decision).await?;
                        tx.wake(Wake::new(Topic::Work, run));
                    }
                }
                What::Log { key, offset, bytes } => {
                    pending.write(&mut tx).await?;
                    let stored = if tx.has_step(*key).await? {
                        tx.append_log(*key, *offset, bytes).await?
                    } else {
                        // Output of nothing we know is let go: acknowledged, so that the agent does not keep it.
                        offset + bytes.len() as u64
                    };
                    after.log(record, *key, stored, bytes.len());
                }
                What::Facts(facts) => tx.set_facts(record.handle.server, facts).await?,
            }
        }
        pending.write(&mut tx).await?;
        for change in runs.into_values().flatten() {
            change.save(&mut tx).await?;
        }
        tx.commit().await?;
        after.carry_out(self).await;
        Ok(())
    }
}

impl Record {
    fn size(&self) -> usize {
        match &self.what {
            What::Log { bytes, .. } => bytes.len(),
            What::Event(_) | What::Decision(_) | What::Facts(_) => 0,
        }
    }

    fn run(&self) -> Option<RunId> {
        match &self.what {
            What::Event(entry) => Some(entry.run),
            What::Log { key, .. } => Some(key.run),
            What::Decision(decision) => decision.run_id.parse().ok(),
            What::Facts(_) => None,
        }
    }
}

fn by_run(records: &[Record]) -> BTreeMap<Option<RunId>, Vec<&Record>> {
    let mut runs: BTreeMap<Option<RunId>, Vec<&Record>> = BTreeMap::new();
    for record in records {
        runs.entry(record.run()).or_default().push(record);
    }
    runs
}

/// What is done once a batch is durable.
#[derive(Default)]
struct AfterCommit {
    /// The highest sequence by server and run.
    events: BTreeMap<(ServerId, RunId), (Arc<AgentHandle>, u64)>,
    /// Contiguous bytes stored, and bytes that came in.
    logs: BTreeMap<LogKey, (Arc<AgentHandle>, u64, usize)>,
    /// Attempts that ended, and whether there is output of theirs to be compared.
    ended: Vec<(TeamId, LogKey, bool)>,
    gaps: Vec<Arc<AgentHandle>>,
}

impl AfterCommit {
    fn event(&mut self, record: &Record, entry: &Entry, applied: Applied) {
        let (run, server) = (entry.run, record.handle.server);
        match applied {
            Applied::Stored(seq) => {
                self.events.insert((server, run), (record.handle.clone(), seq));
                if let Report::StepExited { step, attempt, .. } = entry.report {
                    let is_silent = entry.exit.as_ref().is_some_and(|exit| exit.log.is_of_nothing());
                    self.ended.push((record.handle.team, LogKey { run, server, step, attempt }, !is_silent));
                }
            }
            Applied::Gap => self.gaps.push(record.handle.clone()),
            Applied::Stranger => {}
        }
    }

    fn log(&mut self, record: &Record, key: LogKey, stored: u64, used: usize) {
        let before = self.logs.get(&key).map_or(0, |(_, _, used)| *used);
        self.logs.insert(key, (record.handle.clone(), stored, before + used));
    }

    async fn carry_out(self, task: &RecorderTask) {
        for ((_, run), (handle, seq)) in self.events {
            let ack = wire::EventAck { run_id: run.to_string(), seq };
            handle.send(Body::EventAck(ack));
        }
        let mut looked: Vec<RunId> = Vec::new();
        let mut to_compare: Vec<(TeamId, LogKey)> = Vec::new();
        for (key, (handle, stored, used)) in self.logs {
            handle.tell(ToAgent::LogStored { key, stored, used });
            to_compare.push((handle.team, key));
            if !looked.contains(&key.run) {
                looked.push(key.run);
                task.app.store.wake(Wake::new(Topic::Log, key.run)).await;
            }
        }
        for (team, key, has_output) in self.ended {
            task.app.agents.set_doing(key.run, key.server, None);
            if has_output {
                to_compare.push((team, key));
            }
        }
        verify::those_complete(&task.app, to_compare).await;
        for handle in self.gaps {
            tracing::warn!(server = %handle.server, "agent {} left a gap in its journal", handle.server);
            handle.tell(ToAgent::Close(1002, "a gap in the journal"));
        }
    }
}
