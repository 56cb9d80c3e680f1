//! The log streams of one connection: which spool is sent from where, within its credit.
//!
//! Rule: pure bookkeeping. What to read next comes out, what was read goes in; a byte leaves once, from the offset the
//! coordinator named. Neighbours: `session` (wires it), `outgoing` (says when there is room).

use std::collections::{BTreeMap, BTreeSet};

use hydron_proto::frame::SendCredit;
use hydron_proto::wire::{self, frame::Body};

/// Run, step, attempt.
type Key = (String, u32, u32);

/// Streams that may be under way at once; each may fill its credit in the coordinator's memory.
const MAX_STREAMS: usize = 16;

/// All log streams of a connection.
#[derive(Debug)]
pub(super) struct LogStreams {
    credit: u32,
    next_stream: u32,
    /// Those of which something is still to be sent or acknowledged: every turn walks them.
    spools: BTreeMap<Key, Spool>,
    /// Those that the coordinator has whole.
    done: BTreeSet<Key>,
}

#[derive(Debug)]
struct Spool {
    /// Next byte to send.
    offset: u64,
    length: u64,
    finished: bool,
    /// Durable at the coordinator up to here.
    acknowledged: u64,
    state: State,
    reading: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Unopened,
    Open {
        stream: u32,
        credit: SendCredit,
    },
    /// All of it was sent, and some is not acknowledged yet.
    Draining {
        stream: u32,
    },
    /// The coordinator closed the stream; its next acknowledgement says from where to go on.
    AwaitingOffset,
}

impl LogStreams {
    /// None yet; every stream starts with `credit`.
    pub(super) fn new(credit: u32) -> Self {
        Self { credit, next_stream: 2, spools: BTreeMap::new(), done: BTreeSet::new() }
    }

    /// The coordinator's copy of a spool ends here.
    pub(super) fn resume(&mut self, position: &wire::LogPosition) {
        let Some(command) = &position.command else { return };
        if position.finished {
            self.done.insert(key(command));
        } else {
            self.spools.insert(key(command), Spool::at(position.length));
        }
    }

    /// A spool has grown.
    pub(super) fn grew(&mut self, grew: &wire::LogGrew) {
        let Some(command) = &grew.command else { return };
        let key = key(command);
        if self.done.contains(&key) {
            return;
        }
        let spool = self.spools.entry(key).or_insert_with(|| Spool::at(0));
        spool.length = spool.length.max(grew.length);
        spool.finished |= grew.finished;
    }

    /// What to ask the executor for, at most `room` reads at a time in all, each of at most `piece` bytes.
    pub(super) fn wanted(&mut self, room: usize, piece: usize) -> Vec<wire::ReadLog> {
        let reading = self.spools.values().filter(|spool| spool.reading).count();
        let mut under_way = self.spools.values().filter(|spool| spool.is_under_way()).count();
        let initial = self.credit;
        let wanting = self.spools.iter_mut().filter_map(|(key, spool)| {
            let fresh = !spool.is_under_way();
            if fresh && under_way >= MAX_STREAMS {
                return None;
            }
            let max_bytes = spool.wants(initial, piece)?;
            under_way += usize::from(fresh);
            spool.reading = true;
            Some(wire::ReadLog { command: Some(command(key)), offset: spool.offset, max_bytes })
        });
        wanting.take(room.saturating_sub(reading)).collect()
    }

    /// Bytes that were asked for; returns the frames to send, in order.
    pub(super) fn read(&mut self, data: wire::LogData) -> Vec<(u32, Body)> {
        let Some(command) = data.command else { return Vec::new() };
        let key = key(&command);
        let Some(spool) = self.spools.get_mut(&key) else { return Vec::new() };
        spool.reading = false;
        if data.offset != spool.offset || spool.is_over() {
            return Vec::new();
        }
        let mut frames = Vec::new();
        if spool.state == State::Unopened {
            let stream = self.next_stream;
            self.next_stream += 2;
            let log = wire::LogStream { command: Some(command), offset: spool.offset };
            let kind = Some(wire::stream_open::Kind::Log(log));
            frames.push((stream, Body::StreamOpen(wire::StreamOpen { kind })));
            spool.state = State::Open { stream, credit: SendCredit::new(self.credit) };
        }
        let (stream, credit) = match &mut spool.state {
            State::Open { stream, credit } => (*stream, credit),
            State::Unopened | State::Draining { .. } | State::AwaitingOffset => return frames,
        };
        let nothing = data.data.is_empty();
        if !nothing {
            if !credit.take(data.data.len()) {
                return frames;
            }
            spool.offset += data.data.len() as u64;
            frames.push((stream, Body::StreamData(wire::StreamData { data: data.data })));
        }
        if nothing && !data.end {
            // Nothing is there although more was announced: wait for the next word instead of asking again at once.
            spool.length = spool.offset;
        }
        if data.end {
            let drained = spool.acknowledged >= spool.offset;
            spool.state = State::Draining { stream };
            frames.push((stream, Body::StreamClose(wire::StreamClose::default())));
            if drained {
                self.over(key);
            }
        }
        frames
    }

