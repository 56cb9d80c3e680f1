//! One WebSocket as frames: out by strict priority, in one by one, both from the same task.
//!
//! Rule: the next frame is picked only when the socket has taken the one before, so that control never waits behind
//! bytes that were picked earlier. Reading and writing never wait for each other.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::{Sink as _, Stream as _};
use hydron_proto::frame::{self, FrameError, MAX_FRAME, Priority};
use hydron_proto::wire::frame::Body;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message};

/// A connection that cannot go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum SocketError {
    #[error(transparent)]
    Socket(#[from] Box<tungstenite::Error>),
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error("a message that is not binary")]
    NotBinary,
}

/// What happened on the socket.
#[derive(Debug)]
pub(super) enum Happened {
    /// A frame came.
    Frame(u32, Box<Body>),
    /// Bytes came that carry nothing for us; they are life.
    Life,
    /// Everything that people wait for was taken: more may be queued.
    Room,
    /// The peer closed.
    Closed,
}

pub(super) struct FrameSocket<S> {
    socket: WebSocketStream<S>,
    control: VecDeque<Bytes>,
    interactive: VecDeque<Bytes>,
    unflushed: bool,
}

impl<S> std::fmt::Debug for FrameSocket<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FrameSocket").field("control", &self.control.len()).finish_non_exhaustive()
    }
}

/// tungstenite's defaults cost more than 100 KiB a connection and take messages of 64 MiB.
pub(super) fn limits() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(4 * 1024)
        .write_buffer_size(0)
        .max_write_buffer_size(4 * MAX_FRAME)
        .max_message_size(Some(MAX_FRAME))
        .max_frame_size(Some(MAX_FRAME))
}

impl<S: AsyncRead + AsyncWrite + Unpin> FrameSocket<S> {
    pub(super) fn new(socket: WebSocketStream<S>) -> Self {
        Self { socket, control: VecDeque::new(), interactive: VecDeque::new(), unflushed: false }
    }

    /// Queues a frame.
    pub(super) fn push(&mut self, priority: Priority, stream: u32, body: Body) -> Result<(), FrameError> {
        let bytes = Bytes::from(frame::encode(stream, body)?);
        match priority {
            Priority::Control => self.control.push_back(bytes),
            // The coordinator sends nothing in bulk.
            Priority::Interactive | Priority::Bulk => self.interactive.push_back(bytes),
        }
        Ok(())
    }

    /// Whether a frame that people wait for could go now.
    pub(super) fn has_room(&self) -> bool {
        self.interactive.is_empty()
    }

    /// Whether something is on its way out.
    pub(super) fn is_writing(&self) -> bool {
        self.unflushed || !self.control.is_empty() || !self.interactive.is_empty()
    }

    /// Writes what is queued until something comes in. With `reading` false, only writes. Cancel-safe.
    pub(super) async fn next(&mut self, reading: bool) -> Result<Happened, SocketError> {
        poll_fn(|cx| {
            let had_room = self.has_room();
            self.poll_write(cx)?;
            if !had_room && self.has_room() {
                return Poll::Ready(Ok(Happened::Room));
            }
            if reading { self.poll_read(cx) } else { Poll::Pending }
        })
        .await
    }

    /// Writes what is queued and says goodbye.
    pub(super) async fn close(mut self, code: u16, reason: &'static str) {
        let close = CloseFrame { code: CloseCode::from(code), reason: reason.into() };
        while self.is_writing() {
            if poll_fn(|cx| self.poll_drain(cx)).await.is_err() {
                return;
            }
        }
        if self.socket.close(Some(close)).await.is_ok() {
            // The peer's own goodbye, so that it reads ours before the socket is gone.
            while let Ok(Happened::Frame(..) | Happened::Life | Happened::Room) = self.next(true).await {}
        }
    }

    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SocketError>> {
        self.poll_write(cx)?;
        if self.is_writing() { Poll::Pending } else { Poll::Ready(Ok(())) }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Result<(), SocketError> {
        while !self.control.is_empty() || !self.interactive.is_empty() {
            match Pin::new(&mut self.socket).poll_ready(cx).map_err(Box::new)? {
                Poll::Pending => return Ok(()),
                Poll::Ready(()) => {
                    let bytes = self.control.pop_front().or_else(|| self.interactive.pop_front());
                    let Some(bytes) = bytes else { break };
                    Pin::new(&mut self.socket).start_send(Message::Binary(bytes)).map_err(Box::new)?;
                    self.unflushed = true;
                }
            }
        }
        if self.unflushed && Pin::new(&mut self.socket).poll_flush(cx).map_err(Box::new)?.is_ready() {
            self.unflushed = false;
        }
        Ok(())
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<Happened, SocketError>> {
        let message = std::task::ready!(Pin::new(&mut self.socket).poll_next(cx));
        Poll::Ready(match message {
            None | Some(Ok(Message::Close(_))) => Ok(Happened::Closed),
            Some(Ok(Message::Binary(bytes))) => frame::decode(&bytes)
                .map(|(stream, body)| Happened::Frame(stream, Box::new(body)))
                .map_err(Into::into),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(Happened::Life),
            Some(Ok(Message::Text(_) | Message::Frame(_))) => Err(SocketError::NotBinary),
            Some(Err(error)) => hung_up(error),
        })
    }
}

/// A peer that is simply gone is no error worth a line in the log.
fn hung_up(error: tungstenite::Error) -> Result<Happened, SocketError> {
    use tungstenite::Error::{AlreadyClosed, ConnectionClosed, Io, Protocol};
    use tungstenite::error::ProtocolError::ResetWithoutClosingHandshake;
    let gone = matches!(&error, ConnectionClosed | AlreadyClosed | Protocol(ResetWithoutClosingHandshake))
        || matches!(&error, Io(io) if matches!(io.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset));
    if gone { Ok(Happened::Closed) } else { Err(SocketError::Socket(Box::new(error))) }
}
