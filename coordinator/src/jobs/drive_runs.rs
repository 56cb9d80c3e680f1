//! Drives runs: load, decide, record, tell; again until nothing is left to do now.
//!
//! Rule: what is decided is durable before an agent hears of it, under the lock of the run's row and an epoch that fences
//! whoever drove before. Of several coordinators, the one that holds a server's connection tells it what is due.
//! Start-up is recovery: the first round looks at every run that is not over. Woken by reports, requests and connections;
//! a timer looks anyway.

mod permit;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use hydron_domain::identity::Actor;
use hydron_domain::run::{Action, AgentView, Permitted, RunFailure, RunKind, RunState, StepState, decide};
use hydron_domain::server::ServerChange;
use hydron_proto::ids::{RunId, ServerId};
use hydron_proto::wire::{self, frame::Body};
use hydron_store::events::EventDraft;
use hydron_store::runs::{Driven, LoadedRun};
use hydron_store::{StoreError, TeamTx, Topic, Wake};
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep_until};

use self::permit::PermitError;
use crate::agents::registry::AgentHandle;
use crate::app::AppState;

/// A wakeup may be lost; everything is looked at this often anyway.
const LOOK_ANYWAY: Duration = Duration::from_secs(10);
/// While a refusal is waited out, and while envelopes wait for their turn.
const LOOK_SOON: Duration = Duration::from_millis(500);
/// A run that still has actions after so many rounds is looked at again later: others want their turn.
const MOST_ROUNDS: u32 = 20;

/// Runs until the process stops.
pub async fn run(app: AppState) {
    let mut driver = Driver { app, due: BTreeMap::new() };
    driver.run().await;
}

struct Driver {
    app: AppState,
    /// Runs to look at, and when.
    due: BTreeMap<Driven, Instant>,
}

/// A message that goes out once its reason is durable; that it went out is noted only then.
enum Tell {
    Offer(Arc<AgentHandle>, i64),
    Permit(Arc<AgentHandle>, Box<wire::Permit>),
    Hold(Arc<AgentHandle>, wire::Hold),
    Confirm(Arc<AgentHandle>, wire::Confirm),
}

/// What a look at a run came to.
enum Looked {
    /// Something was done; look again at once.
    Again,
    /// Nothing to do now; look again when something happens, or soon.
    Rest { soon: bool },
    /// There is nothing to drive any more.
    Over,
}

impl Driver {
    async fn run(&mut self) {
        let mut wakeups = self.app.store.wakeups();
        let stopping = self.app.stopping.clone();
        let mut everything_at = Instant::now();
        while !stopping.is_cancelled() {
            if Instant::now() >= everything_at {
                self.look_at_everything().await;
                everything_at = Instant::now() + LOOK_ANYWAY;
            }
            self.drive_due().await;
            let next = self.due.values().min().copied().unwrap_or(everything_at).min(everything_at);
            tokio::select! {
                () = stopping.cancelled() => return,
                () = sleep_until(next) => {}
                wake = wakeups.recv() => match wake {
                    Ok(wake) => self.woken(&wake).await,
                    Err(RecvError::Lagged(_)) => everything_at = Instant::now(),
                    Err(RecvError::Closed) => return,
                },
            }
        }
    }

    async fn look_at_everything(&mut self) {
        match self.app.store.system().runs_to_drive().await {
            Ok(runs) => self.due.extend(runs.into_iter().map(|run| (run, Instant::now()))),
            Err(error) => tracing::warn!(%error, "the runs to drive could not be read; trying again later"),
        }
    }

    /// A wakeup names a run or a server.
    async fn woken(&mut self, wake: &Wake) {
        if wake.topic != Topic::Work {
            return;
        }
        let system = self.app.store.system();
        let found = if let Ok(run) = wake.key.parse::<RunId>() {
            system.run_to_drive(run).await.map(|run| run.into_iter().collect())
        } else if let Ok(server) = wake.key.parse::<ServerId>() {
            system.runs_on_server(server).await
        } else {
            return;
        };
        match found {
            Ok(runs) => self.due.extend(runs.into_iter().map(|run: Driven| (run, Instant::now()))),
            Err(error) => tracing::warn!(%error, "a wakeup could not be followed; the timer will"),
        }
    }

    async fn drive_due(&mut self) {
        let now = Instant::now();
        let due: Vec<Driven> = self.due.iter().filter(|(_, at)| **at <= now).map(|(run, _)| *run).collect();
        for run in due {
            self.due.remove(&run);
            match self.drive(run).await {
                Ok(Looked::Again | Looked::Rest { soon: true }) => {
                    self.due.insert(run, Instant::now() + LOOK_SOON);
                }
                Ok(Looked::Rest { soon: false } | Looked::Over) => {}
                Err(error) => {
                    tracing::warn!(run = %run.run, %error, "run {} could not be driven; trying again", run.run);
                    self.due.insert(run, Instant::now() + LOOK_SOON * 4);
                }
            }
        }
    }

