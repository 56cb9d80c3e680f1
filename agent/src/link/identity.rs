//! The link's half of the identity: TLS key, certificate chain, the coordinator's CA, and what it counts.
//!
//! Rule: owned by the link's user; every change is whole or not at all. Neighbours: `join` (writes it first), `tls`.

use std::io;
use std::path::{Path, PathBuf};

use rcgen::KeyPair;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde::{Deserialize, Serialize};
use x509_parser::prelude::{FromDer as _, X509Certificate};
use zeroize::Zeroizing;

use crate::durable;
use crate::identity::IdentityError;

/// Where the link keeps what.
#[derive(Debug, Clone)]
pub struct LinkFiles(PathBuf);

/// The TLS identity, ready for use.
#[derive(Debug)]
pub struct TlsIdentity {
    /// Leaf first.
    pub chain: Vec<CertificateDer<'static>>,
    /// The authority of the coordinator.
    pub ca: CertificateDer<'static>,
    /// Validity of the leaf, seconds since 1970.
    pub validity: Validity,
    key: KeyPair,
}

/// From when to when a certificate is valid, seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// Start.
    pub not_before: i64,
    /// End.
    pub not_after: i64,
}

/// What the link counts.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counters {
    /// Connections ever begun.
    pub session: u64,
    /// Latest time a coordinator told, milliseconds since 1970: a machine with a dead clock goes by it.
    pub server_time_unix_ms: i64,
}

impl LinkFiles {
    /// The link's directory.
    pub fn new(directory: PathBuf) -> Self {
        Self(directory)
    }

    /// The TLS key; made at the first call, so that joining again after a lost reply uses the same one.
    pub fn key(&self) -> Result<KeyPair, IdentityError> {
        let path = self.0.join("tls.key");
        match std::fs::read_to_string(&path).map(Zeroizing::new) {
            Ok(pem) => KeyPair::from_pem(&pem).map_err(|_| IdentityError::Damaged(path, "not a TLS key")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = KeyPair::generate()
                    .map_err(|_| IdentityError::Damaged(path.clone(), "no key could be made"))?;
                self.write("tls.key", Zeroizing::new(key.serialize_pem()).as_bytes())?;
                Ok(key)
            }
            Err(error) => Err(IdentityError::File(path, error)),
        }
    }

    /// Stores a certificate chain for the key.
    pub fn store_chain(&self, chain: &[Vec<u8>]) -> Result<(), IdentityError> {
        self.write("chain.pem", pem(chain).as_bytes())
    }

    /// Stores the coordinator's CA certificate.
    pub fn store_ca(&self, der: &[u8]) -> Result<(), IdentityError> {
        self.write("ca.pem", pem(&[der.to_vec()]).as_bytes())
    }

    /// Reads the whole identity.
    pub fn load(&self) -> Result<TlsIdentity, IdentityError> {
        let chain = self.certificates("chain.pem")?;
        let ca = self.certificates("ca.pem")?.into_iter().next();
        let ca = ca.ok_or_else(|| IdentityError::Damaged(self.0.join("ca.pem"), "no certificate"))?;
        let leaf = chain.first().and_then(|leaf| validity(leaf));
        let validity =
            leaf.ok_or_else(|| IdentityError::Damaged(self.0.join("chain.pem"), "no certificate"))?;
        Ok(TlsIdentity { chain, ca, validity, key: self.key()? })
    }

    /// What was counted so far.
    pub fn counters(&self) -> Counters {
        let bytes = std::fs::read(self.0.join("counters.json")).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    /// Makes counters durable.
    pub fn store_counters(&self, counters: Counters) -> Result<(), IdentityError> {
        self.write("counters.json", &serde_json::to_vec(&counters).unwrap_or_default())
    }

    fn certificates(&self, name: &str) -> Result<Vec<CertificateDer<'static>>, IdentityError> {
        let path = self.0.join(name);
        let bytes = match std::fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(IdentityError::NotJoined),
            Err(error) => return Err(IdentityError::File(path, error)),
            Ok(bytes) => bytes,
        };
        let parsed: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
        parsed.map_err(|_| IdentityError::Damaged(path, "not PEM certificates"))
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<(), IdentityError> {
        let path = self.0.join(name);
        durable::write(&path, content, 0o600).map_err(|error| IdentityError::File(path, error))
    }
}

impl TlsIdentity {
    /// The key, for a TLS configuration.
    pub fn private_key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.serialize_der()).into()
    }

    /// A certificate request for the same key.
    pub fn certificate_request(&self) -> Option<Vec<u8>> {
        certificate_request(&self.key)
    }

    /// Whether a chain's leaf is for this key.
    pub fn is_mine(&self, chain: &[Vec<u8>]) -> bool {
        let spki = self.chain.first().and_then(|leaf| public_key_info(leaf));
        spki.is_some() && chain.first().and_then(|leaf| public_key_info(leaf)) == spki
    }
}

/// A request that carries nothing but the public key: the coordinator writes the certificate's content.
pub fn certificate_request(key: &KeyPair) -> Option<Vec<u8>> {
    let request = rcgen::CertificateParams::default().serialize_request(key).ok()?;
    Some(request.der().to_vec())
}

/// Subject public key info of a certificate, DER.
pub fn public_key_info(certificate: &[u8]) -> Option<Vec<u8>> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    Some(parsed.public_key().raw.to_vec())
}

fn validity(certificate: &[u8]) -> Option<Validity> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let validity = parsed.validity();
    Some(Validity { not_before: validity.not_before.timestamp(), not_after: validity.not_after.timestamp() })
}

fn pem(certificates: &[Vec<u8>]) -> String {
    use base64::Engine as _;
    let mut text = String::new();
    for der in certificates {
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        let encoded = base64::engine::general_purpose::STANDARD.encode(der);
        for line in encoded.as_bytes().chunks(64) {
            text.push_str(&String::from_utf8_lossy(line));
            text.push('\n');
        }
        text.push_str("-----END CERTIFICATE-----\n");
    }
    text
}

/// Whether the link's directory holds an identity.
pub fn is_joined(directory: &Path) -> bool {
    directory.join("chain.pem").is_file()
}
