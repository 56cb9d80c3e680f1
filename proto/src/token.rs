//! Enrollment tokens: `hyd1.<base64url SHA-256 of the CA's public key>.<token id>.<base64url secret>`.
//!
//! Rule: the token itself pins the authority that the new agent will believe (the shape of Swarm's join token);
//! there is no form without the pin.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use zeroize::Zeroizing;

use crate::ids::EnrollmentTokenId;

/// A parsed enrollment token; its Debug shows the id only.
pub struct EnrollmentToken {
    /// SHA-256 of the CA certificate's subject public key info (DER).
    pub ca_key_sha256: [u8; 32],
    /// Which row of the coordinator.
    pub id: EnrollmentTokenId,
    /// 32 random bytes; the coordinator stores only their hash.
    pub secret: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for EnrollmentToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EnrollmentToken").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A text that is not an enrollment token.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not an enrollment token: expected `hyd1.` and three parts; copy the whole token from the server's page"
)]
pub struct InvalidToken;

impl EnrollmentToken {
    /// The text that a person or a provisioning image hands to the agent.
    pub fn encode(&self) -> Zeroizing<String> {
        let text = format!(
            "hyd1.{}.{}.{}",
            B64.encode(self.ca_key_sha256),
            self.id,
            B64.encode(self.secret.as_slice())
        );
        Zeroizing::new(text)
    }

    /// Parses the text form; surrounding white space is allowed.
    pub fn parse(text: &str) -> Result<Self, InvalidToken> {
        let mut parts = text.trim().split('.');
        let (Some("hyd1"), Some(pin), Some(id), Some(secret), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(InvalidToken);
        };
        Ok(Self {
            ca_key_sha256: decode32(pin)?,
            id: id.parse().map_err(|_| InvalidToken)?,
            secret: Zeroizing::new(decode32(secret)?),
        })
    }
}

fn decode32(text: &str) -> Result<[u8; 32], InvalidToken> {
    B64.decode(text).ok().and_then(|bytes| bytes.try_into().ok()).ok_or(InvalidToken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_its_text_form_and_short_forms_are_refused() {
        let token = EnrollmentToken {
            ca_key_sha256: [3; 32],
            id: EnrollmentTokenId::new(5, [6; 10]),
            secret: Zeroizing::new([9; 32]),
        };
        let text = token.encode();
        let back = EnrollmentToken::parse(&format!(" {}\n", text.as_str())).ok().unwrap();
        assert_eq!(
            (back.ca_key_sha256, back.id, *back.secret),
            (token.ca_key_sha256, token.id, *token.secret)
        );
        for bad in ["", "hyd1", "hyd1.a.b", "hyd2.a.b.c", &text.replacen("hyd1.", "hyd1..", 1)] {
            assert!(EnrollmentToken::parse(bad).is_err(), "{bad}");
        }
    }
}
