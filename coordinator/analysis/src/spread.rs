//! The same work for many things on several threads.
//!
//! One rule: the work is pure and the results come in the order of the things, so nobody can see how many threads there were.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Threads of one reading: it shares the machine with everything else the coordinator does.
const MOST_THREADS: usize = 4;

/// How many things a thread takes at once; with fewer, starting threads costs more than it gives.
const CHUNK: usize = 32;

/// Applies `work` to every item.
pub(crate) fn spread<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    if threads < 2 || items.len() <= CHUNK {
        return items.iter().map(work).collect();
    }
    let chunks: Vec<&[T]> = items.chunks(CHUNK).collect();
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(chunk) = chunks.get(at) else { return done };
            done.push((at, chunk.iter().map(&work).collect::<Vec<R>>()));
        }
    };
    let mut parts = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(take)).collect();
        let mut parts = take();
        for other in others {
            parts.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        parts
    });
    parts.sort_unstable_by_key(|(at, _)| *at);
    parts.into_iter().flat_map(|(_, part)| part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_things() {
        let items: Vec<u64> = (0..5000).collect();
        let squares: Vec<u64> = items.iter().map(|n| n * n).collect();
        assert_eq!(spread(&items, |n| n * n), squares);
        assert_eq!(spread(&[7_u64], |n| n * n), [49]);
        assert_eq!(spread(&[] as &[u64], |n| n * n), [] as [u64; 0]);
    }
}
