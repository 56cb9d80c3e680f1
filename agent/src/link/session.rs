//! One connection to the coordinator, from Hello to its end: frames in, frames out, executor in between.
//!
//! Rule: reading never waits for writing, on either side. Nothing is decided here: what arrives is passed on, what the
//! executor says is sent. Neighbours: `outgoing`, `logs`, `envelopes`, `executor`.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Sink, SinkExt as _, Stream, StreamExt as _};
use hydron_proto::frame::{self, DEAD_AFTER_S, PING_AFTER_S, Priority, STREAM_CREDIT};
use hydron_proto::wire::{self, frame::Body, from_executor, to_executor};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{self, Message};

use super::Chance;
use super::dial::STAGE;
use super::envelopes::{Envelopes, Step};
use super::executor::{self, FromExec, ToExec};
use super::held::{ASK_AFTER, Held};
use super::identity::{Counters, LinkFiles, TlsIdentity};
use super::line::Line;
use super::logs::LogStreams;
use super::outgoing::{Frame, Outgoing};
use super::renew;

/// A frame that cannot be written for this long means that the connection is dead.
const WRITE_STALL: Duration = Duration::from_secs(30);
/// Frames up to this size are written together.
const SMALL: usize = 2 * 1024;

/// How a connection ended.
#[derive(Debug)]
pub enum Ended {
    /// The network, or the coordinator, went away.
    Transport(String),
    /// The executor went away: connect again as soon as it is back, with what it then holds.
    ExecutorGone,
    /// The coordinator asked for it: come back after this time.
    GoAway(Duration),
    /// A newer connection took over.
    Superseded,
    /// This identity is not accepted any more.
    Refused(String),
    /// A new certificate is stored: connect again with it.
    Renewed,
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Transport(why) => f.write_str(why),
            Self::ExecutorGone => f.write_str("the executor is not there"),
            Self::GoAway(_) => f.write_str("the coordinator asked to come back later"),
            Self::Superseded => f.write_str("a newer connection of this server took over"),
            Self::Refused(why) => write!(f, "the coordinator refuses this server: {why}"),
            Self::Renewed => f.write_str("a new certificate is used from now on"),
        }
    }
}

/// What a session works with.
#[derive(Debug)]
pub(super) struct Session<'a> {
    /// This server's TLS identity.
    pub identity: &'a TlsIdentity,
    /// Where it is stored.
    pub files: &'a LinkFiles,
    /// When to ask for a new certificate, if it is in this session's time.
    pub renew_at: Option<Instant>,
    to_exec: Arc<ToExec>,
    outgoing: Arc<Outgoing>,
    logs: LogStreams,
    envelopes: Envelopes,
    held: Held,
    /// When to ask which runs may go, and how soon after the end of a range.
    ask_at: Instant,
    settle: Duration,
    chance: Chance,
    heard: Instant,
    pinged: bool,
    greeted: bool,
}

#[expect(clippy::large_enum_variant, reason = "one at a time, on the stack of one loop")]
enum Turn {
    Frame(Option<Result<Message, tungstenite::Error>>),
    Executor(io::Result<Option<wire::FromExecutor>>),
    Room,
    Timer,
    Renew,
    Ask,
    Written(String),
    ExecutorWritten,
}

impl<'a> Session<'a> {
    /// A session that is about to begin.
    pub(super) fn new(
        (identity, files): (&'a TlsIdentity, &'a LinkFiles),
        renew_at: Option<Instant>,
        (settle, chance): (Duration, Chance),
    ) -> Self {
        Self {
            identity,
            files,
            renew_at,
            to_exec: Arc::default(),
            outgoing: Arc::default(),
            logs: LogStreams::new(STREAM_CREDIT),
            envelopes: Envelopes::default(),
            held: Held::default(),
            ask_at: Instant::now() + ASK_AFTER,
            settle,
            chance,
            heard: Instant::now(),
            pinged: false,
            greeted: false,
        }
    }

