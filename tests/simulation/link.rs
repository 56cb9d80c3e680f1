//! The network between agent and coordinators, frame by frame: cut, late, twice, in another order, by somebody deposed.
//!
//! Rule: a frame comes twice or in another order only where the protocol says that this is harmless: journal events,
//! permits, holds. Streams carry bytes, and TCP keeps those in order; they are cut and late like everything else.
//! Every frame is searched for the secret (I5).

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::{Sink, Stream};
use hydron_proto::frame;
use hydron_proto::wire::frame::Body;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message};
use turmoil::net::TcpStream;

use crate::fencing;
use crate::line::Line;
use crate::needle::Search;
use crate::sweep::{Fate, Toward};
use crate::world::{Node, World};

/// A connection that goes wrong.
pub(crate) struct Faulty {
    world: Arc<World>,
    socket: WebSocketStream<TcpStream>,
    /// Frames of one way, or of both, until it is cut.
    cut: Option<(Option<Toward>, u64)>,
    /// Frames that come before what the network brings.
    injected: VecDeque<Message>,
    /// A frame that waits until another one has overtaken it; and whether one ever did.
    overtaken: Option<Message>,
    reordered: bool,
    line: Option<Line>,
    searched: [Search; 2],
}

impl Faulty {
    pub(crate) fn new(world: Arc<World>, socket: WebSocketStream<TcpStream>) -> Self {
        let cut = match world.fate {
            // Only the first connection.
            Some(Fate::Cut { way, frames }) if world.is_unfulfilled() => {
                world.fulfill();
                Some((Some(way), frames))
            }
            Some(Fate::Cut { .. } | Fate::Death { .. }) => None,
            None => {
                let calm = world.is_calm();
                let mut dice = world.dice();
                (!calm && dice.permille(700)).then(|| (None, dice.below(60)))
            }
        };
        let line = world.slow_line.filter(|_| !world.is_calm()).map(Line::new);
        let searched = Default::default();
        Self {
            world,
            socket,
            cut,
            injected: VecDeque::new(),
            overtaken: None,
            reordered: false,
            line,
            searched,
        }
    }

    /// Whether the next frame of this way is the one at which the connection is cut.
    fn is_cut(&mut self, way: Toward) -> bool {
        match &mut self.cut {
            Some((of, left)) if of.is_none_or(|of| of == way) => {
                let cut = *left == 0;
                if cut {
                    self.world.witness().told.cuts += 1;
                }
                *left = left.saturating_sub(1);
                cut
            }
            Some(_) | None => false,
        }
    }

    fn now_and_then(&self, permille: u64) -> bool {
        !self.world.is_calm() && self.world.dice().permille(permille)
    }

    /// I5.
    fn search(&mut self, way: Toward, bytes: &[u8], stream: u32, body: &Body) {
        let found = self.searched[way as usize].found(bytes, stream, body);
        assert!(!found, "I5: the secret is in a frame toward the {way:?}: {body:?}");
        let mut witness = self.world.witness();
        witness.told.frames += 1;
        witness.history.note(self.world.elapsed(), way, "sent", body);
    }

    /// The frame that comes first.
    fn came(&mut self, message: Message) -> Message {
        let Message::Binary(bytes) = &message else {
            self.closed(&message);
            return message;
        };
        let Ok((stream, body)) = frame::decode(bytes) else { return message };
        self.search(Toward::Agent, bytes, stream, &body);
        if let Body::EventAck(ack) = &body {
            self.world.witness().acknowledged(&ack.run_id, ack.seq);
        }
        let first = match &body {
            Body::Permit(_) | Body::Hold(_) => self.steered(&message, &body),
            Body::EventAck(_) => {
                self.twice(&message);
                None
            }
            Body::Welcome(_) => {
                self.test_memory();
                None
            }
            _other_frames => None,
        };
        self.come_late();
        self.make_up();
        if let Some(line) = &mut self.line
            && self.world.dice().permille(300)
        {
            self.injected.extend(line.ask());
        }
        first.unwrap_or(message)
    }

    fn twice(&mut self, message: &Message) {
        if self.now_and_then(200) {
            self.world.witness().told.repeated += 1;
            self.injected.push_back(message.clone());
        }
    }

