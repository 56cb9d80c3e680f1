//! What the tests, the demo and the benchmarks share: real peers and real processes, never doubles of the product.
//!
//! Rule: nothing here is linked into the product. Neighbours: `tests/lab` (servers and images), `tests/bench`.

pub mod approved;
pub mod bench;
pub mod demo;
pub mod git_host;
pub mod load;
pub mod sim_agent;
pub mod stack;
