//! The way from a URL to an approved plan, over REST, with a real git host and a real confined fetch.

mod bench;
mod plans;
mod redeploy;
mod reread;
mod services;
mod source;

pub(crate) use bench::{Bench, enroll, plain_service};
pub(crate) use redeploy::pretend_it_ran;