    /// Speaks until the end.
    pub(super) async fn run<S>(
        mut self,
        (socket, line): (S, Line),
        mut hello: wire::Hello,
        (mut from_exec, exec_writer, early): (
            FromExec,
            tokio::net::unix::OwnedWriteHalf,
            Vec<from_executor::Body>,
        ),
    ) -> Ended
    where
        S: Stream<Item = Result<Message, tungstenite::Error>>
            + Sink<Message, Error = tungstenite::Error>
            + Unpin,
    {
        let (sink, mut stream) = socket.split();
        (hello.runs, self.held) = Held::connecting(std::mem::take(&mut hello.runs));
        if let Err(ended) = self.send(Priority::Control, 0, Body::Hello(hello)) {
            return ended;
        }
        let to_exec = self.to_exec.clone();
        let writing_exec = to_exec.write(exec_writer);
        tokio::pin!(writing_exec);
        let writing = write(sink, line, self.outgoing.clone());
        tokio::pin!(writing);
        for body in early {
            if let Err(ended) = self.from_executor(body) {
                return ended;
            }
        }
        loop {
            let deadline = self.deadline();
            let renew_at = self.renew_at.unwrap_or(deadline);
            let turn = tokio::select! {
                frame = stream.next() => Turn::Frame(frame),
                message = from_exec.next(), if self.outgoing.has_control_room() => Turn::Executor(message),
                () = self.outgoing.drained() => Turn::Room,
                () = sleep_until(deadline) => Turn::Timer,
                () = sleep_until(renew_at), if self.greeted && self.renew_at.is_some() => Turn::Renew,
                () = sleep_until(self.ask_at), if self.greeted => Turn::Ask,
                why = &mut writing => Turn::Written(why),
                _gone = &mut writing_exec => Turn::ExecutorWritten,
            };
            let result = match turn {
                Turn::Frame(frame) => self.frame(frame),
                Turn::Executor(Ok(Some(message))) => {
                    message.body.map_or(Ok(()), |body| self.from_executor(body))
                }
                Turn::Executor(Ok(None) | Err(_)) | Turn::ExecutorWritten => Err(Ended::ExecutorGone),
                Turn::Room => Ok(()),
                Turn::Timer => self.timer(),
                Turn::Renew => self.renew(),
                Turn::Ask => {
                    self.ask();
                    Ok(())
                }
                Turn::Written(why) => Err(Ended::Transport(why)),
            };
            if let Err(ended) = result {
                return ended;
            }
            self.pump();
        }
    }

    /// Silence is answered by a ping, and longer silence by the end.
    fn deadline(&self) -> Instant {
        let silence = match (self.greeted, self.pinged) {
            (false, _) => STAGE,
            (true, false) => Duration::from_secs(PING_AFTER_S),
            (true, true) => Duration::from_secs(DEAD_AFTER_S),
        };
        self.heard + silence
    }

    fn frame(&mut self, frame: Option<Result<Message, tungstenite::Error>>) -> Result<(), Ended> {
        let message = match frame {
            None => return Err(Ended::Transport("the coordinator hung up".to_owned())),
            Some(Err(error)) => return Err(failed(&error)),
            Some(Ok(message)) => message,
        };
        self.heard = Instant::now();
        self.pinged = false;
        match message {
            Message::Binary(bytes) => {
                let (stream, body) =
                    frame::decode(&bytes).map_err(|error| Ended::Transport(error.to_string()))?;
                self.body(stream, body)
            }
            Message::Close(close) => Err(closed(close)),
            Message::Ping(_) | Message::Pong(_) => Ok(()),
            Message::Text(_) | Message::Frame(_) => {
                Err(Ended::Transport("a frame that is not binary".to_owned()))
            }
        }
    }

    fn body(&mut self, stream: u32, body: Body) -> Result<(), Ended> {
        if !self.greeted && !matches!(body, Body::Welcome(_) | Body::GoAway(_)) {
            return Err(Ended::Transport("the coordinator did not begin with a welcome".to_owned()));
        }
        let to_exec = &self.to_exec;
        match body {
            Body::Welcome(welcome) => self.welcome(welcome)?,
            Body::RunsKnown(known) => self.known(known)?,
            Body::Ping(ping) => {
                self.send(Priority::Control, 0, Body::Pong(wire::Pong { nonce: ping.nonce }))?;
            }
            Body::Pong(_) => {}
            Body::GoAway(away) => return Err(Ended::GoAway(away_time(&away, (self.chance)()))),
            Body::StreamOpen(open) => self.opened(stream, open)?,
            Body::StreamData(data) => {
                let step = self.envelopes.data(stream, &data.data);
                self.envelope_step(stream, step)?;
            }
            Body::WindowUpdate(update) => self.logs.granted(stream, update.bytes),
            Body::StreamClose(close) => {
                self.envelopes.close(stream);
                self.logs.closed(stream, close.code);
            }
            Body::Permit(permit) => to_exec.push(to_executor::Body::Permit(permit)),
            Body::Hold(hold) => to_exec.push(to_executor::Body::Hold(hold)),
            Body::Cancel(cancel) => to_exec.push(to_executor::Body::Cancel(cancel)),
            Body::Confirm(confirm) => to_exec.push(to_executor::Body::Confirm(confirm)),
            Body::EventAck(ack) => to_exec.push(to_executor::Body::EventAck(ack)),
            Body::LogAck(ack) => {
                self.logs.acknowledged(&ack);
                to_exec.push(to_executor::Body::LogAck(ack));
            }
            Body::RenewReply(reply) => return self.renewed(&reply),
            Body::Hello(_)
            | Body::RunsHeld(_)
            | Body::Event(_)
            | Body::Decision(_)
            | Body::Facts(_)
            | Body::RenewRequest(_) => {
                return Err(Ended::Transport("a frame that only agents send".to_owned()));
            }
        }
        Ok(())
    }