    async fn drive(&self, run: Driven) -> Result<Looked, StoreError> {
        for _ in 0..MOST_ROUNDS {
            let looked = self.look(run).await?;
            if !matches!(looked, Looked::Again) {
                return Ok(looked);
            }
        }
        Ok(Looked::Again)
    }

    /// One round: everything that is due now.
    async fn look(&self, Driven { team, run }: Driven) -> Result<Looked, StoreError> {
        let now = self.app.now();
        let actor = Actor::System { name: "runs" };
        let mut tx = self.app.store.team(team).begin(&actor, now).await?;
        let Some(before) = tx.run_for_update(run).await? else { return Ok(Looked::Over) };
        if before.run.head.state.is_over() {
            return Ok(Looked::Over);
        }
        let views = self.views(&mut tx, &before).await?;
        let actions = decide(&before.run.head, &before.pure_parts(), &views);
        let epoch = if actions.iter().any(Action::tells_a_server) {
            tx.lease_run(run, &self.app.replica).await?
        } else {
            0
        };
        let mut round = Round {
            app: &self.app,
            epoch,
            after: before.clone(),
            tell: Vec::new(),
            soon: waits(&before, &views),
        };
        let changed = !actions.is_empty();
        for action in actions {
            round.act(&mut tx, action).await?;
        }
        let Round { after, tell, soon, .. } = round;
        tx.save_run(&before, &after).await?;
        if before.run != after.run {
            let data = json!({ "state": after.run.head.state.word(), "note": after.run.head.note });
            tx.event(EventDraft::new("run.changed", run, data).in_project(after.run.project));
        }
        tx.commit().await?;
        let told = !tell.is_empty();
        for message in tell {
            self.tell(run, message).await?;
        }
        let progressed = changed && (told || before != after);
        Ok(if progressed { Looked::Again } else { Looked::Rest { soon } })
    }

    async fn views(
        &self,
        tx: &mut TeamTx,
        run: &LoadedRun,
    ) -> Result<BTreeMap<ServerId, AgentView>, StoreError> {
        let mut views = BTreeMap::new();
        for loaded in &run.parts {
            let server = loaded.part.server;
            let here = self.app.agents.view(server, run.run.id, loaded.event_seq);
            let view = match (tx.newest_connection(server).await?, here) {
                (None, _) => AgentView::Revoked,
                (Some(_), AgentView::Offline) => self.elsewhere(tx, server).await?,
                // This coordinator slept while the agent went to another one. What is told here would reach nobody, and
                // be taken for told.
                (Some(newest), AgentView::Online { connection, .. }) if connection < newest => {
                    self.app.agents.close(server, 4001, "superseded by a newer connection");
                    self.elsewhere(tx, server).await?
                }
                (Some(_), here) => here,
            };
            views.insert(server, view);
        }
        Ok(views)
    }

    /// What is seen of an agent that is not connected here.
    async fn elsewhere(&self, tx: &mut TeamTx, server: ServerId) -> Result<AgentView, StoreError> {
        let now = tx.now();
        let held = tx.connection(server).await?.filter(|held| *held.replica != *self.app.replica);
        let held = held.is_some_and(|held| held.is_held(now));
        Ok(if held { AgentView::Elsewhere } else { AgentView::Offline })
    }

    async fn tell(&self, run: RunId, message: Tell) -> Result<(), StoreError> {
        match message {
            Tell::Offer(handle, sequence) => {
                let team = self.app.store.team(handle.team);
                if let Some(bytes) = team.run_envelope(run, handle.server).await? {
                    handle.note(run, |sent| sent.offered = true);
                    handle.offer(run, sequence, bytes);
                }
            }
            Tell::Permit(handle, permit) => {
                handle.note(run, |sent| (sent.permit, sent.hold) = (Some(permit.epoch), None));
                handle.send(Body::Permit(*permit));
            }
            Tell::Hold(handle, hold) => {
                handle.note(run, |sent| sent.hold = Some(hold.epoch));
                handle.send(Body::Hold(hold));
            }
            Tell::Confirm(handle, confirm) => {
                handle.note(run, |sent| sent.confirm = Some(confirm.epoch));
                handle.send(Body::Confirm(confirm));
            }
        }
        Ok(())
    }
}

/// Whether time alone may change something: a refusal is waited out.
fn waits(run: &LoadedRun, views: &BTreeMap<ServerId, AgentView>) -> bool {
    let behind = |view: &AgentView| matches!(view, AgentView::Online { caught_up: false, .. });
    run.parts.iter().any(|loaded| views.get(&loaded.part.server).is_some_and(behind))
}

/// One round's changes and messages.
struct Round<'a> {
    app: &'a AppState,
    epoch: u64,
    after: LoadedRun,
    tell: Vec<Tell>,
    soon: bool,
}

