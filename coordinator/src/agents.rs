//! Agents: their own port, who they are, and one task a connection.
//!
//! Rule: a connection is a server whose pinned key it proved; what it reports is stored before it is acknowledged; what
//! it is told was decided elsewhere (`jobs::drive_runs`) and signed. Nothing here starts work.
//!
//! | file | does |
//! |---|---|
//! | `accept` | the port: TLS by server name, one task a connection |
//! | `turnstile` | how many connections open at once, and in which order |
//! | `inside` | sessions over any transport, for simulations |
//! | `identity` | which server a certificate is |
//! | `post` | enrollment and late renewal, two small HTTP requests |
//! | `registry` | who is connected, and a way to tell them something |
//! | `session` | one connection: hello, streams, credit, liveness |
//! | `socket` | frames out by priority, frames in |
//! | `recorder` | the one writer of what agents report |

pub mod accept;
mod identity;
pub mod inside;
mod post;
pub mod recorder;
pub mod registry;
mod report;
mod session;
mod socket;
mod tls;
mod turnstile;

pub use accept::{AgentsError, AgentsPort};
pub(crate) use identity::key_fingerprint;
pub use registry::Agents;
