//! Time and randomness as arguments: everything else asks here, so that tests can stop the one and repeat the other.
//!
//! Rule: this is the only file that reads the system's clock or its random numbers.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rand::Rng as _;
use zeroize::Zeroizing;

/// What time it is.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Milliseconds since 1970.
    fn now_ms(&self) -> i64;
}

/// Where unpredictable bytes come from.
pub trait Entropy: Send + Sync + fmt::Debug {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// The system's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }
}

/// The system's random numbers, by way of a generator seeded from them.
#[derive(Debug, Clone, Copy)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}

/// Makes ids and secrets.
#[derive(Debug, Clone)]
pub struct Ids {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl Ids {
    /// From these two sources.
    pub fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self { clock, entropy }
    }

    /// A new id of any kind: `ids.next(ProjectId::new)`.
    pub fn next<T>(&self, make: fn(u64, [u8; 10]) -> T) -> T {
        let mut random = [0; 10];
        self.entropy.fill(&mut random);
        make(u64::try_from(self.clock.now_ms()).unwrap_or(0), random)
    }

    /// Unpredictable bytes, wiped when dropped.
    pub fn secret<const N: usize>(&self) -> Zeroizing<[u8; N]> {
        let mut bytes = Zeroizing::new([0; N]);
        self.entropy.fill(bytes.as_mut_slice());
        bytes
    }

    /// The source itself.
    pub fn entropy(&self) -> &dyn Entropy {
        &*self.entropy
    }
}