    /// A permit or a hold comes; perhaps the one before said the same, and is heard first. Whoever hears may die of it.
    fn steered(&mut self, message: &Message, body: &Body) -> Option<Message> {
        {
            let mut witness = self.world.witness();
            witness.fencing.came(body);
            witness.old_frames.push(message.clone());
        }
        let before = fencing::of_the_one_before(body).filter(|_| self.now_and_then(200));
        if self.now_and_then(if before.is_some() { 300 } else { 50 }) {
            let acts = 3 + self.world.dice().below(6) as i64;
            self.world.doom(Node::Agent, acts);
        }
        self.twice(message);
        let [permit, hold] = before?;
        self.world.witness().told.late += 1;
        self.injected.push_front(binary(hold));
        self.injected.push_front(message.clone());
        Some(binary(permit))
    }

    /// An agent that comes back still refuses what it refused before.
    fn test_memory(&mut self) {
        for run in self.world.template.runs.clone() {
            if self.now_and_then(500) {
                let old = self.world.witness().fencing.newest_of_the_old(run);
                self.injected.extend(old.map(binary));
            }
        }
    }

    /// A frame of a connection that is long gone.
    fn come_late(&mut self) {
        if self.now_and_then(100) {
            let mut witness = self.world.witness();
            let count = witness.old_frames.len() as u64;
            if count > 0 {
                let picked = self.world.dice().below(count) as usize;
                witness.told.late += 1;
                let frame = witness.old_frames[picked].clone();
                self.injected.push_back(frame);
            }
        }
    }

    /// A frame of somebody who was deposed.
    fn make_up(&mut self) {
        if self.now_and_then(250) {
            let mut witness = self.world.witness();
            let mut dice = self.world.dice();
            let runs = &self.world.template.runs;
            let run = runs[dice.below(runs.len() as u64) as usize];
            let Some(journal) = witness.journal(&self.world, run) else { return };
            if let Some(body) = witness.fencing.made_up(run, &journal, &mut dice) {
                witness.told.made_up += 1;
                self.injected.push_back(binary(body));
            }
        }
    }

    /// A journal has gaps only where the network made them.
    fn closed(&self, message: &Message) {
        if let Message::Close(Some(close)) = message {
            let gap = close.reason.as_str() == "a gap in the journal";
            assert!(!gap || self.reordered, "I3: {close:?}, and every event came in its order");
        }
    }
}

fn binary(body: Body) -> Message {
    Message::Binary(frame::encode(0, body).unwrap().into())
}

impl Stream for Faulty {
    type Item = Result<Message, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(message) = self.injected.pop_front() {
            if let Message::Binary(bytes) = &message
                && let Ok((_, body)) = frame::decode(bytes)
            {
                self.world.witness().history.note(self.world.elapsed(), Toward::Agent, "injected", &body);
            }
            return Poll::Ready(Some(Ok(message)));
        }
        let next = std::task::ready!(Pin::new(&mut self.socket).poll_next(cx));
        if self.is_cut(Toward::Agent) {
            return Poll::Ready(None);
        }
        Poll::Ready(match next {
            Some(Ok(message)) => Some(Ok(self.came(message))),
            end => end,
        })
    }
}

impl Sink<Message> for Faulty {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if let Some(line) = &mut self.line {
            std::task::ready!(line.poll_free(cx));
        }
        Pin::new(&mut self.socket).poll_ready(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        if self.is_cut(Toward::Coordinator) {
            return Err(Error::ConnectionClosed);
        }
        let Message::Binary(bytes) = &message else { return Pin::new(&mut self.socket).start_send(message) };
        let (stream, body) = frame::decode(bytes).unwrap();
        self.search(Toward::Coordinator, bytes, stream, &body);
        self.world.witness().sends(&self.world, &body);
        if let Some(line) = &mut self.line
            && line.takes(bytes.len(), &body)
        {
            self.world.witness().told.answered += 1;
        }
        let is_event = matches!(&body, Body::Event(event) if event.seq > 0);
        let twice = is_event && self.now_and_then(100);
        if is_event && self.overtaken.is_none() && self.now_and_then(50) {
            self.world.witness().told.overtaken += 1;
            self.overtaken = Some(message);
            self.reordered = true;
            return Ok(());
        }
        if twice {
            self.world.witness().told.repeated += 1;
            Pin::new(&mut self.socket).start_send(message.clone())?;
        }
        Pin::new(&mut self.socket).start_send(message)?;
        match self.overtaken.take() {
            Some(overtaken) => Pin::new(&mut self.socket).start_send(overtaken),
            None => Ok(()),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        std::task::ready!(Pin::new(&mut self.socket).poll_flush(cx))?;
        match &mut self.line {
            Some(line) => line.poll_free(cx).map(Ok),
            None => Poll::Ready(Ok(())),
        }
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.socket).poll_close(cx)
    }
}
