//! A new certificate for the same key, in time.
//!
//! Rule: asked for at a random point between 50 and 80 % of a certificate's life, over the live connection; when it has
//! expired already, under the name that exists for that. Neighbours: `session`, `identity`.

use std::time::Duration;

use hydron_proto::sni;
use hydron_proto::wire::{RenewReply, RenewRequest};

use super::dial::{self, Address, DialError, Proxy};
use super::identity::{LinkFiles, TlsIdentity, Validity};
use super::post::{self, PostError};
use super::tls::{self, TlsError};
use crate::identity::IdentityError;

/// A certificate that was not renewed.
#[derive(Debug, thiserror::Error)]
pub(super) enum RenewError {
    /// No connection.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// No answer, or a refusal.
    #[error(transparent)]
    Post(#[from] PostError),
    /// No TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// It could not be stored.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// What came is for another key, or nothing.
    #[error("the coordinator sent a certificate that is not for this server's key")]
    NotMine,
    /// The request could not be made.
    #[error("no certificate request could be made")]
    Request,
}

/// How long to wait before asking; `random` is in 0..1.
pub(super) fn due_in(validity: Validity, now_unix_s: i64, random: f64) -> Duration {
    let life = Duration::from_secs(u64::try_from(validity.not_after - validity.not_before).unwrap_or(0));
    let at = life.mul_f64(0.5 + 0.3 * random.clamp(0.0, 1.0));
    let age = Duration::from_secs(u64::try_from(now_unix_s - validity.not_before).unwrap_or(0));
    at.saturating_sub(age)
}

/// Whether the certificate is over.
pub(super) fn is_expired(validity: Validity, now_unix_s: i64) -> bool {
    now_unix_s >= validity.not_after
}

/// Renews an expired certificate.
pub(super) async fn after_expiry(
    files: &LinkFiles,
    identity: &TlsIdentity,
    (address, proxy): (&Address, Option<&Proxy>),
    clock_floor: Duration,
) -> Result<(), RenewError> {
    let config = tls::mutual(identity, clock_floor)?;
    let stream = dial::dial(address, proxy, sni::RENEW, config).await?;
    let request = RenewRequest { csr_der: identity.certificate_request().ok_or(RenewError::Request)? };
    let reply: RenewReply = post::post(stream, (sni::RENEW, "/v1/renew"), &request).await?;
    accept(files, identity, &reply.certificate_chain_der)
}

/// Stores a chain that is for this server's key.
pub(super) fn accept(files: &LinkFiles, identity: &TlsIdentity, chain: &[Vec<u8>]) -> Result<(), RenewError> {
    if !identity.is_mine(chain) {
        return Err(RenewError::NotMine);
    }
    Ok(files.store_chain(chain)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renewal_falls_between_half_and_four_fifths_of_a_life() {
        let validity = Validity { not_before: 1000, not_after: 2000 };
        for (random, expected) in [(0.0, 500), (0.5, 650), (1.0, 800)] {
            let wait = due_in(validity, 1000, random);
            assert!(wait.abs_diff(Duration::from_secs(expected)) < Duration::from_millis(1), "{wait:?}");
        }
        assert_eq!(due_in(validity, 1900, 1.0), Duration::ZERO);
        assert!(is_expired(validity, 2000) && !is_expired(validity, 1999));
    }
}
