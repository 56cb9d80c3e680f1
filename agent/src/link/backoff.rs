//! When to try again. Rule: pure; random numbers come in as arguments.
//!
//! A wait doubles from its least to its most, and is taken between its half and its whole. So a thousand agents that lost one
//! coordinator in the same moment drift apart, and none is away for longer than the longest wait after it is back: with one
//! attempt at a random point of each window, which spreads evenly too, two attempts can be two windows apart.

use std::time::Duration;

use crate::config::LinkConfig;

/// A connection that lasted this long starts the windows over.
pub(super) const STABLE: Duration = Duration::from_mins(1);
/// Wait after another connection took this one's place.
pub(super) const SUPERSEDED: Duration = Duration::from_mins(1);

/// How long the next wait is.
#[derive(Debug, Clone)]
pub(super) struct Backoff {
    wait: Duration,
    most: Duration,
    least: Duration,
}

impl Backoff {
    /// The waits after ordinary failures.
    pub(super) fn for_transport(config: &LinkConfig) -> Self {
        Self::new(config.retry_min_ms, config.retry_max_ms)
    }

    /// The waits after the coordinator refused this identity.
    pub(super) fn for_refusal(config: &LinkConfig) -> Self {
        Self::new(config.refused_min_ms, config.refused_max_ms)
    }

    fn new(least_ms: u64, most_ms: u64) -> Self {
        let least = Duration::from_millis(least_ms.max(1));
        let most = Duration::from_millis(most_ms).max(least);
        Self { wait: least, most, least }
    }

    /// How long to wait before the next attempt; `random` is in 0..1.
    pub(super) fn next(&mut self, random: f64) -> Duration {
        let half = self.wait / 2;
        self.wait = (self.wait * 2).min(self.most);
        half + half.mul_f64(random.clamp(0.0, 1.0))
    }

    /// Starts over.
    pub(super) fn reset(&mut self) {
        self.wait = self.least;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_lie_in_their_upper_half_and_never_exceed_the_most() {
        for random in [0.0, 0.3, 1.0] {
            let mut backoff = Backoff::new(1_000, 60_000);
            for longest in [1, 2, 4, 8, 16, 32, 60, 60] {
                let (wait, longest) = (backoff.next(random), Duration::from_secs(longest));
                assert!(wait >= longest / 2 && wait <= longest, "{wait:?} of {longest:?}");
            }
            backoff.reset();
            assert!(backoff.next(random) <= Duration::from_secs(1));
        }
    }

    #[test]
    fn who_left_together_comes_back_apart() {
        // A generator of Knuth's (MMIX): what is asked is that the waits spread, not that the numbers are good.
        let mut state = 1_u64;
        let mut random = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            f64::from(u32::try_from(state >> 32).unwrap()) / f64::from(u32::MAX)
        };
        let mut coming = [0_u32; 6];
        for _agent in 0..2_000 {
            let mut backoff = Backoff::new(1_000, 60_000);
            let mut at = Duration::ZERO;
            // The coordinator is away for ten minutes; then everybody's next attempt counts.
            while at < Duration::from_mins(10) {
                at += backoff.next(random());
            }
            let after = at.saturating_sub(Duration::from_mins(10)).as_secs() / 10;
            coming[usize::try_from(after).unwrap()] += 1;
        }
        assert!(coming.iter().all(|ten_seconds| *ten_seconds < 600), "{coming:?}");
    }
}
