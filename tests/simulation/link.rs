//! The network between agent and coordinators, frame by frame: cut, late, twice, in another order.
//!
//! Rule: a frame comes twice or in another order only where the protocol says that this is harmless: journal events,
//! permits, holds. Streams carry bytes, and TCP keeps those in order; they are cut and late like everything else.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{Sink, Stream};
use hydron_agent::link::{Ended, identity::LinkFiles, identity::TlsIdentity};
use hydron_proto::frame;
use hydron_proto::wire::frame::Body;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Error, Message};
use turmoil::net::TcpStream;

use crate::coordinator::PORT;
use crate::world::World;

/// The way to whichever coordinator the dice name.
pub(crate) struct Way(pub(crate) Arc<World>);

impl hydron_agent::link::Way for Way {
    type Socket = Faulty;

    async fn open(&self, _: &TlsIdentity, _: Duration) -> Result<Faulty, Ended> {
        let name = if self.0.dice().permille(500) { "a" } else { "b" };
        let connecting = timeout(Duration::from_secs(10), TcpStream::connect((name, PORT)));
        let stream = match connecting.await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(Ended::Transport(error.to_string())),
            Err(_) => return Err(Ended::Transport("nobody answers".to_owned())),
        };
        Ok(Faulty::new(self.0.clone(), WebSocketStream::from_raw_socket(stream, Role::Client, None).await))
    }

    async fn renew_expired(&self, _: &LinkFiles, _: &TlsIdentity, _: Duration) -> Ended {
        unreachable!("certificates of the simulation do not end")
    }
}

/// A connection that goes wrong.
pub(crate) struct Faulty {
    world: Arc<World>,
    socket: WebSocketStream<TcpStream>,
    /// Frames until it is cut.
    left: Option<u64>,
    /// Frames that come before what the network brings.
    injected: VecDeque<Message>,
    /// A frame that waits until another one has overtaken it.
    overtaken: Option<Message>,
}

impl Faulty {
    fn new(world: Arc<World>, socket: WebSocketStream<TcpStream>) -> Self {
        let left = {
            let calm = world.is_calm();
            let mut dice = world.dice();
            (!calm && dice.permille(700)).then(|| dice.below(60))
        };
        Self { world, socket, left, injected: VecDeque::new(), overtaken: None }
    }

    /// Whether the next frame is the one at which the connection is cut.
    fn is_cut(&mut self) -> bool {
        match &mut self.left {
            None => false,
            Some(0) => true,
            Some(left) => {
                *left -= 1;
                if *left == 0 {
                    self.world.witness().told.cuts += 1;
                }
                false
            }
        }
    }

    fn now_and_then(&self, permille: u64) -> bool {
        !self.world.is_calm() && self.world.dice().permille(permille)
    }

    fn came(&mut self, message: &Message) {
        let Message::Binary(bytes) = message else { return };
        let Ok((_, body)) = frame::decode(bytes) else { return };
        if let Body::EventAck(ack) = &body {
            self.world.witness().acknowledged(&ack.run_id, ack.seq);
        }
        if matches!(body, Body::Permit(_) | Body::Hold(_) | Body::EventAck(_)) {
            let twice = self.now_and_then(200);
            let mut witness = self.world.witness();
            if twice {
                witness.told.repeated += 1;
                self.injected.push_back(message.clone());
            }
            if !matches!(body, Body::EventAck(_)) {
                witness.old_frames.push(message.clone());
            }
        }
        self.come_late();
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
}

fn event_of(message: &Message) -> Option<(String, u64)> {
    let Message::Binary(bytes) = message else { return None };
    match frame::decode(bytes) {
        Ok((_, Body::Event(event))) if event.seq > 0 => Some((event.run_id, event.seq)),
        Ok(_) | Err(_) => None,
    }
}

impl Stream for Faulty {
    type Item = Result<Message, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(message) = self.injected.pop_front() {
            return Poll::Ready(Some(Ok(message)));
        }
        let next = std::task::ready!(Pin::new(&mut self.socket).poll_next(cx));
        if self.is_cut() {
            return Poll::Ready(None);
        }
        if let Some(Ok(message)) = &next {
            let message = message.clone();
            self.came(&message);
        }
        Poll::Ready(next)
    }
}

impl Sink<Message> for Faulty {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.socket).poll_ready(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        if self.is_cut() {
            return Err(Error::ConnectionClosed);
        }
        let event = event_of(&message);
        if let Some((run, seq)) = &event {
            self.world.witness().told_event(&self.world, run, *seq);
        }
        let twice = event.is_some() && self.now_and_then(100);
        if event.is_some() && self.overtaken.is_none() && self.now_and_then(50) {
            self.world.witness().told.overtaken += 1;
            self.overtaken = Some(message);
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
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.socket).poll_close(cx)
    }
}