impl Round<'_> {
    async fn act(&mut self, tx: &mut TeamTx, action: Action) -> Result<(), StoreError> {
        let now = tx.now();
        match action {
            Action::Proceed => {
                let first = self.after.run.head.state == RunState::Started;
                self.after.run.head.move_to(RunState::InProgress, now);
                if first { self.servers(tx, ServerChange::DeployBegan).await } else { Ok(()) }
            }
            Action::OfferEnvelope { server } => self.offer(tx, server).await,
            Action::Permit { server, range } => {
                if let Some(loaded) = self.after.part_mut(server) {
                    loaded.part.permit = Some(Permitted { range, accepted: false });
                }
                self.permit(tx, server).await
            }
            Action::SendPermit { server } => self.permit(tx, server).await,
            Action::Hold { server } => {
                let run = self.after.run.id;
                if let Some(handle) = self.app.agents.get(server) {
                    let hold = wire::Hold { run_id: run.to_string(), epoch: self.epoch };
                    self.tell.push(Tell::Hold(handle, hold));
                }
                Ok(())
            }
            Action::Confirm { server, step, attempt } => {
                self.confirm(server, step, attempt);
                Ok(())
            }
            Action::GiveUp { server } => {
                if let Some(loaded) = self.after.part_mut(server) {
                    loaded.part.give_up();
                }
                Ok(())
            }
            Action::SkipPending => {
                let steps = self.after.parts.iter_mut().flat_map(|loaded| &mut loaded.part.steps);
                steps.filter(|s| s.state == StepState::Pending).for_each(|s| s.state = StepState::Skipped);
                Ok(())
            }
            Action::Enter(state) => self.enter(tx, state).await,
            Action::Note(note) => {
                self.after.run.head.note = note;
                Ok(())
            }
        }
    }

    /// Envelopes go in the order of their sequence: an executor refuses a lower number than it has seen.
    async fn offer(&mut self, tx: &mut TeamTx, server: ServerId) -> Result<(), StoreError> {
        let Some(sequence) = self.after.part_mut(server).map(|loaded| loaded.sequence) else { return Ok(()) };
        if tx.has_earlier_offer(server, sequence).await? {
            self.soon = true;
            return Ok(());
        }
        if let Some(handle) = self.app.agents.get(server) {
            self.tell.push(Tell::Offer(handle, sequence));
        }
        Ok(())
    }

    async fn permit(&mut self, tx: &mut TeamTx, server: ServerId) -> Result<(), StoreError> {
        let run = self.after.run.id;
        let Some(handle) = self.app.agents.get(server) else { return Ok(()) };
        match permit::build(self.app, tx, &self.after, server, self.epoch).await {
            Ok(permit) => {
                self.tell.push(Tell::Permit(handle, Box::new(permit)));
                Ok(())
            }
            Err(PermitError::Store(error)) => Err(error),
            Err(error) => {
                tracing::error!(%run, %server, %error, "no permit can be made for run {run}");
                if let Some(loaded) = self.after.part_mut(server) {
                    loaded.part.permit = None;
                }
                let failure = RunFailure {
                    code: error.code().to_owned(),
                    message: error.to_string(),
                    server: Some(server),
                    step: None,
                };
                self.enter(tx, RunState::Failed(failure)).await
            }
        }
    }

    fn confirm(&mut self, server: ServerId, step: u32, attempt: u32) {
        let run_id = self.after.run.id.to_string();
        let Some(handle) = self.app.agents.get(server) else { return };
        if let Some(record) =
            self.after.part_mut(server).and_then(|loaded| loaded.part.steps.get_mut(step as usize))
        {
            record.started_on = Some(handle.epoch);
        }
        let command = Some(wire::CommandId { run_id, step, attempt });
        self.tell.push(Tell::Confirm(handle, wire::Confirm { command, epoch: self.epoch }));
    }

    async fn enter(&mut self, tx: &mut TeamTx, state: RunState) -> Result<(), StoreError> {
        let over = state.is_over();
        let now = tx.now();
        self.after.run.head.move_to(state, now);
        if !over {
            return Ok(());
        }
        self.after.run.finished_at = Some(now);
        self.after.run.head.note = None;
        let change = match &self.after.run.head.state {
            RunState::Completed => ServerChange::DeployCompleted,
            RunState::Failed(_) | RunState::Stopped => {
                tx.fail_releases_of_run(self.after.run.id).await?;
                ServerChange::DeployEnded
            }
            RunState::Started | RunState::InProgress | RunState::Paused => return Ok(()),
        };
        self.servers(tx, change).await
    }

    /// Servers follow deployments; operations and releases leave them as they are.
    async fn servers(&self, tx: &mut TeamTx, change: ServerChange) -> Result<(), StoreError> {
        if self.after.run.kind != RunKind::Deploy {
            return Ok(());
        }
        let servers: BTreeSet<ServerId> = self.after.parts.iter().map(|loaded| loaded.part.server).collect();
        for id in servers {
            let Some(server) = tx.server(id).await? else { continue };
            let live = tx.serves(id).await?;
            let state = server.state.after(change, live);
            if state != server.state {
                tx.set_server_state(id, state).await?;
                tx.event(EventDraft::new("server.changed", id, json!({ "state": state })));
            }
        }
        Ok(())
    }
}
