//! A release of a service on a server: what ran, what runs, and what can be brought back.
//!
//! Rule: the agent's journal decides; a release is live when the agent reported the swap, and its configuration is kept
//! whole for rollback.

use hydron_proto::plan::RELEASES_KEPT;

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

    /// Whether a rollback may name it: the agent recorded it live once, it is not what runs now, and it is among the last
    /// that its server keeps. `retired_since` counts releases of that service that retired there later.
    pub fn can_come_back(self, retired_since: usize) -> bool {
        self == Self::Retired && retired_since < RELEASES_KEPT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_served_before_can_come_back() {
        assert!(ReleaseState::Live.may_become(ReleaseState::Retired));
        assert!(ReleaseState::Retired.may_become(ReleaseState::Live));
        assert!(ReleaseState::Retired.can_come_back(0));
        assert!(!ReleaseState::Failed.can_come_back(0) && !ReleaseState::Live.can_come_back(0));
        assert!(!ReleaseState::Live.may_become(ReleaseState::Building));
    }

    #[test]
    fn only_as_many_can_come_back_as_a_server_keeps() {
        assert!(ReleaseState::Retired.can_come_back(RELEASES_KEPT - 1));
        assert!(!ReleaseState::Retired.can_come_back(RELEASES_KEPT));
    }
}
