//! The coordinator's own certificate authority: for its web interface, its agents' port, and the agents' identities.
//!
//! Rule: made on the first start and kept in `keys/`; a certificate says who, for what, and for how long, and nothing
//! that somebody else asked for. Replicas that share a database share these files.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyPair, KeyUsagePurpose, PublicKeyData, SanType, SerialNumber,
};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::files::{self, KeyFileError};

const HOUR: i64 = 60 * 60 * 1000;
const DAY: i64 = 24 * HOUR;
/// Ten years: it is pinned by agents and replaced by a message that the old key signs.
const LIFE: i64 = 3650 * DAY;

/// Why a certificate could not be made or loaded.
#[derive(Debug, thiserror::Error)]
pub enum CaError {
    /// A file.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// One of the two files is missing.
    #[error("{0} is missing while its counterpart is there; restore both from a backup")]
    Incomplete(PathBuf),
    /// A file holds something else.
    #[error("{path} does not hold what it should: {problem}")]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// In words.
        problem: String,
    },
    /// Making a certificate failed.
    #[error("a certificate could not be made")]
    Make(#[from] rcgen::Error),
}

/// Signs certificates.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    der: CertificateDer<'static>,
    pem: String,
    key_sha256: [u8; 32],
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

/// A certificate with its key, for a server.
pub struct Leaf {
    /// Leaf first, then the authority.
    pub chain: Vec<CertificateDer<'static>>,
    /// Its private key.
    pub key: PrivateKeyDer<'static>,
}

impl std::fmt::Debug for Leaf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Leaf").finish_non_exhaustive()
    }
}

/// When a certificate is valid, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// From.
    pub not_before: i64,
    /// To.
    pub not_after: i64,
}

impl Validity {
    /// From an hour ago (clocks differ) for so many days.
    pub fn days(now: i64, days: i64) -> Self {
        Self { not_before: now - HOUR, not_after: now + days * DAY }
    }
}

impl Authority {
    /// Loads `ca.pem` and `ca.key`, or makes both.
    pub fn load(keys_dir: &Path, now: i64) -> Result<Self, CaError> {
        let (key_path, pem_path) = (keys_dir.join("ca.key"), keys_dir.join("ca.pem"));
        match (files::read(&key_path)?, files::read(&pem_path)?) {
            (Some(key), Some(pem)) => {
                let key = text(&key, &key_path)?;
                let key = KeyPair::from_pem(key).map_err(|error| malformed(&key_path, &error))?;
                Self::join(key, text(&pem, &pem_path)?.to_owned(), &pem_path)
            }
            (None, None) => {
                let key = KeyPair::generate()?;
                let key_pem = zeroize::Zeroizing::new(key.serialize_pem());
                let made = CertifiedIssuer::self_signed(authority_params(now)?, key)?;
                files::create(&key_path, key_pem.as_bytes())?;
                files::create(&pem_path, made.pem().as_bytes())?;
                let key = KeyPair::from_pem(&key_pem)?;
                Self::join(key, made.pem(), &pem_path)
            }
            (None, Some(_)) => Err(CaError::Incomplete(key_path)),
            (Some(_), None) => Err(CaError::Incomplete(pem_path)),
        }
    }

    /// The authority's certificate, for people and tools.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The authority's certificate.
    pub fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// SHA-256 of its public key (DER): what enrollment tokens pin.
    pub fn key_sha256(&self) -> [u8; 32] {
        self.key_sha256
    }

    /// A server's certificate with a fresh key, for these names and addresses.
    pub fn server_leaf(&self, names: &[String], validity: Validity) -> Result<Leaf, CaError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(names)?;
        limit(&mut params, validity)?;
        params.distinguished_name = named("Hydron coordinator");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let leaf = params.signed_by(&key, &self.issuer)?;
        Ok(Leaf {
            chain: vec![leaf.der().clone(), self.der.clone()],
            key: PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        })
    }

    /// A client's certificate for a key that somebody else holds: everything but the key is said here, by `uri`.
    pub fn client_certificate(
        &self,
        public_key: &impl PublicKeyData,
        uri: &str,
        serial: [u8; 16],
        validity: Validity,
    ) -> Result<CertificateDer<'static>, CaError> {
        let mut params = CertificateParams::default();
        limit(&mut params, validity)?;
        params.distinguished_name = named("Hydron agent");
        params.subject_alt_names = vec![SanType::URI(uri.try_into()?)];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        Ok(params.signed_by(public_key, &self.issuer)?.der().clone())
    }

    fn join(key: KeyPair, pem: String, pem_path: &Path) -> Result<Self, CaError> {
        let der = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|error| CaError::Malformed { path: pem_path.to_owned(), problem: error.to_string() })?;
        let (_, parsed) = X509Certificate::from_der(&der)
            .map_err(|error| CaError::Malformed { path: pem_path.to_owned(), problem: error.to_string() })?;
        if parsed.public_key().subject_public_key.data != key.public_key_raw() {
            let problem = "the certificate and the key do not belong together".to_owned();
            return Err(CaError::Malformed { path: pem_path.to_owned(), problem });
        }
        let key_sha256 = Sha256::digest(parsed.public_key().raw).into();
        let issuer = Issuer::from_ca_cert_der(&der, key)?;
        Ok(Self { issuer, der, pem, key_sha256 })
    }
}

