//! A line that is slow, and what still comes through while output waits for it: I10.
//!
//! Rule: a question of the coordinator is answered after at most one frame of output that was on its way, however much waits.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hydron_proto::frame::{self, MAX_DATA};
use hydron_proto::wire::{self, frame::Body};
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_tungstenite::tungstenite::Message;

/// What turns of the simulation add.
const SLACK: Duration = Duration::from_millis(200);
/// No connection has such a number: these questions are ours.
const OURS: u64 = 1 << 60;

pub(crate) struct Line {
    bytes_a_second: u64,
    /// When everything that was sent has left.
    free_at: Instant,
    waits: Pin<Box<Sleep>>,
    asked: u64,
    open: Option<Question>,
}

struct Question {
    nonce: u64,
    at: Instant,
    /// Frames of output that went out since.
    output: u32,
}

impl Line {
    pub(crate) fn new(bytes_a_second: u64) -> Self {
        let now = Instant::now();
        Self { bytes_a_second, free_at: now, waits: Box::pin(sleep_until(now)), asked: OURS, open: None }
    }

    /// Ready when everything has left.
    pub(crate) fn poll_free(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= self.free_at {
            return Poll::Ready(());
        }
        self.waits.as_mut().reset(self.free_at);
        self.waits.as_mut().poll(cx)
    }

    /// A frame goes out: whether it is the answer to a question of ours.
    pub(crate) fn takes(&mut self, bytes: usize, body: &Body) -> bool {
        let now = Instant::now();
        self.free_at = self.free_at.max(now) + self.time_of(bytes);
        match (body, &mut self.open) {
            (Body::StreamData(_), Some(question)) => {
                question.output += 1;
                let output = question.output;
                assert!(output <= 1, "I10: {output} frames of output went before an answer");
                false
            }
            (Body::Pong(pong), Some(question)) if pong.nonce == question.nonce => {
                let took = now - question.at;
                let most = self.time_of(MAX_DATA) + SLACK;
                assert!(took <= most, "I10: an answer took {took:?} and not {most:?}");
                self.open = None;
                true
            }
            _other_frames => false,
        }
    }

    /// A question of the coordinator arrives, unless one is open.
    pub(crate) fn ask(&mut self) -> Option<Message> {
        if self.open.is_some() {
            return None;
        }
        self.asked += 1;
        self.open = Some(Question { nonce: self.asked, at: Instant::now(), output: 0 });
        let ping = frame::encode(0, Body::Ping(wire::Ping { nonce: self.asked })).unwrap();
        Some(Message::Binary(ping.into()))
    }

    fn time_of(&self, bytes: usize) -> Duration {
        Duration::from_micros(bytes as u64 * 1_000_000 / self.bytes_a_second)
    }
}
