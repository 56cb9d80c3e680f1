//! The REST interface, server-sent events, health, and the embedded web interface.
//!
//! Rule: handlers translate; `services` decide. Every operation has an entry in its resource's `ACCESS`, or is refused.

mod arrival;
pub mod extract;
pub mod gate;
pub mod health;
pub mod idempotency;
pub mod listener;
pub mod metrics;
pub mod openapi;
pub mod problem;
mod refusal;
pub mod router;
pub mod routes;
pub mod session_cookie;
pub mod sse;
pub mod ui;
