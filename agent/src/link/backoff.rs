//! When to try again. Rule: pure; random numbers come in as arguments.
//!
//! A window doubles from its least to its most; one attempt falls at a random point of each window, and the next window
//! begins where the last one ended. A thousand agents that lost one coordinator spread evenly, however they began.

use std::time::Duration;

use crate::config::LinkConfig;

/// A connection that lasted this long starts the windows over.
pub(super) const STABLE: Duration = Duration::from_mins(1);
/// Wait after another connection took this one's place.
pub(super) const SUPERSEDED: Duration = Duration::from_mins(1);

/// Where in the windows we are.
#[derive(Debug, Clone)]
pub(super) struct Backoff {
    window: Duration,
    most: Duration,
    least: Duration,
    /// What is left of the last window after its attempt.
    rest: Duration,
}

impl Backoff {
    /// The windows for ordinary failures.
    pub(super) fn for_transport(config: &LinkConfig) -> Self {
        Self::new(config.retry_min_ms, config.retry_max_ms)
    }

    /// The windows after the coordinator refused this identity.
    pub(super) fn for_refusal(config: &LinkConfig) -> Self {
        Self::new(config.refused_min_ms, config.refused_max_ms)
    }

    fn new(least_ms: u64, most_ms: u64) -> Self {
        let least = Duration::from_millis(least_ms.max(1));
        let most = Duration::from_millis(most_ms).max(least);
        Self { window: least, most, least, rest: Duration::ZERO }
    }

    /// How long to wait before the next attempt; `random` is in 0..1.
    pub(super) fn next(&mut self, random: f64) -> Duration {
        let inside = self.window.mul_f64(random.clamp(0.0, 1.0));
        let wait = self.rest + inside;
        self.rest = self.window.saturating_sub(inside);
        self.window = (self.window * 2).min(self.most);
        wait
    }

    /// Starts over.
    pub(super) fn reset(&mut self) {
        *self = Self { window: self.least, rest: Duration::ZERO, ..self.clone() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_attempt_falls_into_its_own_doubling_window() {
        for random in [0.0, 0.3, 0.999] {
            let mut backoff = Backoff::new(1_000, 60_000);
            let mut at = Duration::ZERO;
            let mut begin = Duration::ZERO;
            for window in [1, 2, 4, 8, 16, 32, 60, 60] {
                at += backoff.next(random);
                let end = begin + Duration::from_secs(window);
                assert!(at >= begin && at <= end, "{at:?} outside {begin:?}..{end:?}");
                begin = end;
            }
            backoff.reset();
            assert!(backoff.next(random) <= Duration::from_secs(1));
        }
    }
}
