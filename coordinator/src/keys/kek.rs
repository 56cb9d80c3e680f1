//! Encryption of single fields: a fresh key a value, wrapped by the key-encryption key, both AES-256-GCM and both bound
//! to the row they stand in (`hydron/1|table|column|row|team|kid|version`).
//!
//! Rule: a ciphertext that is moved to another row, team, column or version does not open. The key is never in the
//! database: it comes from a systemd credential, a file named in the configuration, or `keys/kek` in the data directory.

use std::path::{Path, PathBuf};

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use hydron_proto::ids::TeamId;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::files::{self, KeyFileError};
use crate::clock::Entropy;

/// Name of the systemd credential (`LoadCredential=hydron-kek:…`).
const CREDENTIAL: &str = "hydron-kek";
const NONCE: usize = 12;

/// Where an encrypted value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The row's id within the team.
    pub row: &'a str,
    /// Whose row.
    pub team: TeamId,
    /// The value's version.
    pub version: u32,
}

/// Why a field could not be encrypted or decrypted.
#[derive(Debug, thiserror::Error)]
pub enum KekError {
    /// The key file is missing, open to others, or unreadable.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// The key file holds something else.
    #[error("the key file {0} does not hold 64 hexadecimal digits a line; restore it from its backup")]
    Malformed(PathBuf),
    /// A value encrypted under a key that is not here.
    #[error("the value is encrypted under key {0}, which is not in the key file; restore that key")]
    UnknownKey(String),
    /// A value that was changed, or moved from where it was written.
    #[error("the stored value was altered or stands in another place than it was written for")]
    Tampered,
    /// The cipher refused to encrypt.
    #[error("the value cannot be encrypted")]
    Encrypt,
}

/// The key-encryption keys: the first encrypts, all decrypt.
pub struct Keyring {
    keys: Vec<Kek>,
}

struct Kek {
    id: String,
    cipher: Aes256Gcm,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| &key.id)).finish()
    }
}

impl Keyring {
    /// Loads the keys: from the systemd credential directory if it has them, else from `named`, else from `keys/kek`,
    /// which is made on the first start.
    pub fn load(
        credentials: Option<&Path>,
        named: Option<&Path>,
        keys_dir: &Path,
        entropy: &dyn Entropy,
    ) -> Result<Self, KekError> {
        if let Some(path) = credentials.map(|dir| dir.join(CREDENTIAL))
            && let Some(text) = files::read(&path)?
        {
            return Self::parse(&text).ok_or(KekError::Malformed(path));
        }
        let path = named.map_or_else(|| keys_dir.join("kek"), Path::to_owned);
        if let Some(text) = files::read(&path)? {
            return Self::parse(&text).ok_or(KekError::Malformed(path));
        }
        let mut key = Zeroizing::new([0_u8; 32]);
        entropy.fill(key.as_mut_slice());
        let text = Zeroizing::new(format!("{}\n", hex(key.as_slice())));
        files::create(&path, text.as_bytes())?;
        Self::parse(text.as_bytes()).ok_or(KekError::Malformed(path))
    }

    /// Keys from hexadecimal lines, the active one first.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let keys: Option<Vec<Kek>> =
            text.lines().map(str::trim).filter(|line| !line.is_empty()).map(Kek::parse).collect();
        keys.filter(|keys| !keys.is_empty()).map(|keys| Self { keys })
    }

    /// Id of the key that encrypts.
    pub fn active(&self) -> &str {
        self.keys.first().map_or("", |key| key.id.as_str())
    }

    /// Whether a key is here, by its id.
    pub fn holds(&self, id: &str) -> bool {
        self.keys.iter().any(|key| key.id == id)
    }

    /// Encrypts a value for its place; the result is text: `v1.<kid>.<wrapped key>.<value>`.
    pub fn seal(&self, place: Place<'_>, clear: &[u8], entropy: &dyn Entropy) -> Result<String, KekError> {
        let kek = self.keys.first().ok_or(KekError::Encrypt)?;
        let bound = place.bound(&kek.id);
        let mut dek = Zeroizing::new([0_u8; 32]);
        entropy.fill(dek.as_mut_slice());
        let wrapped = encrypt(&kek.cipher, dek.as_slice(), &bound, entropy)?;
        let value = encrypt(&cipher(&dek), clear, &bound, entropy)?;
        Ok(format!("v1.{}.{}.{}", kek.id, B64.encode(wrapped), B64.encode(value)))
    }

    /// Decrypts a value that stands in its place.
    pub fn open(&self, place: Place<'_>, sealed: &str) -> Result<Zeroizing<Vec<u8>>, KekError> {
        let mut parts = sealed.split('.');
        let (Some("v1"), Some(kid), Some(wrapped), Some(value), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(KekError::Tampered);
        };
        let kek =
            self.keys.iter().find(|key| key.id == kid).ok_or_else(|| KekError::UnknownKey(kid.to_owned()))?;
        let bound = place.bound(kid);
        let dek = decrypt(&kek.cipher, wrapped, &bound)?;
        let dek = Zeroizing::new(<[u8; 32]>::try_from(dek.as_slice()).map_err(|_| KekError::Tampered)?);
        decrypt(&cipher(&dek), value, &bound)
    }
}

