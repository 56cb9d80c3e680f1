//! argon2id, at most one hash a core at a time, away from the threads that serve.
//!
//! Rule: checking a password takes as long for an unknown address as for a known one.

use std::sync::Arc;

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::config::PasswordCost;

/// Hashes and checks passwords; clones share the limit.
#[derive(Debug, Clone)]
pub struct Passwords {
    cost: PasswordCost,
    running: Arc<Semaphore>,
}

/// Hashing failed; never because the password is wrong.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// The hash function refused.
    #[error("hashing a password failed: {0}")]
    Hash(String),
    /// The task was cancelled.
    #[error("hashing a password was interrupted")]
    Interrupted,
}

/// What checking a password told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// The wrong one, or nobody to compare with.
    Wrong,
    /// The right one.
    Right,
    /// The right one, hashed with less cost than is asked for today.
    RightButWeak,
}

impl Passwords {
    /// With this cost.
    pub fn new(cost: PasswordCost) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { cost, running: Arc::new(Semaphore::new(cores)) }
    }

    /// The hash of a new password, in PHC form with its own salt.
    pub async fn hash(&self, password: Zeroizing<String>) -> Result<String, PasswordError> {
        let cost = self.cost;
        self.run(move || hash(cost, &password)).await?
    }

    /// Checks a password against a stored hash; `None` does the same work and is wrong.
    pub async fn check(
        &self,
        password: Zeroizing<String>,
        stored: Option<String>,
    ) -> Result<Checked, PasswordError> {
        let cost = self.cost;
        self.run(move || match stored {
            None => hash(cost, &password).map(|_| Checked::Wrong),
            Some(stored) => check(cost, &password, &stored),
        })
        .await?
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let _permit = self.running.acquire().await.map_err(|_| PasswordError::Interrupted)?;
        tokio::task::spawn_blocking(work).await.map_err(|_| PasswordError::Interrupted)
    }
}

/// OWASP's floor is m=19456, t=2, p=1.
fn params(cost: PasswordCost) -> Result<Params, PasswordError> {
    let (memory_kib, passes) = match cost {
        PasswordCost::Full => (65_536, 3),
        PasswordCost::Floor => (19_456, 2),
    };
    Params::new(memory_kib, passes, 1, None).map_err(|error| PasswordError::Hash(error.to_string()))
}

fn hash(cost: PasswordCost, password: &str) -> Result<String, PasswordError> {
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params(cost)?);
    let hash = argon2.hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string()).map_err(|error| PasswordError::Hash(error.to_string()))
}

fn check(cost: PasswordCost, password: &str, stored: &str) -> Result<Checked, PasswordError> {
    let parsed = PasswordHash::new(stored).map_err(|error| PasswordError::Hash(error.to_string()))?;
    if Argon2::default().verify_password(password.as_bytes(), &parsed).is_err() {
        return Ok(Checked::Wrong);
    }
    let used = Params::try_from(&parsed).map_err(|error| PasswordError::Hash(error.to_string()))?;
    let wanted = params(cost)?;
    let weak = used.m_cost() < wanted.m_cost() || used.t_cost() < wanted.t_cost();
    Ok(if weak { Checked::RightButWeak } else { Checked::Right })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_checked_and_a_cheap_hash_is_noticed() {
        let floor = Passwords::new(PasswordCost::Floor);
        let text = |text: &str| Zeroizing::new(text.to_owned());
        let hash = floor.hash(text("correct horse battery")).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, floor.hash(text("correct horse battery")).await.unwrap());
        let check = |passwords: Passwords, word: &'static str| {
            let hash = hash.clone();
            async move { passwords.check(text(word), Some(hash)).await.unwrap() }
        };
        assert_eq!(check(floor.clone(), "correct horse battery").await, Checked::Right);
        assert_eq!(check(floor.clone(), "correct horse batterx").await, Checked::Wrong);
        let full = Passwords::new(PasswordCost::Full);
        assert_eq!(check(full, "correct horse battery").await, Checked::RightButWeak);
        assert_eq!(floor.check(text("anything at all"), None).await.unwrap(), Checked::Wrong);
    }
}
