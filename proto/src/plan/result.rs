//! What a step reports when it succeeded: facts for the coordinator's records, never secrets.

use serde::{Deserialize, Serialize};

use crate::ids::{ReleaseId, ServiceId};
use crate::names::CommitId;

/// The typed result of a step. Tolerates unknown fields: an older coordinator may read a newer agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum StepResult {
    /// Nothing worth recording.
    Done {},
    /// Source is there.
    CheckedOut {
        /// At this commit.
        commit: CommitId,
        /// Files in it.
        files: u64,
    },
    /// An image is there.
    Image {
        /// Content id, `sha256:…`.
        image_id: String,
    },
    /// A release is live.
    Released {
        /// Which service.
        service: ServiceId,
        /// Which release.
        release: ReleaseId,
        /// The one it replaced.
        previous: Option<ReleaseId>,
        /// Content id of its image.
        image_id: String,
        /// Container name.
        container: String,
        /// Its static address.
        address: String,
    },
    /// A site is served.
    Routed {
        /// Generation of the proxy's configuration.
        generation: u64,
        /// Public URL.
        url: String,
    },
    /// A probe was answered.
    Probed {
        /// Final status.
        status: u16,
        /// Time of the answer that counted, milliseconds.
        millis: u64,
    },
    /// What a server holds.
    Inventory {
        /// One line each: `kind name state`.
        items: Vec<String>,
    },
}
