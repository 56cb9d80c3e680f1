//! One connection of an agent, from its hello to its end.
//!
//! Rule: one task, no locks, no waiting on a consumer: while the recorder is busy nothing is read, and TCP tells the
//! agent. Any byte is life; silence is asked after 15 s and ended after 35 s. What cannot be understood ends the
//! connection, and the next one goes on from what is stored.

mod envelopes;
mod held;
mod hello;
mod logs;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hydron_proto::frame::{DEAD_AFTER_S, HANDSHAKE_STAGE_S, PING_AFTER_S, Priority};
use hydron_proto::ids::RunId;
use hydron_proto::wire::{self, frame::Body};
use hydron_store::servers::Server;
use hydron_store::{Topic, Wake};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;

use self::envelopes::Envelopes;
use self::logs::LogStreams;
use super::recorder::{Record, Recorder, What};
use super::registry::{AgentHandle, Doing, Mailbox, ToAgent};
use super::report::{Entry, clean};
use super::socket::{FrameSocket, Happened};
use super::turnstile::Pass;
use crate::app::AppState;
use crate::http::metrics::Reached;
use crate::services::enrollment;

const STAGE: Duration = Duration::from_secs(HANDSHAKE_STAGE_S);
const PING_AFTER: Duration = Duration::from_secs(PING_AFTER_S);
const DEAD_AFTER: Duration = Duration::from_secs(DEAD_AFTER_S);
/// A socket that takes nothing for this long is broken.
const WRITE_STALL: Duration = Duration::from_secs(30);
/// For a goodbye.
const CLOSING: Duration = Duration::from_secs(1);
/// A process that ends asks agents to come back after this, spread over the second, milliseconds.
const BACK_AFTER_MS: u64 = 1000;
const BACK_SPREAD_MS: u64 = 5000;
/// Longest text of what a step is doing.
const MAX_DOING: usize = 200;

/// A connection whose certificate was checked.
#[derive(Debug)]
pub(super) struct Session {
    app: AppState,
    recorder: Recorder,
    server: Server,
    peer: SocketAddr,
}