impl Kek {
    fn parse(line: &str) -> Option<Self> {
        let key = Zeroizing::new(unhex32(line)?);
        let id = hex(Sha256::digest(key.as_slice()).as_slice()).chars().take(8).collect();
        Some(Self { id, cipher: cipher(&key) })
    }
}

impl Place<'_> {
    fn bound(&self, kid: &str) -> Vec<u8> {
        // The separator cannot be forged by a row's name.
        let row = self.row.replace('%', "%25").replace('|', "%7C");
        let Self { table, column, team, version, .. } = self;
        format!("hydron/1|{table}|{column}|{row}|{team}|{kid}|{version}").into_bytes()
    }
}

fn cipher(key: &[u8; 32]) -> Aes256Gcm {
    Aes256Gcm::new(key.into())
}

/// A fresh nonce in front of the ciphertext.
fn encrypt(
    cipher: &Aes256Gcm,
    clear: &[u8],
    bound: &[u8],
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, KekError> {
    let mut nonce = [0_u8; NONCE];
    entropy.fill(&mut nonce);
    let sealed = cipher
        .encrypt(&Nonce::from(nonce), Payload { msg: clear, aad: bound })
        .map_err(|_| KekError::Encrypt)?;
    Ok([nonce.as_slice(), &sealed].concat())
}

fn decrypt(cipher: &Aes256Gcm, text: &str, bound: &[u8]) -> Result<Zeroizing<Vec<u8>>, KekError> {
    let bytes = B64.decode(text).map_err(|_| KekError::Tampered)?;
    let (nonce, sealed) = bytes.split_first_chunk::<NONCE>().ok_or(KekError::Tampered)?;
    cipher
        .decrypt(&Nonce::from(*nonce), Payload { msg: sealed, aad: bound })
        .map(Zeroizing::new)
        .map_err(|_| KekError::Tampered)
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex32(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0_u8; 32];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemEntropy;

    const TEAM: [u8; 10] = [1; 10];

    fn place(row: &str, version: u32) -> Place<'_> {
        Place { table: "env_var", column: "value", row, team: TeamId::new(1, TEAM), version }
    }

    fn ring(byte: u8) -> Keyring {
        Keyring::parse(hex(&[byte; 32]).as_bytes()).unwrap()
    }

    #[test]
    fn a_value_opens_in_its_place_and_nowhere_else() {
        let ring = ring(7);
        let here = place("svc_1/DATABASE_URL", 3);
        let sealed = ring.seal(here, b"s3cret", &SystemEntropy).unwrap();
        assert!(!sealed.contains("s3cret"));
        assert_eq!(ring.open(here, &sealed).unwrap().as_slice(), b"s3cret");
        let elsewhere = [
            place("svc_2/DATABASE_URL", 3),
            place("svc_1/DATABASE_URL", 4),
            Place { table: "secret", ..here },
            Place { column: "name", ..here },
            Place { team: TeamId::new(2, TEAM), ..here },
        ];
        for other in elsewhere {
            assert!(matches!(ring.open(other, &sealed), Err(KekError::Tampered)), "{other:?}");
        }
    }

    #[test]
    fn every_flipped_character_is_noticed() {
        let ring = ring(7);
        let here = place("row", 1);
        let sealed = ring.seal(here, b"value", &SystemEntropy).unwrap();
        for at in 0..sealed.len() {
            let mut bytes = sealed.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            assert!(ring.open(here, std::str::from_utf8(&bytes).unwrap()).is_err(), "at {at}");
        }
    }

    #[test]
    fn two_values_never_share_a_ciphertext_and_an_old_key_still_opens() {
        let here = place("row", 1);
        let old = ring(7);
        let sealed = old.seal(here, b"same", &SystemEntropy).unwrap();
        assert_ne!(sealed, old.seal(here, b"same", &SystemEntropy).unwrap());
        let rotated = format!("{}\n{}\n", hex(&[8; 32]), hex(&[7; 32]));
        let rotated = Keyring::parse(rotated.as_bytes()).unwrap();
        assert_eq!(rotated.open(here, &sealed).unwrap().as_slice(), b"same");
        assert!(matches!(ring(8).open(here, &sealed), Err(KekError::UnknownKey(_))));
    }

    #[test]
    fn a_row_name_cannot_pretend_to_be_two_fields() {
        let ring = ring(7);
        let sealed = ring.seal(place("a|b", 1), b"x", &SystemEntropy).unwrap();
        assert!(ring.open(place("a%7Cb", 1), &sealed).is_err());
    }

    #[test]
    fn the_key_is_made_once_for_its_owner_only_and_refused_when_others_may_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let here = place("row", 1);
        let sealed =
            Keyring::load(None, None, dir.path(), &SystemEntropy).unwrap().seal(here, b"x", &SystemEntropy);
        let again = Keyring::load(None, None, dir.path(), &SystemEntropy).unwrap();
        assert_eq!(again.open(here, &sealed.unwrap()).unwrap().as_slice(), b"x");
        let path = dir.path().join("kek");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let refused = Keyring::load(None, None, dir.path(), &SystemEntropy).unwrap_err();
        assert!(refused.to_string().contains("chmod 600"), "{refused}");
    }
}