    /// The coordinator gives credit back.
    pub(super) fn granted(&mut self, wanted: u32, bytes: u32) {
        for spool in self.spools.values_mut() {
            if let State::Open { stream, credit } = &mut spool.state
                && *stream == wanted
            {
                credit.grant(bytes);
            }
        }
    }

    /// The coordinator closed a stream of ours: with code 1 because of its offset, which it then says; with another one
    /// because it cannot take it now.
    pub(super) fn closed(&mut self, wanted: u32, code: u32) {
        for spool in self.spools.values_mut() {
            if spool.state.stream() == Some(wanted) {
                if code == 1 {
                    spool.state = State::AwaitingOffset;
                } else {
                    spool.offset = spool.acknowledged;
                    spool.state = State::Unopened;
                }
            }
        }
    }

    /// The coordinator's copy is durable up to here. A spool whose stream it closed goes on from here.
    pub(super) fn acknowledged(&mut self, ack: &wire::LogAck) {
        let Some(key) = ack.command.as_ref().map(key) else { return };
        let Some(spool) = self.spools.get_mut(&key) else { return };
        spool.acknowledged = ack.offset;
        match spool.state {
            State::AwaitingOffset => {
                spool.offset = ack.offset;
                spool.state = State::Unopened;
            }
            State::Draining { .. } if ack.offset >= spool.offset => self.over(key),
            State::Unopened | State::Open { .. } | State::Draining { .. } => {}
        }
    }

    fn over(&mut self, key: Key) {
        self.spools.remove(&key);
        self.done.insert(key);
    }

    /// A run is over and forgotten.
    pub(super) fn forget(&mut self, run: &str) {
        self.spools.retain(|(of, _, _), _| of != run);
        self.done.retain(|(of, _, _)| of != run);
    }
}

impl State {
    fn stream(&self) -> Option<u32> {
        match self {
            Self::Open { stream, .. } | Self::Draining { stream } => Some(*stream),
            Self::Unopened | Self::AwaitingOffset => None,
        }
    }
}

impl Spool {
    fn at(offset: u64) -> Self {
        Self {
            offset,
            length: 0,
            finished: false,
            acknowledged: offset,
            state: State::Unopened,
            reading: false,
        }
    }

    /// Counts against the streams that may be open at once; a read that will open one counts already.
    fn is_under_way(&self) -> bool {
        self.state.stream().is_some() || (self.reading && self.state == State::Unopened)
    }

    /// Nothing more is read for it now.
    fn is_over(&self) -> bool {
        match self.state {
            State::Draining { .. } | State::AwaitingOffset => true,
            State::Unopened | State::Open { .. } => false,
        }
    }

    /// How many bytes may be read now; `None` for nothing. A finished spool is read once more for its end.
    fn wants(&self, initial: u32, piece: usize) -> Option<u32> {
        let credit = match &self.state {
            State::Unopened => SendCredit::new(initial).available(),
            State::Open { credit, .. } => credit.available(),
            State::Draining { .. } | State::AwaitingOffset => return None,
        };
        let more = self.offset < self.length;
        let wants = !self.reading && ((more && credit > 0) || (!more && self.finished));
        wants.then(|| u32::try_from(credit.min(piece)).unwrap_or(u32::MAX))
    }
}

fn key(command: &wire::CommandId) -> Key {
    (command.run_id.clone(), command.step, command.attempt)
}

