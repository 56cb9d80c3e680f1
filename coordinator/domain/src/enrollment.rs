//! Enrollment tokens: a one-time right to become one server.
//!
//! Rule: the first key that brings the secret is bound; the same key may ask again and gets the same certificate, so a
//! lost reply does no harm; another key is refused and somebody is told.

use crate::named::named;

/// How long a token is good for, milliseconds (60 min: dedicated servers install slowly).
pub const TOKEN_LIFETIME_MS: i64 = 60 * 60 * 1000;
/// How long the bound key may ask again, milliseconds.
pub const REPLAY_WINDOW_MS: i64 = 60 * 60 * 1000;
/// Life of a server's certificate, milliseconds (30 days).
pub const CERTIFICATE_LIFE_MS: i64 = 30 * 24 * 3600 * 1000;
/// How long after its end a certificate may still be renewed, milliseconds (90 days).
pub const RENEWABLE_AFTER_MS: i64 = 90 * 24 * 3600 * 1000;
/// Certificates are dated back by this, for clocks that run behind, milliseconds (1 h).
pub const BACKDATED_MS: i64 = 3600 * 1000;

named! {
    /// Where a token stands.
    TokenState, "state of an enrollment token" {
        /// Nobody came yet.
        Unused = "unused",
        /// A key is bound and has its certificate, but has not connected.
        Bound = "bound",
        /// The server connected.
        Consumed = "consumed",
        /// Too late.
        Expired = "expired",
        /// Taken back.
        Revoked = "revoked",
    }
}

/// What the rules look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRecord {
    /// Stored state; expiry is judged by the clock.
    pub state: TokenState,
    /// End of validity, milliseconds since 1970.
    pub expires_at: i64,
    /// The key that was bound: SHA-256 of its public key info, hex.
    pub bound_key: Option<String>,
    /// When it was bound.
    pub bound_at: Option<i64>,
}

/// What to do with a request whose secret is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Bind the key and issue a certificate.
    Issue,
    /// Answer with the certificate that was issued before.
    Repeat,
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Its time is over.
    #[error("the token has expired; make a new one on the server's page")]
    Expired,
    /// Somebody took it back.
    #[error("the token was revoked; make a new one on the server's page")]
    Revoked,
    /// It served its server.
    #[error("the token was used before; make a new one on the server's page")]
    Used,
    /// Another key tries to use it: worth an alarm.
    #[error("the token is bound to another key; if that was not you, revoke the server")]
    OtherKey,
}

impl Refusal {
    /// Stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Expired => "token_expired",
            Self::Revoked => "token_revoked",
            Self::Used => "token_used",
            Self::OtherKey => "token_bound_to_another_key",
        }
    }
}

impl TokenRecord {
    /// Whether `key` may enroll with this token at `now`.
    pub fn admit(&self, key: &str, now: i64) -> Result<Admission, Refusal> {
        let same_key = self.bound_key.as_deref() == Some(key);
        match self.state {
            TokenState::Revoked => Err(Refusal::Revoked),
            TokenState::Unused if now < self.expires_at => Ok(Admission::Issue),
            TokenState::Unused | TokenState::Expired => Err(Refusal::Expired),
            TokenState::Bound | TokenState::Consumed if !same_key => Err(Refusal::OtherKey),
            TokenState::Bound if self.bound_at.is_some_and(|at| now < at + REPLAY_WINDOW_MS) => {
                Ok(Admission::Repeat)
            }
            TokenState::Bound | TokenState::Consumed => Err(Refusal::Used),
        }
    }

    /// The state that a person sees.
    pub fn shown(&self, now: i64) -> TokenState {
        if self.state == TokenState::Unused && now >= self.expires_at {
            TokenState::Expired
        } else {
            self.state
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(state: TokenState, bound: Option<&str>) -> TokenRecord {
        TokenRecord {
            state,
            expires_at: 1000,
            bound_key: bound.map(str::to_owned),
            bound_at: bound.map(|_| 500),
        }
    }

    #[test]
    fn a_token_serves_one_key_once_and_repeats_a_lost_reply() {
        let unused = token(TokenState::Unused, None);
        assert_eq!(unused.admit("k", 999), Ok(Admission::Issue));
        assert_eq!(unused.admit("k", 1000), Err(Refusal::Expired));
        assert_eq!(unused.shown(1000), TokenState::Expired);
        let bound = token(TokenState::Bound, Some("k"));
        assert_eq!(bound.admit("k", 600), Ok(Admission::Repeat));
        assert_eq!(bound.admit("other", 600), Err(Refusal::OtherKey));
        assert_eq!(bound.admit("k", 500 + REPLAY_WINDOW_MS), Err(Refusal::Used));
        let consumed = token(TokenState::Consumed, Some("k"));
        assert_eq!(consumed.admit("k", 600), Err(Refusal::Used));
        assert_eq!(consumed.admit("other", 600), Err(Refusal::OtherKey));
        assert_eq!(token(TokenState::Revoked, None).admit("k", 1), Err(Refusal::Revoked));
    }

    #[test]
    fn a_token_lives_an_hour_and_a_certificate_thirty_days() {
        assert_eq!((TOKEN_LIFETIME_MS, REPLAY_WINDOW_MS, BACKDATED_MS), (3_600_000, 3_600_000, 3_600_000));
        assert_eq!((CERTIFICATE_LIFE_MS, RENEWABLE_AFTER_MS), (2_592_000_000, 7_776_000_000));
    }

    #[test]
    fn only_a_token_that_nobody_used_is_shown_as_expired() {
        assert_eq!(token(TokenState::Unused, None).shown(999), TokenState::Unused);
        assert_eq!(token(TokenState::Consumed, Some("k")).shown(5000), TokenState::Consumed);
        assert_eq!(token(TokenState::Revoked, None).shown(5000), TokenState::Revoked);
    }

    #[test]
    fn each_refusal_has_a_code_of_its_own() {
        let codes = [Refusal::Expired, Refusal::Revoked, Refusal::Used, Refusal::OtherKey].map(Refusal::code);
        assert_eq!(codes, ["token_expired", "token_revoked", "token_used", "token_bound_to_another_key"]);
    }
}
