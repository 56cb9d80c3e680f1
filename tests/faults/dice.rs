//! Chance that can be repeated: one seed a test, printed, and taken from the environment when somebody asks for it again.

use std::time::{SystemTime, UNIX_EPOCH};

/// Asks for the long form of every fault.
const SOAK: &str = "HYDRON_SOAK";

/// SplitMix64: the same numbers for the same seed, whatever library is linked.
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Dice whose seed is printed; `variable` repeats it.
    pub(crate) fn seeded(variable: &str) -> Self {
        let seed = number(variable).unwrap_or_else(now_ms);
        println!("{variable}={seed}");
        Self(seed)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

/// Whether the long form is wanted.
pub(crate) fn soaking() -> bool {
    std::env::var_os(SOAK).is_some()
}

/// The place at which a long form begins: the one before was the last of an earlier run.
pub(crate) fn first_place() -> usize {
    number("HYDRON_FAULT_FROM").map_or(0, |from| usize::try_from(from).unwrap())
}

/// A number of the environment.
pub(crate) fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable} is a number")))
}

fn now_ms() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}