    fn welcome(&mut self, welcome: wire::Welcome) -> Result<(), Ended> {
        self.greeted = true;
        let counters = Counters { server_time_unix_ms: welcome.server_time_unix_ms, ..self.files.counters() };
        if let Err(error) = self.files.store_counters(counters) {
            tracing::warn!(%error, "the coordinator's time could not be noted");
        }
        tracing::info!(epoch = welcome.connection_epoch, "connected to the coordinator");
        if welcome.credit_stream > 0 {
            self.logs = LogStreams::new(welcome.credit_stream);
        }
        self.known(wire::RunsKnown { resume: welcome.resume, forget: welcome.forget })
    }

    /// What the coordinator knows of the runs it was told of; then it is told of the next ones.
    fn known(&mut self, known: wire::RunsKnown) -> Result<(), Ended> {
        for run_id in known.forget {
            self.logs.forget(&run_id);
            self.to_exec.push(to_executor::Body::Forget(wire::ForgetRun { run_id }));
        }
        for resume in known.resume {
            for position in &resume.logs {
                self.logs.resume(position);
            }
            let from = wire::EventAck { run_id: resume.run_id, seq: resume.acknowledged_seq };
            self.to_exec.push(to_executor::Body::FollowFrom(from));
        }
        self.say_held()
    }

    fn say_held(&mut self) -> Result<(), Ended> {
        match self.held.next() {
            Some(piece) => self.send(Priority::Control, 0, Body::RunsHeld(piece)),
            None => Ok(()),
        }
    }

    /// The executor answers with its status.
    fn ask(&mut self) {
        self.ask_at = Instant::now() + ASK_AFTER;
        self.to_exec.push(to_executor::Body::Attach(executor::hello()));
    }

    fn opened(&mut self, stream: u32, open: wire::StreamOpen) -> Result<(), Ended> {
        let step = match open.kind {
            Some(wire::stream_open::Kind::Envelope(announced)) => self.envelopes.open(stream, announced),
            Some(wire::stream_open::Kind::Log(_)) | None => {
                Step::Refuse("no stream that a coordinator opens")
            }
        };
        self.envelope_step(stream, step)
    }

    fn envelope_step(&mut self, stream: u32, step: Step) -> Result<(), Ended> {
        match step {
            Step::Nothing => {}
            Step::Grant(bytes) => {
                self.send(Priority::Control, stream, Body::WindowUpdate(wire::WindowUpdate { bytes }))?;
            }
            Step::Complete(bytes) => self.to_exec.push(to_executor::Body::SignedEnvelope(bytes)),
            Step::Refuse(why) => {
                let close = wire::StreamClose { code: 2, message: why.to_owned() };
                self.send(Priority::Control, stream, Body::StreamClose(close))?;
            }
        }
        Ok(())
    }

    #[expect(clippy::wrong_self_convention, reason = "it handles what comes from the executor")]
    fn from_executor(&mut self, body: from_executor::Body) -> Result<(), Ended> {
        match body {
            from_executor::Body::Status(status) => {
                if let Some(facts) = status.facts {
                    self.send(Priority::Control, 0, Body::Facts(facts))?;
                }
                match self.held.ask(status.runs) {
                    Some(piece) => self.send(Priority::Control, 0, Body::RunsHeld(piece)),
                    None => Ok(()),
                }
            }
            from_executor::Body::Decision(decision) => {
                self.send(Priority::Control, 0, Body::Decision(decision))
            }
            from_executor::Body::Event(event) => {
                if matches!(event.body, Some(wire::event::Body::RangeEnded(_))) {
                    self.ask_at = self.ask_at.min(Instant::now() + self.settle);
                }
                self.send(Priority::Control, 0, Body::Event(event))
            }
            from_executor::Body::LogGrew(grew) => {
                self.logs.grew(&grew);
                Ok(())
            }
            from_executor::Body::LogData(data) => {
                let frames = self.logs.read(data);
                frames.into_iter().try_for_each(|(stream, body)| self.send(Priority::Bulk, stream, body))
            }
        }
    }

