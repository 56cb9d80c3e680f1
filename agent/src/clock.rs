//! The time, as an argument. Rule: only the binary's wiring makes a [`Clock::system`].

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub struct Clock(fn() -> i64);

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        })
    }

    /// A clock for tests.
    pub fn from_fn(now: fn() -> i64) -> Self {
        Self(now)
    }

    /// Milliseconds since 1970, now.
    pub fn unix_ms(self) -> i64 {
        (self.0)()
    }

    /// The same as the standard library says it.
    pub fn now(self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(u64::try_from(self.unix_ms()).unwrap_or_default())
    }
}
