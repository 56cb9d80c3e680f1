//! Agents and runs, against a simulated agent over the real link: enrollment, connections, journals, output, steering,
//! and a coordinator that dies in the middle.

mod bench;
mod drive;
mod enroll;
mod journal;
mod killed;
mod link;
mod output;
mod replicas;
mod signer;
mod steer;