    /// Asks the executor for log bytes as far as there is room for them.
    fn pump(&mut self) {
        for read in self.logs.wanted(self.outgoing.bulk_room(), self.outgoing.piece()) {
            self.to_exec.push(to_executor::Body::ReadLog(read));
        }
    }

    fn timer(&mut self) -> Result<(), Ended> {
        if !self.greeted || self.pinged {
            return Err(Ended::Transport("the coordinator is silent".to_owned()));
        }
        self.pinged = true;
        self.send(Priority::Control, 0, Body::Ping(wire::Ping { nonce: 0 }))
    }

    fn renew(&mut self) -> Result<(), Ended> {
        self.renew_at = None;
        match self.identity.certificate_request() {
            Some(csr_der) => {
                self.send(Priority::Control, 0, Body::RenewRequest(wire::RenewRequest { csr_der }))
            }
            None => Ok(()),
        }
    }

    fn renewed(&self, reply: &wire::RenewReply) -> Result<(), Ended> {
        match renew::accept(self.files, self.identity, &reply.certificate_chain_der) {
            Ok(()) => Err(Ended::Renewed),
            Err(error) => {
                tracing::warn!(%error, "a renewed certificate was not usable");
                Ok(())
            }
        }
    }

    fn send(&self, priority: Priority, stream: u32, body: Body) -> Result<(), Ended> {
        self.outgoing.push(priority, stream, body).map_err(|error| Ended::Transport(error.to_string()))
    }
}

/// Writes frames by priority until it cannot any more; says why.
async fn write<S>(mut sink: S, line: Line, outgoing: Arc<Outgoing>) -> String
where
    S: Sink<Message, Error = tungstenite::Error> + Unpin,
{
    loop {
        let Frame { bytes, bulk_since } = outgoing.next(&line).await;
        let length = bytes.len();
        let written = async {
            sink.feed(Message::Binary(bytes.into())).await?;
            // Small frames that wait already leave with this one. Behind a large one nothing is chosen before it has left:
            // what would wait in the buffers of TLS could not be overtaken.
            if length > SMALL || outgoing.is_empty() { sink.flush().await } else { Ok(()) }
        };
        match (timeout(WRITE_STALL, written).await, bulk_since) {
            (Ok(Ok(())), Some(since)) => outgoing.left(length, since.elapsed()),
            (Ok(Ok(())), None) => {}
            (Ok(Err(error)), _) => return error.to_string(),
            (Err(_), _) => return "the coordinator takes nothing any more".to_owned(),
        }
    }
}

fn away_time(away: &wire::GoAway, spread: f64) -> Duration {
    let spread_ms = Duration::from_millis(away.spread_ms).mul_f64(spread);
    Duration::from_millis(away.after_ms) + spread_ms
}

/// See the close codes in link.proto.
#[expect(clippy::wildcard_enum_match_arm, reason = "every other close code is tried again")]
fn closed(close: Option<tungstenite::protocol::CloseFrame>) -> Ended {
    let Some(close) = close else { return Ended::Transport("the coordinator hung up".to_owned()) };
    match close.code {
        CloseCode::Library(4001 | 4002) => Ended::Superseded,
        CloseCode::Library(4003) => Ended::Refused(close.reason.to_string()),
        other => Ended::Transport(format!("closed by the coordinator: {other} {}", close.reason)),
    }
}

/// A certificate that is refused shows up as an alert at the first read.
#[expect(clippy::wildcard_enum_match_arm, reason = "every other failure is tried again")]
pub(super) fn failed(error: &tungstenite::Error) -> Ended {
    match error {
        tungstenite::Error::Io(io) if is_refusal(io) => Ended::Refused(io.to_string()),
        tungstenite::Error::Http(response) if matches!(response.status().as_u16(), 401 | 403) => {
            Ended::Refused(response.status().to_string())
        }
        _other => Ended::Transport(error.to_string()),
    }
}

/// Whether an error is the coordinator's word about this identity.
pub(super) fn is_refusal(error: &io::Error) -> bool {
    use rustls::AlertDescription as Alert;
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(
        tls,
        Some(rustls::Error::AlertReceived(
            Alert::AccessDenied
                | Alert::BadCertificate
                | Alert::CertificateRevoked
                | Alert::CertificateUnknown
                | Alert::CertificateRequired
                | Alert::UnknownCA
        ))
    )
}
