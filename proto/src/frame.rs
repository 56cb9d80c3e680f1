//! Frames of the link: limits, priorities, and the credit that keeps one stream from starving the others.
//!
//! Rule: a frame over the limit or a stream over its credit is a protocol error, found before memory is spent.
//! Evidence for every constant: 64 KiB frames stay under a second at 1 Mbit/s; 256 KiB is yamux's default credit.

use prost::Message as _;

use crate::wire::{self, frame::Body};

/// Largest encoded frame, bytes.
pub const MAX_FRAME: usize = 64 * 1024;
/// Largest payload of one `StreamData`, bytes.
pub const MAX_DATA: usize = 32 * 1024;
/// Largest signed envelope, bytes.
pub const MAX_ENVELOPE: usize = 4 * 1024 * 1024;
/// Credit of a stream when it opens, bytes.
pub const STREAM_CREDIT: u32 = 256 * 1024;
/// What the kernel may hold unsent of a connection, bytes, on either side: behind it nothing can be overtaken. 65 ms at 1 Mbit/s.
pub const UNSENT: u32 = 8 * 1024;
/// Silence after which a ping is sent, seconds.
pub const PING_AFTER_S: u64 = 15;
/// Silence after which the connection is dead; any received byte is life, seconds.
pub const DEAD_AFTER_S: u64 = 35;
/// Longest time for each stage of the handshake, seconds.
pub const HANDSHAKE_STAGE_S: u64 = 10;

/// A frame that must not be sent or was wrongly received.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// More than [`MAX_FRAME`] bytes.
    #[error("a frame of {0} bytes is over the limit of {MAX_FRAME}")]
    TooLarge(usize),
    /// Not a frame.
    #[error("a frame does not decode")]
    Decode(#[from] prost::DecodeError),
    /// A frame without a body this version knows.
    #[error("a frame has no known body")]
    Empty,
}

/// What the writer picks first. Strict: a later class waits while an earlier one has frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Session, permits, events, acknowledgements.
    Control,
    /// What a person is waiting for: envelopes, queries.
    Interactive,
    /// Logs.
    Bulk,
}

/// Encodes one frame within the limit.
pub fn encode(stream: u32, body: Body) -> Result<Vec<u8>, FrameError> {
    let bytes = wire::Frame { stream, body: Some(body) }.encode_to_vec();
    if bytes.len() > MAX_FRAME {
        return Err(FrameError::TooLarge(bytes.len()));
    }
    Ok(bytes)
}

/// Decodes one frame within the limit.
pub fn decode(bytes: &[u8]) -> Result<(u32, Body), FrameError> {
    if bytes.len() > MAX_FRAME {
        return Err(FrameError::TooLarge(bytes.len()));
    }
    let frame = wire::Frame::decode(bytes)?;
    Ok((frame.stream, frame.body.ok_or(FrameError::Empty)?))
}

/// The sender's side of a stream's credit: how much may still be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendCredit(u64);

impl SendCredit {
    /// A fresh stream.
    pub fn new(initial: u32) -> Self {
        Self(u64::from(initial))
    }

    /// Bytes that may be sent now.
    pub fn available(&self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }

    /// Takes credit for `bytes`; false (and nothing taken) when there is not enough.
    #[must_use]
    pub fn take(&mut self, bytes: usize) -> bool {
        match self.0.checked_sub(bytes as u64) {
            Some(left) => {
                self.0 = left;
                true
            }
            None => false,
        }
    }

    /// The receiver gave `bytes` back.
    pub fn grant(&mut self, bytes: u32) {
        self.0 = self.0.saturating_add(u64::from(bytes));
    }
}

/// The receiver's side: refuses more than was granted, gives back in halves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiveCredit {
    window: u32,
    outstanding: u64,
    consumed: u32,
}

impl ReceiveCredit {
    /// A fresh stream with `window` bytes granted.
    pub fn new(window: u32) -> Self {
        Self { window, outstanding: u64::from(window), consumed: 0 }
    }

    /// Bytes arrived; false when the sender broke its credit.
    #[must_use]
    pub fn arrived(&mut self, bytes: usize) -> bool {
        match self.outstanding.checked_sub(bytes as u64) {
            Some(left) => {
                self.outstanding = left;
                true
            }
            None => false,
        }
    }

    /// Bytes were used up; returns what to grant back now, if it is worth a frame.
    pub fn consumed(&mut self, bytes: usize) -> Option<u32> {
        self.consumed = self.consumed.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
        if self.consumed < self.window / 2 {
            return None;
        }
        let grant = std::mem::take(&mut self.consumed);
        self.outstanding += u64::from(grant);
        Some(grant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_frame_over_the_limit_is_refused_on_both_sides() {
        let data = wire::StreamData { data: vec![0; MAX_FRAME].into() };
        assert!(matches!(encode(2, Body::StreamData(data)), Err(FrameError::TooLarge(_))));
        assert!(matches!(decode(&vec![0; MAX_FRAME + 1]), Err(FrameError::TooLarge(_))));
    }

    #[test]
    fn the_limits_are_the_ones_both_sides_were_built_with() {
        assert_eq!((MAX_FRAME, MAX_DATA, MAX_ENVELOPE), (65_536, 32_768, 4_194_304));
        assert_eq!((STREAM_CREDIT, UNSENT), (262_144, 8192));
    }

    #[test]
    fn a_frame_of_exactly_the_limit_passes_both_sides() {
        let of = |payload| encode(2, Body::StreamData(wire::StreamData { data: vec![7; payload].into() }));
        let overhead = of(MAX_DATA).unwrap().len() - MAX_DATA;
        let largest = of(MAX_FRAME - overhead).unwrap();
        assert_eq!(largest.len(), MAX_FRAME);
        assert!(decode(&largest).is_ok());
    }

    #[test]
    fn a_sender_without_credit_is_told_and_loses_nothing() {
        let mut send = SendCredit::new(10);
        assert!(!send.take(11));
        assert_eq!(send.available(), 10);
        assert!(send.take(10));
        assert!(!send.take(1));
        send.grant(4);
        assert_eq!(send.available(), 4);
    }

    #[test]
    fn a_sender_that_breaks_its_credit_is_found() {
        let mut receive = ReceiveCredit::new(10);
        assert!(!receive.arrived(11));
        assert!(receive.arrived(10));
        assert!(!receive.arrived(1));
    }

    #[test]
    fn credit_comes_back_once_half_of_the_window_is_used_and_can_be_used_again() {
        let mut receive = ReceiveCredit::new(10);
        assert!(receive.arrived(10));
        assert_eq!(receive.consumed(4), None);
        assert_eq!(receive.consumed(1), Some(5));
        assert_eq!(receive.consumed(4), None);
        assert!(receive.arrived(5));
        assert!(!receive.arrived(1));
        assert_eq!(receive.consumed(2), Some(6));
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            let _ = decode(&bytes);
        }

        #[test]
        fn a_sender_within_its_credit_is_never_refused_and_never_stuck(sizes in proptest::collection::vec(1usize..40_000, 1..200)) {
            let mut send = SendCredit::new(STREAM_CREDIT);
            let mut receive = ReceiveCredit::new(STREAM_CREDIT);
            for size in sizes {
                prop_assert!(send.take(size), "stuck with {} left", send.available());
                prop_assert!(receive.arrived(size));
                if let Some(grant) = receive.consumed(size) {
                    send.grant(grant);
                }
            }
        }
    }
}
