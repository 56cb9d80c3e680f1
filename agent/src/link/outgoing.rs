//! Frames on their way out: three queues, strict priority, one frame at a time.
//!
//! Rule: a later class waits while an earlier one has frames, so no flood of log bytes delays an event; bulk is only
//! queued while there is room, so it waits in the spool and not in memory. A frame that has begun is overtaken by nothing:
//! on a slow line bulk comes in small ones, each when the kernel is through with the last. Neighbours: `session`, `logs`, `line`.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hydron_proto::frame::{self, FrameError, MAX_DATA, Priority};
use hydron_proto::wire::frame::Body;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::line::Line;

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

/// A frame to write.
#[derive(Debug)]
pub(super) struct Frame {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// If it is bulk, since when it waited for the line.
    pub bulk_since: Option<Instant>,
}

/// Bytes of bulk for a frame, by what the line took lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    size: usize,
    /// Bytes that left, and how long that took: of the last frames, each weighs three quarters of the one after it.
    /// A single frame says little.
    bytes: u64,
    micros: u64,
}

impl Default for Piece {
    fn default() -> Self {
        Self { size: MAX_DATA, bytes: 0, micros: 0 }
    }
}

impl Piece {
    /// After a frame of so many bytes has taken this long. It grows by doubling.
    fn after(self, bytes: usize, took: Duration) -> Self {
        let less = |sum: u64| sum / 4 * 3;
        let bytes = less(self.bytes) + bytes as u64;
        let micros = less(self.micros) + u64::try_from(took.as_micros()).unwrap_or(u64::MAX / 2);
        let fits = u128::from(bytes) * LINE_TIME.as_micros() / u128::from(micros.max(1));
        let fits = usize::try_from(fits).unwrap_or(usize::MAX);
        Self { size: fits.min(self.size * 2).clamp(LEAST_DATA, MAX_DATA), bytes, micros }
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

    /// The next frame to write; waits for one, and with bulk until the line has room.
    pub(super) async fn next(&self, line: &Line) -> Frame {
        let mut waiting: Option<Instant> = None;
        loop {
            if let Some(bytes) = self.take_urgent() {
                return Frame { bytes, bulk_since: None };
            }
            if self.bulk_room() == BULK_ROOM {
                self.filled.notified().await;
                continue;
            }
            let since = *waiting.get_or_insert_with(Instant::now);
            tokio::select! {
                biased;
                () = self.filled.notified() => {}
                () = line.room() => {
                    if let Some(bytes) = self.take(|queues| queues.bulk.pop_front()) {
                        return Frame { bytes, bulk_since: Some(since) };
                    }
                }
            }
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
        self.lock().piece.size
    }

    /// A frame of bulk of so many bytes has left; this is how long the line took for it.
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

    fn take_urgent(&self) -> Option<Vec<u8>> {
        self.take(|queues| queues.control.pop_front().or_else(|| queues.interactive.pop_front()))
    }

    fn take(&self, pick: impl FnOnce(&mut Queues) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
        let bytes = pick(&mut self.lock());
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
        for _ in 0..20 {
            piece = piece.after(MAX_DATA, Duration::from_millis(1));
            assert_eq!(piece.size, MAX_DATA);
        }
        // 1 Mbit/s, where the kernel takes every other frame at once.
        for frame in 0..40 {
            let line = Duration::from_micros(piece.size as u64 * 8);
            piece = piece.after(piece.size, if frame % 2 == 0 { Duration::ZERO } else { line * 2 });
            assert!(frame < 8 || piece.size <= 2 * LEAST_DATA, "frame {frame}: {piece:?}");
        }
        for frame in 0..40 {
            piece = piece.after(piece.size, Duration::from_micros(100));
            assert!(frame < 20 || piece.size == MAX_DATA, "frame {frame}: {piece:?}");
        }
    }

    #[tokio::test]
    async fn a_later_class_waits_while_an_earlier_one_has_frames() {
        let (outgoing, line) = (Outgoing::default(), Line::without_limit());
        let ping = |nonce| Body::Ping(wire::Ping { nonce });
        outgoing.push(Priority::Bulk, 0, ping(3)).unwrap();
        outgoing.push(Priority::Interactive, 0, ping(2)).unwrap();
        outgoing.push(Priority::Control, 0, ping(1)).unwrap();
        outgoing.push(Priority::Control, 0, ping(1)).unwrap();
        for expected in [1, 1, 2, 3] {
            let (_, body) = frame::decode(&outgoing.next(&line).await.bytes).unwrap();
            assert_eq!(body, ping(expected));
        }
    }
}