fn authority_params(now: i64) -> Result<CertificateParams, CaError> {
    let mut params = CertificateParams::default();
    let validity = Validity { not_before: now - HOUR, not_after: now + LIFE };
    limit(&mut params, validity)?;
    params.distinguished_name = named("Hydron coordinator authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages =
        vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    Ok(params)
}

fn limit(params: &mut CertificateParams, validity: Validity) -> Result<(), CaError> {
    params.not_before = moment(validity.not_before)?;
    params.not_after = moment(validity.not_after)?;
    params.use_authority_key_identifier_extension = true;
    if params.key_usages.is_empty() {
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    }
    Ok(())
}

fn moment(unix_ms: i64) -> Result<OffsetDateTime, CaError> {
    OffsetDateTime::from_unix_timestamp(unix_ms / 1000).map_err(|_| CaError::Make(rcgen::Error::Time))
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

fn text<'a>(bytes: &'a [u8], path: &Path) -> Result<&'a str, CaError> {
    std::str::from_utf8(bytes)
        .map_err(|error| CaError::Malformed { path: path.to_owned(), problem: error.to_string() })
}

fn malformed(path: &Path, error: &rcgen::Error) -> CaError {
    CaError::Malformed { path: path.to_owned(), problem: error.to_string() }
}

/// Names under which a coordinator is reached on its own machine.
pub fn local_names(more: impl IntoIterator<Item = String>) -> Vec<String> {
    let loopback = [IpAddr::from([127, 0, 0, 1]).to_string(), "::1".to_owned()];
    let mut names: Vec<String> =
        std::iter::once("localhost".to_owned()).chain(loopback).chain(more).collect();
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000_000;

    #[test]
    fn the_authority_is_made_once_and_loaded_again() {
        let dir = tempfile::tempdir().unwrap();
        let first = Authority::load(dir.path(), NOW).unwrap();
        let again = Authority::load(dir.path(), NOW + DAY).unwrap();
        assert_eq!((first.pem(), first.key_sha256()), (again.pem(), again.key_sha256()));
        std::fs::remove_file(dir.path().join("ca.key")).unwrap();
        assert!(matches!(Authority::load(dir.path(), NOW), Err(CaError::Incomplete(_))));
    }

    #[test]
    fn a_client_certificate_says_only_what_the_authority_says() {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::load(dir.path(), NOW).unwrap();
        let theirs = KeyPair::generate().unwrap();
        let uri = "hydron://team_1/server/srv_1";
        let der = authority.client_certificate(&theirs, uri, [7; 16], Validity::days(NOW, 30)).unwrap();
        let (_, parsed) = X509Certificate::from_der(&der).unwrap();
        assert_eq!(parsed.public_key().subject_public_key.data, theirs.public_key_raw());
        assert_eq!(parsed.validity().not_after.timestamp(), (NOW + 30 * DAY) / 1000);
        let names = &parsed.subject_alternative_name().unwrap().unwrap().value.general_names;
        assert_eq!(format!("{names:?}"), format!("[URI(\"{uri}\")]"));
        assert!(!parsed.extended_key_usage().unwrap().unwrap().value.server_auth);
    }

    #[test]
    fn a_foreign_key_beside_the_certificate_is_refused() {
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        Authority::load(a.path(), NOW).unwrap();
        Authority::load(b.path(), NOW).unwrap();
        std::fs::copy(a.path().join("ca.key"), b.path().join("ca.key")).unwrap();
        assert!(matches!(Authority::load(b.path(), NOW), Err(CaError::Malformed { .. })));
    }
}