fn command((run_id, step, attempt): &Key) -> wire::CommandId {
    wire::CommandId { run_id: run_id.clone(), step: *step, attempt: *attempt }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hydron_proto::frame::MAX_DATA;

    fn id() -> wire::CommandId {
        wire::CommandId { run_id: "r".into(), step: 1, attempt: 1 }
    }

    fn grew(length: u64, finished: bool) -> wire::LogGrew {
        wire::LogGrew { command: Some(id()), length, finished }
    }

    /// Serves reads from `spool` until nothing is wanted; returns what was sent.
    fn pump(streams: &mut LogStreams, spool: &[u8], finished: bool) -> Vec<(u32, Body)> {
        let mut sent = Vec::new();
        loop {
            let wanted = streams.wanted(4, MAX_DATA);
            if wanted.is_empty() {
                return sent;
            }
            for read in wanted {
                let from = usize::try_from(read.offset).unwrap();
                let to = (from + read.max_bytes as usize).min(spool.len());
                let data = wire::LogData {
                    command: read.command,
                    offset: read.offset,
                    data: spool[from..to].to_vec().into(),
                    end: finished && to == spool.len(),
                };
                sent.extend(streams.read(data));
            }
        }
    }

    fn bytes(frames: &[(u32, Body)]) -> Vec<u8> {
        frames
            .iter()
            .filter_map(
                |(_, body)| if let Body::StreamData(data) = body { Some(data.data.clone()) } else { None },
            )
            .flatten()
            .collect()
    }

    #[test]
    fn a_spool_is_sent_within_its_credit_and_closed_at_its_end() {
        let spool = vec![7; 100_000];
        let mut streams = LogStreams::new(40_000);
        streams.grew(&grew(100_000, true));
        let first = pump(&mut streams, &spool, true);
        assert_eq!(bytes(&first).len(), 40_000);
        streams.granted(2, 100_000);
        let rest = pump(&mut streams, &spool, true);
        assert_eq!(bytes(&first).len() + bytes(&rest).len(), 100_000);
        assert!(matches!(rest.last(), Some((2, Body::StreamClose(close))) if close.code == 0));
        assert!(streams.wanted(4, MAX_DATA).is_empty());
    }

    #[test]
    fn a_spool_goes_on_from_the_coordinators_offset() {
        let mut streams = LogStreams::new(1000);
        streams.resume(&wire::LogPosition { command: Some(id()), length: 3, finished: false });
        streams.grew(&grew(5, false));
        let frames = pump(&mut streams, b"abcde", false);
        assert!(matches!(&frames[0].1, Body::StreamOpen(open)
            if matches!(&open.kind, Some(wire::stream_open::Kind::Log(log)) if log.offset == 3)));
        assert_eq!(bytes(&frames), b"de");
    }

    #[test]
    fn a_closed_stream_is_opened_again_at_the_acknowledged_offset() {
        let mut streams = LogStreams::new(1000);
        streams.grew(&grew(5, false));
        assert_eq!(bytes(&pump(&mut streams, b"abcde", false)), b"abcde");
        streams.closed(2, 1);
        streams.grew(&grew(6, true));
        assert!(streams.wanted(4, MAX_DATA).is_empty());
        streams.acknowledged(&wire::LogAck { command: Some(id()), offset: 1 });
        let frames = pump(&mut streams, b"abcdef", true);
        assert_eq!(frames[0].0, 4);
        assert_eq!(bytes(&frames), b"bcdef");
    }

    #[test]
    fn hundreds_of_spools_are_sent_a_few_streams_at_a_time() {
        let mut streams = LogStreams::new(1000);
        let command = |step| wire::CommandId { step, ..id() };
        for step in 0..100 {
            streams.grew(&wire::LogGrew { command: Some(command(step)), length: 5, finished: true });
        }
        let mut acknowledged = 0;
        while acknowledged < 100 {
            let frames = pump(&mut streams, b"abcde", true);
            let opened = frames.iter().filter(|(_, body)| matches!(body, Body::StreamOpen(_))).count();
            assert!((1..=MAX_STREAMS).contains(&opened), "{opened}");
            for step in acknowledged..acknowledged + u32::try_from(opened).unwrap() {
                streams.acknowledged(&wire::LogAck { command: Some(command(step)), offset: 5 });
            }
            acknowledged += u32::try_from(opened).unwrap();
        }
    }

    #[test]
    fn an_empty_finished_spool_is_opened_and_closed_once() {
        let mut streams = LogStreams::new(1000);
        streams.grew(&grew(0, true));
        assert_eq!(pump(&mut streams, b"", true).len(), 2);
        streams.grew(&grew(0, true));
        assert!(pump(&mut streams, b"", true).is_empty());
    }
}
