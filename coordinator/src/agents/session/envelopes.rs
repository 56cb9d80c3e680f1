//! Signed envelopes on their way to one agent: one at a time, in the order of their sequence, within its credit.

use std::collections::BTreeMap;

use hydron_proto::frame::{MAX_DATA, STREAM_CREDIT, SendCredit};
use hydron_proto::wire::{self, frame::Body};
use sha2::{Digest as _, Sha256};

use crate::agents::registry::EnvelopeOut;

#[derive(Debug, Default)]
pub(super) struct Envelopes {
    waiting: BTreeMap<i64, EnvelopeOut>,
    current: Option<Sending>,
    /// The coordinator's streams are odd.
    last_stream: Option<u32>,
}

#[derive(Debug)]
struct Sending {
    stream: u32,
    envelope: EnvelopeOut,
    opened: bool,
    offset: usize,
    closed: bool,
    credit: SendCredit,
}

impl Envelopes {
    pub(super) fn add(&mut self, envelope: EnvelopeOut) {
        self.waiting.insert(envelope.sequence, envelope);
    }

    /// The executor answered about the one that was sent.
    pub(super) fn decided(&mut self) {
        if self.current.as_ref().is_some_and(|sending| sending.closed) {
            self.current = None;
        }
    }

    /// The agent gave up a stream.
    pub(super) fn closed(&mut self, stream: u32) {
        if self.current.as_ref().is_some_and(|sending| sending.stream == stream) {
            self.current = None;
        }
    }

    pub(super) fn granted(&mut self, stream: u32, bytes: u32) {
        if let Some(sending) = self.current.as_mut().filter(|sending| sending.stream == stream) {
            sending.credit.grant(bytes);
        }
    }

    /// The next frame, if one may go now.
    pub(super) fn next_frame(&mut self) -> Option<(u32, Body)> {
        if self.current.is_none() {
            let (_, envelope) = self.waiting.pop_first()?;
            let stream = self.last_stream.map_or(1, |last| last.saturating_add(2));
            self.last_stream = Some(stream);
            self.current = Some(Sending {
                stream,
                envelope,
                opened: false,
                offset: 0,
                closed: false,
                credit: SendCredit::new(STREAM_CREDIT),
            });
        }
        let sending = self.current.as_mut()?;
        sending.next().map(|body| (sending.stream, body))
    }
}

impl Sending {
    fn next(&mut self) -> Option<Body> {
        if !self.opened {
            self.opened = true;
            let announced = wire::EnvelopeStream {
                run_id: self.envelope.run.to_string(),
                length: self.envelope.bytes.len() as u64,
                sha256: Sha256::digest(&self.envelope.bytes).to_vec(),
            };
            let kind = Some(wire::stream_open::Kind::Envelope(announced));
            return Some(Body::StreamOpen(wire::StreamOpen { kind }));
        }
        let rest = self.envelope.bytes.get(self.offset..).unwrap_or_default();
        if rest.is_empty() {
            let end = (!self.closed).then(|| Body::StreamClose(wire::StreamClose::default()));
            self.closed = true;
            return end;
        }
        let size = rest.len().min(MAX_DATA).min(self.credit.available());
        let data = rest.get(..size).filter(|data| !data.is_empty())?.to_vec();
        if !self.credit.take(size) {
            return None;
        }
        self.offset += size;
        Some(Body::StreamData(wire::StreamData { data: data.into() }))
    }
}
