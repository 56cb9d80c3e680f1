//! Set-up, signing in, tokens, where requests come from, idempotency, streams, the audit log, and what wraps them all.

mod binary;
mod border;
mod idempotency;
mod restart;
mod setup;
mod sign_in;
mod streams;
mod tokens;
