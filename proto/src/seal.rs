//! Secrets on their way to one executor: HPKE base mode (RFC 9180) with X25519, HKDF-SHA256 and ChaCha20-Poly1305.
//!
//! Rule: a sealed secret opens only with the key of that executor and only in its own place: team, server, run,
//! name and version are bound as associated data. Values never have a Debug or a Serialize.

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem as _, OpModeR, OpModeS, Serializable};
use zeroize::Zeroizing;

use crate::ids::{RunId, ServerId, TeamId};
use crate::names::SecretName;
use crate::wire;

type Kem = X25519HkdfSha256;
type PrivateKey = <Kem as hpke::Kem>::PrivateKey;
type PublicKey = <Kem as hpke::Kem>::PublicKey;

const INFO: &[u8] = b"hydron-secret-v1";

/// The value of a secret: wiped when dropped, never printed.
pub type SecretValue = Zeroizing<Vec<u8>>;

/// Where a sealed secret belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealContext<'a> {
    /// Owner of the server.
    pub team: TeamId,
    /// The server whose executor may open it.
    pub server: ServerId,
    /// The run whose permit carries it.
    pub run: RunId,
    /// The name in the plan.
    pub name: &'a SecretName,
    /// The version in the plan.
    pub version: u32,
}

/// Sealing or opening did not work. Says nothing about the value.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// A key that is not 32 bytes of X25519.
    #[error("the sealing key is malformed")]
    Key,
    /// The secret could not be sealed.
    #[error("the secret could not be sealed")]
    Seal,
    /// Wrong key, wrong place, or changed bytes.
    #[error("the sealed secret does not open here")]
    Open,
}

/// The executor's own key pair. The private half never leaves it.
pub struct SealingKey {
    private: PrivateKey,
    public: PublicKey,
}

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingKey")
    }
}

impl SealingKey {
    /// A key from 32 random bytes (RFC 9180 §7.1.3 DeriveKeyPair).
    pub fn derive(seed: &Zeroizing<[u8; 32]>) -> Self {
        let (private, public) = Kem::derive_keypair(seed.as_slice());
        Self { private, public }
    }

    /// The public half, 32 bytes.
    pub fn public_bytes(&self) -> Vec<u8> {
        self.public.to_bytes().to_vec()
    }

    /// Opens what was sealed to this key for this place.
    pub fn open(
        &self,
        context: &SealContext<'_>,
        sealed: &wire::SealedSecret,
    ) -> Result<SecretValue, SealError> {
        let key = <Kem as hpke::Kem>::EncappedKey::from_bytes(&sealed.encapsulated_key)
            .map_err(|_| SealError::Open)?;
        hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, Kem>(
            &OpModeR::Base,
            &self.private,
            &key,
            INFO,
            &sealed.ciphertext,
            &context.associated_data(),
        )
        .map(Zeroizing::new)
        .map_err(|_| SealError::Open)
    }
}

/// Seals `value` to an executor's public key.
pub fn seal(
    public_key: &[u8],
    context: &SealContext<'_>,
    value: &SecretValue,
) -> Result<wire::SealedSecret, SealError> {
    let key = PublicKey::from_bytes(public_key).map_err(|_| SealError::Key)?;
    let (encapsulated, ciphertext) = hpke::single_shot_seal::<ChaCha20Poly1305, HkdfSha256, Kem>(
        &OpModeS::Base,
        &key,
        INFO,
        value,
        &context.associated_data(),
    )
    .map_err(|_| SealError::Seal)?;
    Ok(wire::SealedSecret {
        name: context.name.to_string(),
        version: context.version,
        encapsulated_key: encapsulated.to_bytes().to_vec(),
        ciphertext,
    })
}

impl SealContext<'_> {
    /// None of the parts can contain the separator.
    fn associated_data(&self) -> Vec<u8> {
        format!("{}|{}|{}|{}|{}", self.team, self.server, self.run, self.name, self.version).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_only_in_its_own_place_with_its_own_key() {
        let key = SealingKey::derive(&Zeroizing::new([1; 32]));
        let other_key = SealingKey::derive(&Zeroizing::new([2; 32]));
        let name: SecretName = "db-password".parse().unwrap();
        let place = SealContext {
            team: TeamId::new(1, [1; 10]),
            server: ServerId::new(1, [1; 10]),
            run: RunId::new(1, [1; 10]),
            name: &name,
            version: 1,
        };
        let sealed = seal(&key.public_bytes(), &place, &Zeroizing::new(b"canary".to_vec())).unwrap();
        assert!(!sealed.ciphertext.windows(6).any(|w| w == b"canary"));
        assert_eq!(key.open(&place, &sealed).unwrap().as_slice(), b"canary");
        assert!(other_key.open(&place, &sealed).is_err());
        assert!(key.open(&SealContext { version: 2, ..place.clone() }, &sealed).is_err());
        assert!(key.open(&SealContext { run: RunId::new(2, [1; 10]), ..place.clone() }, &sealed).is_err());
        for at in 0..sealed.ciphertext.len() {
            let mut changed = sealed.clone();
            changed.ciphertext[at] ^= 1;
            assert!(key.open(&place, &changed).is_err());
        }
    }
}