/// How a connection ends.
#[derive(Debug, thiserror::Error)]
enum End {
    /// The peer is gone or silent.
    #[error("{0}")]
    Gone(&'static str),
    /// Close with this code.
    #[error("closed with {0}: {1}")]
    Close(u16, &'static str),
    /// The process stops.
    #[error("the coordinator stops")]
    Stopping,
    /// The peer does not make sense.
    #[error("it makes no sense: {0}")]
    Broken(String),
}

impl Session {
    pub(super) fn new(app: AppState, recorder: Recorder, server: Server, peer: SocketAddr) -> Self {
        Self { app, recorder, server, peer }
    }

    /// Runs the connection to its end. Beginning and end of a connection hold transactions, and memory for them: they have
    /// their own allocation, so that an idle agent does not keep it (measured: 22 KiB of the 45 that one cost).
    pub(super) fn run<S: AsyncRead + AsyncWrite + Unpin>(
        self,
        socket: WebSocketStream<S>,
        pass: Pass,
    ) -> impl Future<Output = ()> {
        let begin = Box::pin(self.begin(socket, pass));
        async move {
            let Some((mut live, mailbox)) = begin.await else { return };
            let end = live.run(mailbox).await;
            Box::pin(live.finish(end)).await;
        }
    }

    /// Greets, which ends the turn; `None` when the agent was not admitted.
    async fn begin<S: AsyncRead + AsyncWrite + Unpin>(
        self,
        socket: WebSocketStream<S>,
        _pass: Pass,
    ) -> Option<(Box<Live<S>>, Mailbox)> {
        let mut socket = FrameSocket::new(socket);
        let (server, peer) = (self.server.id, self.peer);
        let (handle, mailbox) = match timeout(STAGE, self.greet(&mut socket)).await {
            Ok(Ok(greeted)) => greeted,
            Ok(Err(end)) => {
                tracing::info!(%server, %peer, %end, "agent {server} was not admitted");
                goodbye(socket, &end).await;
                return None;
            }
            Err(_) => {
                self.app.metrics.late();
                return None;
            }
        };
        self.app.metrics.reached(Reached::Welcomed);
        tracing::info!(%server, %peer, epoch = handle.epoch, "agent {server} is connected");
        self.app.store.wake(Wake::new(Topic::Work, server)).await;
        let live = Box::new(Live {
            handle,
            socket,
            envelopes: Envelopes::default(),
            logs: LogStreams::of(server),
            held: None,
            heard: Instant::now(),
            pinged: false,
            wrote: Instant::now(),
            asked: None,
            asked_early: false,
            session: self,
        });
        Some((live, mailbox))
    }

    async fn leave(&self, handle: &AgentHandle, end: &End) {
        let server = handle.server;
        tracing::info!(%server, %end, "agent {server} is disconnected");
        self.app.agents.leave(handle);
        // Whoever was connected when the coordinator stops is expected back: nobody is told that it is gone.
        if matches!(end, End::Stopping) {
            return;
        }
        if let Err(error) = hello::forget_connection(&self.app, handle).await {
            tracing::warn!(%server, %error, "the end of a connection was not recorded");
        }
        self.app.store.wake(Wake::new(Topic::Work, server)).await;
    }
}

async fn goodbye<S: AsyncRead + AsyncWrite + Unpin>(mut socket: FrameSocket<S>, end: &End) {
    let (code, reason) = match end {
        End::Gone(_) => return,
        End::Close(code, reason) => (*code, *reason),
        End::Stopping => {
            let away = wire::GoAway {
                reason: "the coordinator restarts".to_owned(),
                after_ms: BACK_AFTER_MS,
                spread_ms: BACK_SPREAD_MS,
            };
            if socket.push(Priority::Control, 0, Body::GoAway(away)).is_err() {
                return;
            }
            (4000, "going away")
        }
        End::Broken(_) => (1002, "protocol error"),
    };
    let _ = timeout(CLOSING, socket.close(code, reason)).await;
}

/// A connection that was welcomed.
struct Live<S> {
    session: Session,
    handle: Arc<AgentHandle>,
    socket: FrameSocket<S>,
    envelopes: Envelopes,
    logs: LogStreams,
    /// A record that the recorder has no room for yet; nothing is read meanwhile.
    held: Option<Record>,
    heard: Instant,
    pinged: bool,
    /// When the socket last had nothing left to write.
    wrote: Instant,
    /// The agent's last question about its runs, and whether the one before was still being answered when it came.
    asked: Option<JoinHandle<()>>,
    asked_early: bool,
}

enum Turn<'a> {
    Socket(Result<Happened, super::socket::SocketError>),
    Mail(Option<ToAgent>),
    Room(Option<mpsc::Permit<'a, Record>>),
    Timer,
    Overflow,
    Stopping,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Live<S> {
    async fn run(&mut self, mut mailbox: Mailbox) -> End {
        let recorder = self.session.recorder.clone();
        let stopping = self.session.app.stopping.clone();
        loop {
            if let Err(end) = self.pump() {
                return end;
            }
            let reading = self.held.is_none();
            let deadline = self.deadline();
            let turn = tokio::select! {
                biased;
                () = stopping.cancelled() => Turn::Stopping,
                () = mailbox.broken.cancelled() => Turn::Overflow,
                mail = mailbox.receiver.recv() => Turn::Mail(mail),
                permit = recorder.room(), if !reading => Turn::Room(permit),
                happened = self.socket.next(reading) => Turn::Socket(happened),
                () = sleep_until(deadline) => Turn::Timer,
            };
            let result = match turn {
                Turn::Stopping => Err(End::Stopping),
                Turn::Overflow => Err(End::Broken("it does not take what it is told".to_owned())),
                Turn::Mail(mail) => self.mail(mail),
                Turn::Room(permit) => self.room(permit),
                Turn::Socket(happened) => self.happened(happened),
                Turn::Timer => self.timer(),
            };
            if let Err(end) = result {
                return end;
            }
        }
    }

    async fn finish(self: Box<Self>, end: End) {
        let Self { socket, session, handle, .. } = *self;
        session.leave(&handle, &end).await;
        goodbye(socket, &end).await;
    }

    /// What goes out when there is room for it.
    fn pump(&mut self) -> Result<(), End> {
        if !self.socket.is_writing() {
            self.wrote = Instant::now();
        }
        while self.socket.has_room()
            && let Some((stream, body)) = self.envelopes.next_frame()
        {
            self.push(Priority::Interactive, stream, body)?;
        }
        Ok(())
    }

    fn deadline(&self) -> Instant {
        let silence = if self.pinged { DEAD_AFTER } else { PING_AFTER };
        let silent = self.heard + silence;
        if self.socket.is_writing() { silent.min(self.wrote + WRITE_STALL) } else { silent }
    }

    fn timer(&mut self) -> Result<(), End> {
        let now = Instant::now();
        if self.socket.is_writing() && now >= self.wrote + WRITE_STALL {
            return Err(End::Gone("it takes nothing any more"));
        }
        if now >= self.heard + DEAD_AFTER && self.held.is_none() {
            return Err(End::Gone("it is silent"));
        }
        if !self.pinged {
            self.pinged = true;
            return self.push(Priority::Control, 0, Body::Ping(wire::Ping { nonce: self.handle.epoch }));
        }
        // Silence of our own making: nothing was read while the recorder was busy.
        self.heard = now;
        Ok(())
    }

    fn mail(&mut self, mail: Option<ToAgent>) -> Result<(), End> {
        match mail {
            None => Err(End::Gone("nobody speaks to it any more")),
            Some(ToAgent::Close(code, reason)) => Err(End::Close(code, reason)),
            Some(ToAgent::Frame(priority, body)) => self.push(priority, 0, *body),
            Some(ToAgent::Envelope(envelope)) => {
                self.envelopes.add(*envelope);
                Ok(())
            }
            Some(ToAgent::LogStored { key, stored, used }) => {
                let frames = self.logs.stored(key, stored, used);
                frames.into_iter().try_for_each(|(stream, body)| self.push(Priority::Control, stream, body))
            }
        }
    }

    fn room(&mut self, permit: Option<mpsc::Permit<'_, Record>>) -> Result<(), End> {
        let permit = permit.ok_or(End::Stopping)?;
        if let Some(record) = self.held.take() {
            permit.send(record);
        }
        Ok(())
    }

    fn happened(&mut self, happened: Result<Happened, super::socket::SocketError>) -> Result<(), End> {
        let happened = happened.map_err(|error| End::Broken(error.to_string()))?;
        if matches!(happened, Happened::Room) {
            return Ok(());
        }
        self.heard = Instant::now();
        self.pinged = false;
        self.handle.heard(self.session.app.now());
        match happened {
            Happened::Closed => Err(End::Gone("it hung up")),
            Happened::Life | Happened::Room => Ok(()),
            Happened::Frame(stream, body) => self.frame(stream, *body),
        }
    }

    fn frame(&mut self, stream: u32, body: Body) -> Result<(), End> {
        match body {
            Body::Ping(ping) => self.push(Priority::Control, 0, Body::Pong(wire::Pong { nonce: ping.nonce })),
            Body::Pong(_) => Ok(()),
            Body::Event(event) => self.event(event),
            Body::Decision(decision) => {
                if decision.subject() == wire::DecisionSubject::Envelope {
                    self.envelopes.decided();
                }
                self.record(What::Decision(Box::new(decision)))
            }
            Body::Facts(facts) => self.record(What::Facts(Box::new(facts.into()))),
            Body::StreamOpen(open) => {
                let refused =
                    self.logs.open(stream, open).map_err(|nonsense| End::Broken(nonsense.0.to_owned()))?;
                refused.into_iter().try_for_each(|(stream, body)| self.push(Priority::Control, stream, body))
            }
            Body::StreamData(data) => {
                let slice = self
                    .logs
                    .data(stream, data.data)
                    .map_err(|nonsense| End::Broken(nonsense.0.to_owned()))?;
                match slice {
                    Some((key, offset, bytes)) => self.record(What::Log { key, offset, bytes }),
                    None => Ok(()),
                }
            }
            Body::StreamClose(_) => {
                self.envelopes.closed(stream);
                self.logs.close(stream);
                Ok(())
            }
            Body::WindowUpdate(update) => {
                self.envelopes.granted(stream, update.bytes);
                Ok(())
            }
            Body::RunsHeld(held) => self.held(held),
            Body::RenewRequest(request) => self.renew(&request),
            Body::GoAway(_) => Err(End::Gone("it goes away")),
            Body::Hello(_)
            | Body::Welcome(_)
            | Body::RunsKnown(_)
            | Body::Permit(_)
            | Body::Hold(_)
            | Body::Cancel(_)
            | Body::Confirm(_)
            | Body::EventAck(_)
            | Body::LogAck(_)
            | Body::RenewReply(_) => Err(End::Broken("a frame that does not belong here".to_owned())),
        }
    }

    /// Answered from the store by a task of its own, one after the other. An answer may reach the agent before its task has
    /// ended, so one question may come early; more are not waited for.
    fn held(&mut self, held: wire::RunsHeld) -> Result<(), End> {
        let before = self.asked.take().filter(|asked| !asked.is_finished());
        if before.is_some() && self.asked_early {
            return Err(End::Broken("it asks about its runs before it was answered".to_owned()));
        }
        self.asked_early = before.is_some();
        let (app, server, handle) =
            (self.session.app.clone(), self.session.server.clone(), self.handle.clone());
        self.asked = Some(tokio::spawn(async move {
            if let Some(before) = before {
                let _ = before.await;
            }
            match held::known(&app, &server, &held.runs).await {
                Ok(known) if held.resume => handle.send(Body::RunsKnown(known)),
                Ok(known) => {
                    handle.send(Body::RunsKnown(wire::RunsKnown { resume: Vec::new(), ..known }));
                }
                Err(error) => {
                    // The agent waits for an answer before it asks on: it asks anew on its next connection.
                    tracing::warn!(server = %server.id, %error, "the runs of an agent were not looked up");
                    handle.tell(ToAgent::Close(1011, "its runs were not looked up"));
                }
            }
        }));
        Ok(())
    }

    fn event(&mut self, event: wire::Event) -> Result<(), End> {
        if let Some(wire::event::Body::StepDoing(doing)) = event.body {
            self.doing(&event.run_id, doing);
            return Ok(());
        }
        let entry = Entry::try_from(event).map_err(|nonsense| End::Broken(nonsense.0.to_owned()))?;
        self.record(What::Event(Box::new(entry)))
    }

    /// Never stored: shown to whoever looks right now.
    fn doing(&self, run: &str, doing: wire::StepDoing) {
        let Ok(run) = run.parse::<RunId>() else { return };
        let text: String = clean(doing.text).chars().take(MAX_DOING).collect();
        let doing = Doing { step: doing.step, attempt: doing.attempt, text };
        self.session.app.agents.set_doing(run, self.handle.server, Some(doing));
        let store = self.session.app.store.clone();
        // A notification to other coordinators; this session does not wait for it.
        let key = format!("{run}/{}", self.handle.server);
        tokio::spawn(async move { store.wake(Wake::new(Topic::Doing, key)).await });
    }

    fn record(&mut self, what: What) -> Result<(), End> {
        let record = Record { handle: self.handle.clone(), what };
        match self.session.recorder.try_record(record) {
            Ok(()) => Ok(()),
            Err(Some(record)) => {
                self.held = Some(record);
                Ok(())
            }
            Err(None) => Err(End::Stopping),
        }
    }

    fn renew(&mut self, request: &wire::RenewRequest) -> Result<(), End> {
        match enrollment::renew(&self.session.app, &self.session.server, &request.csr_der) {
            Ok(reply) => self.push(Priority::Control, 0, Body::RenewReply(reply)),
            Err(error) => {
                let server = self.handle.server;
                tracing::warn!(%server, %error, "a certificate of agent {server} was not renewed");
                Ok(())
            }
        }
    }

    fn push(&mut self, priority: Priority, stream: u32, body: Body) -> Result<(), End> {
        self.socket.push(priority, stream, body).map_err(|error| End::Broken(error.to_string()))
    }
}
