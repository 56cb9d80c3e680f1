//! What crosses a border between Hydron's processes: typed ids and names, plan documents, signed envelopes,
//! sealed secrets, and the frames of the link. Wire types end here: everything inside parses with `TryFrom`.
//!
//! Neighbours: `hydron-agent` and `hydron-domain` build on this crate; it depends on neither.

pub mod envelope;
pub mod frame;
pub mod ids;
pub mod names;
pub mod parsers;
pub mod plan;
pub mod reject;
pub mod seal;
pub mod source;
pub mod token;

/// Generated from `proto/proto/hydron/v1/*.proto` by `make generate`; committed, never edited.
#[allow(missing_docs, clippy::all, clippy::pedantic, clippy::restriction, clippy::allow_attributes)]
pub mod wire {
    include!("gen/hydron.v1.rs");

    impl std::fmt::Debug for ClearSecret {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.debug_struct("ClearSecret").field("name", &self.name).finish_non_exhaustive()
        }
    }

    impl std::fmt::Debug for EnrollRequest {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.debug_struct("EnrollRequest").finish_non_exhaustive()
        }
    }
}

/// Version of the link protocol. An agent whose version the coordinator does not know is offered updates only.
pub const PROTOCOL_VERSION: u32 = 1;

/// SNI names of the agents' port; fixed, so that a changed host name or a bare address works.
pub mod sni {
    /// Mutual TLS, the link itself.
    pub const AGENTS: &str = "agents.hydron.internal";
    /// Server-authenticated, enrollment by token.
    pub const ENROLL: &str = "enroll.hydron.internal";
    /// Mutual TLS that ignores only the certificate's time.
    pub const RENEW: &str = "renew.hydron.internal";
}
