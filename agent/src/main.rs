//! The binary `hydron-agent`.
fn main() {}
