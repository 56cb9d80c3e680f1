//! Frames on their way out: three queues, strict priority, one frame at a time.
//!
//! Rule: a later class waits while an earlier one has frames, so no flood of log bytes delays an event; bulk is only
//! queued while there is room, so it waits in the spool and not in memory. A frame that has begun is overtaken by nothing:
//! on a slow line bulk comes in small ones. Neighbours: `session`, `logs`.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hydron_proto::frame::{self, FrameError, MAX_DATA, Priority};
use hydron_proto::wire::frame::Body;
use tokio::sync::Notify;

/// Bulk frames that may wait: 128 KiB.
const BULK_ROOM: usize = 4;
/// How long a bulk frame may keep the line to itself, and how small it becomes at most for that.
const LINE_TIME: Duration = Duration::from_millis(32);
const LEAST_DATA: usize = 4 * 1024;
/// Control frames that may wait before no more are taken from the executor.
const CONTROL_ROOM: usize = 256;

/// The three queues.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    queues: Mutex<Queues>,
    filled: Notify,
    drained: Notify,
}

#[derive(Debug, Default)]
struct Queues {
    control: VecDeque<Vec<u8>>,
    interactive: VecDeque<Vec<u8>>,
    bulk: VecDeque<Vec<u8>>,
    piece: Piece,
}

/// Bytes of bulk for a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece(usize);

impl Default for Piece {
    fn default() -> Self {
        Self(MAX_DATA)
    }
}

impl Piece {
    /// After a frame of so many bytes has taken this long. It grows by doubling: one frame for which the kernel had room
    /// says little.
    fn after(self, bytes: usize, took: Duration) -> Self {
        let within = |bytes: usize| {
            let fits = (bytes as u128) * LINE_TIME.as_micros() / took.as_micros().max(1);
            usize::try_from(fits).unwrap_or(usize::MAX)
        };
        Self(within(bytes).min(self.0 * 2).clamp(LEAST_DATA, MAX_DATA))
    }
}

impl Outgoing {
    /// Queues a frame.
    pub(super) fn push(&self, priority: Priority, stream: u32, body: Body) -> Result<(), FrameError> {
        let bytes = frame::encode(stream, body)?;
        let mut queues = self.lock();
        match priority {
            Priority::Control => queues.control.push_back(bytes),
            Priority::Interactive => queues.interactive.push_back(bytes),
            Priority::Bulk => queues.bulk.push_back(bytes),
        }
        drop(queues);
        self.filled.notify_one();
        Ok(())
    }

    /// The next frame to write; waits for one.
    pub(super) async fn next(&self) -> Vec<u8> {
        loop {
            if let Some(bytes) = self.take() {
                return bytes;
            }
            self.filled.notified().await;
        }
    }

    /// Whether no frame waits.
    pub(super) fn is_empty(&self) -> bool {
        let queues = self.lock();
        queues.control.is_empty() && queues.interactive.is_empty() && queues.bulk.is_empty()
    }

    /// Bulk frames that may be queued now.
    pub(super) fn bulk_room(&self) -> usize {
        BULK_ROOM.saturating_sub(self.lock().bulk.len())
    }

    /// Bytes of bulk that a frame should have now.
    pub(super) fn piece(&self) -> usize {
        self.lock().piece.0
    }

    /// A large frame of so many bytes has left; this is how long the line took for it.
    pub(super) fn left(&self, bytes: usize, took: Duration) {
        let mut queues = self.lock();
        queues.piece = queues.piece.after(bytes, took);
    }

    /// Whether the executor may bring more events.
    pub(super) fn has_control_room(&self) -> bool {
        self.lock().control.len() < CONTROL_ROOM
    }

    /// Waits until something was taken out.
    pub(super) async fn drained(&self) {
        self.drained.notified().await;
    }

    fn take(&self) -> Option<Vec<u8>> {
        let mut queues = self.lock();
        let bytes = queues
            .control
            .pop_front()
            .or_else(|| queues.interactive.pop_front())
            .or_else(|| queues.bulk.pop_front());
        drop(queues);
        if bytes.is_some() {
            self.drained.notify_one();
        }
        bytes
    }

    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hydron_proto::wire;

    #[test]
    fn bulk_comes_in_small_frames_on_a_slow_line_and_in_large_ones_again_when_it_is_fast() {
        let mut piece = Piece::default();
        assert_eq!(piece.after(MAX_DATA, Duration::from_millis(1)).0, MAX_DATA);
        // 1 Mbit/s.
        piece = piece.after(MAX_DATA, Duration::from_millis(262));
        assert_eq!(piece.0, LEAST_DATA);
        assert_eq!(piece.after(LEAST_DATA, Duration::from_millis(33)).0, LEAST_DATA);
        for doubled in [2, 4, 8, 8] {
            piece = piece.after(LEAST_DATA, Duration::ZERO);
            assert_eq!(piece.0, doubled * LEAST_DATA);
        }
    }

    #[tokio::test]
    async fn a_later_class_waits_while_an_earlier_one_has_frames() {
        let outgoing = Outgoing::default();
        let ping = |nonce| Body::Ping(wire::Ping { nonce });
        outgoing.push(Priority::Bulk, 0, ping(3)).unwrap();
        outgoing.push(Priority::Interactive, 0, ping(2)).unwrap();
        outgoing.push(Priority::Control, 0, ping(1)).unwrap();
        outgoing.push(Priority::Control, 0, ping(1)).unwrap();
        for expected in [1, 1, 2, 3] {
            let (_, body) = frame::decode(&outgoing.next().await).unwrap();
            assert_eq!(body, ping(expected));
        }
    }
}
