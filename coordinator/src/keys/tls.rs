//! The certificate of the web interface: a leaf by the coordinator's own authority, renewed while it runs, or files that
//! the operator brings.
//!
//! Rule: TLS 1.2 and 1.3 with ring, nothing else.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::ca::{Authority, CaError, Leaf, Validity};
use crate::clock::Clock;

/// Browsers refuse server certificates that live much longer.
const LEAF_DAYS: i64 = 90;
const DAY: i64 = 24 * 60 * 60 * 1000;

/// Why the web interface cannot be served over TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The authority could not make a leaf.
    #[error(transparent)]
    Ca(#[from] CaError),
    /// One of the operator's files.
    #[error("{setting} {path} cannot be used: {problem}")]
    File {
        /// Which setting named it.
        setting: &'static str,
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// Certificate and key do not fit.
    #[error("the certificate and its key do not fit together")]
    Mismatch(#[from] rustls::Error),
}

/// TLS for the web interface with leaves of our own authority for `names`.
pub fn by_own_authority(
    authority: Arc<Authority>,
    names: Vec<String>,
    clock: Arc<dyn Clock>,
) -> Result<rustls::ServerConfig, TlsError> {
    let resolver = OwnLeaf { authority, names, clock, current: Mutex::new(None) };
    // The first leaf is made now, so that what is wrong is said at the start.
    resolver.current()?;
    let mut config = builder()?.with_cert_resolver(Arc::new(resolver));
    config.alpn_protocols = alpn();
    Ok(config)
}

/// TLS for the web interface with the operator's files.
pub fn by_files(certificate: &Path, key: &Path) -> Result<rustls::ServerConfig, TlsError> {
    let failed = |setting, path: &Path, error: rustls_pki_types::pem::Error| TlsError::File {
        setting,
        path: path.to_owned(),
        problem: error.to_string(),
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| failed("tls_certificate", certificate, error))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| failed("tls_key", key, error))?;
    let mut config = builder()?.with_single_cert(chain, private)?;
    config.alpn_protocols = alpn();
    Ok(config)
}

fn builder()
-> Result<rustls::ConfigBuilder<rustls::ServerConfig, rustls::server::WantsServerCert>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth())
}

/// HTTP/2 first: a page holds several event streams, more than browsers allow over HTTP/1.1.
fn alpn() -> Vec<Vec<u8>> {
    vec![b"h2".to_vec(), b"http/1.1".to_vec()]
}

#[derive(Debug)]
struct OwnLeaf {
    authority: Arc<Authority>,
    names: Vec<String>,
    clock: Arc<dyn Clock>,
    current: Mutex<Option<(i64, Arc<CertifiedKey>)>>,
}

impl OwnLeaf {
    /// The leaf, renewed after two thirds of its life.
    fn current(&self) -> Result<Arc<CertifiedKey>, TlsError> {
        let now = self.clock.now_ms();
        let mut current = self.current.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((renew_at, key)) = &*current
            && now < *renew_at
        {
            return Ok(key.clone());
        }
        let Leaf { chain, key } = self.authority.server_leaf(&self.names, Validity::days(now, LEAF_DAYS))?;
        let signing = rustls::crypto::ring::sign::any_supported_type(&key)?;
        let made = Arc::new(CertifiedKey::new(chain, signing));
        *current = Some((now + LEAF_DAYS * DAY * 2 / 3, made.clone()));
        Ok(made)
    }
}

impl ResolvesServerCert for OwnLeaf {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.current()
            .inspect_err(|error| tracing::error!(%error, "no certificate for the web interface"))
            .ok()
    }
}
