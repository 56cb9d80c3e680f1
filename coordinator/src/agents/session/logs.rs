//! Output of steps on its way in: one stream a command, within credit that comes back when bytes are durable.

use std::collections::BTreeMap;

use bytes::Bytes;
use hydron_proto::frame::{MAX_DATA, ReceiveCredit, STREAM_CREDIT};
use hydron_proto::ids::ServerId;
use hydron_proto::wire::{self, frame::Body};
use hydron_store::logs::LogKey;

use crate::agents::report::Nonsense;

/// Most streams that are open at once; each may hold its credit in memory.
const MAX_STREAMS: usize = 32;

#[derive(Debug, Default)]
pub(super) struct LogStreams {
    server: Option<ServerId>,
    open: BTreeMap<u32, Incoming>,
}

#[derive(Debug)]
struct Incoming {
    key: LogKey,
    /// Offset of the next byte.
    offset: u64,
    credit: ReceiveCredit,
    /// Bytes handed on that are not durable yet.
    in_flight: usize,
    /// The agent sent everything.
    ended: bool,
}

type Frames = Vec<(u32, Body)>;

impl LogStreams {
    pub(super) fn of(server: ServerId) -> Self {
        Self { server: Some(server), open: BTreeMap::new() }
    }

    /// The agent opens a stream; frames to answer with when it may not.
    pub(super) fn open(&mut self, stream: u32, open: wire::StreamOpen) -> Result<Frames, Nonsense> {
        let Some(wire::stream_open::Kind::Log(log)) = open.kind else {
            return Err(Nonsense("a stream of a kind that agents do not open"));
        };
        if stream == 0 || !stream.is_multiple_of(2) || self.open.contains_key(&stream) {
            return Err(Nonsense("a stream number that is not the agent's to use"));
        }
        let server = self.server.ok_or(Nonsense("a stream before its time"))?;
        let command = log.command.ok_or(Nonsense("output without a command"))?;
        let key = LogKey {
            run: command.run_id.parse().map_err(|_| Nonsense("output of no run"))?,
            server,
            step: command.step,
            attempt: command.attempt,
        };
        self.open.retain(|_, incoming| !incoming.ended || incoming.in_flight > 0);
        if self.open.len() >= MAX_STREAMS {
            let close = wire::StreamClose { code: 2, message: "too many streams".to_owned() };
            return Ok(vec![(stream, Body::StreamClose(close))]);
        }
        let credit = ReceiveCredit::new(STREAM_CREDIT);
        self.open.insert(stream, Incoming { key, offset: log.offset, credit, in_flight: 0, ended: false });
        Ok(Vec::new())
    }

    /// Bytes came; whose they are and where they begin.
    pub(super) fn data(
        &mut self,
        stream: u32,
        data: Bytes,
    ) -> Result<Option<(LogKey, u64, Bytes)>, Nonsense> {
        // A stream that was closed for its wrong offset may have bytes under way.
        let Some(incoming) = self.open.get_mut(&stream) else { return Ok(None) };
        if data.len() > MAX_DATA || !incoming.credit.arrived(data.len()) {
            return Err(Nonsense("more bytes than the stream has credit for"));
        }
        if incoming.ended {
            return Err(Nonsense("bytes after the end of a stream"));
        }
        let offset = incoming.offset;
        incoming.offset += data.len() as u64;
        incoming.in_flight += data.len();
        Ok(Some((incoming.key, offset, data)))
    }

    pub(super) fn close(&mut self, stream: u32) {
        let done = self.open.get_mut(&stream).is_some_and(|incoming| {
            incoming.ended = true;
            incoming.in_flight == 0
        });
        if done {
            self.open.remove(&stream);
        }
    }

    /// Bytes are durable: acknowledge, give credit back, and end a stream that went on in the wrong place.
    pub(super) fn stored(&mut self, key: LogKey, stored: u64, used: usize) -> Frames {
        let command = wire::CommandId { run_id: key.run.to_string(), step: key.step, attempt: key.attempt };
        let ack = wire::LogAck { command: Some(command), offset: stored };
        let mut frames = vec![(0, Body::LogAck(ack))];
        let found = self.open.iter_mut().find(|(_, incoming)| incoming.key == key && incoming.in_flight > 0);
        let Some((stream, incoming)) = found else { return frames };
        let stream = *stream;
        incoming.in_flight = incoming.in_flight.saturating_sub(used);
        if let Some(bytes) = incoming.credit.consumed(used) {
            frames.push((stream, Body::WindowUpdate(wire::WindowUpdate { bytes })));
        }
        // Everything of this stream is judged, and still it does not end where the stored copy does.
        if incoming.in_flight == 0 && incoming.offset != stored {
            let close =
                wire::StreamClose { code: 1, message: "go on from the acknowledged offset".to_owned() };
            frames.push((stream, Body::StreamClose(close)));
            self.open.remove(&stream);
        } else if incoming.in_flight == 0 && incoming.ended {
            self.open.remove(&stream);
        }
        frames
    }
}
