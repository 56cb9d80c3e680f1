//! A release of a service on a server: what ran, what runs, and what can be brought back.
//!
//! Rule: the agent's journal decides; a release is live when the agent reported the swap, and its configuration is kept
//! whole for rollback.

use crate::named::named;

named! {
    /// Where a release stands.
    ReleaseState, "state of a release" {
        /// Planned in a run; its image is being made.
        Building = "building",
        /// Its swap has begun.
        Starting = "starting",
        /// It answered its health check.
        Healthy = "healthy",
        /// It serves.
        Live = "live",
        /// It served and was replaced.
        Retired = "retired",
        /// It never served.
        Failed = "failed",
    }
}

impl ReleaseState {
    /// Whether the state may change so.
    pub fn may_become(self, next: Self) -> bool {
        match self {
            Self::Building => matches!(next, Self::Starting | Self::Live | Self::Failed),
            Self::Starting => matches!(next, Self::Healthy | Self::Live | Self::Failed),
            Self::Healthy => matches!(next, Self::Live | Self::Failed),
            Self::Live => next == Self::Retired,
            // A rollback brings it back; a retry lets a failed one try again.
            Self::Retired => next == Self::Live,
            Self::Failed => matches!(next, Self::Starting | Self::Live),
        }
    }

    /// Whether a rollback may name it: the agent recorded it live once, and it is not what runs now.
    pub fn can_come_back(self) -> bool {
        self == Self::Retired
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_served_before_can_come_back() {
        assert!(ReleaseState::Live.may_become(ReleaseState::Retired));
        assert!(ReleaseState::Retired.may_become(ReleaseState::Live));
        assert!(!ReleaseState::Failed.can_come_back() && !ReleaseState::Live.can_come_back());
        assert!(!ReleaseState::Live.may_become(ReleaseState::Building));
    }
}
