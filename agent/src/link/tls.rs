//! TLS to the coordinator: version 1.3, ring, one pinned authority, fixed names.
//!
//! Rule: the machine's own list of authorities plays no part. Neighbours: `dial`, `join`.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use sha2::{Digest as _, Sha256};

use super::identity::{TlsIdentity, public_key_info};

/// A configuration that cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("TLS cannot be set up")]
pub struct TlsError(#[source] Error);

/// How the coordinator's authority is recognised.
#[derive(Debug, Clone)]
enum Pin {
    Certificate(CertificateDer<'static>),
    /// SHA-256 of its public key, from an enrollment token.
    Key([u8; 32]),
}

#[derive(Debug)]
struct PinnedVerifier {
    pin: Pin,
    provider: Arc<CryptoProvider>,
    /// No clock before this one is believed.
    not_before: Duration,
}

/// Mutual TLS with this server's identity.
pub fn mutual(identity: &TlsIdentity, not_before: Duration) -> Result<Arc<ClientConfig>, TlsError> {
    let config = builder(Pin::Certificate(identity.ca.clone()), not_before)?
        .with_client_auth_cert(identity.chain.clone(), identity.private_key())
        .map_err(TlsError)?;
    Ok(Arc::new(config))
}

/// Server-authenticated TLS by an enrollment token's pin.
pub fn by_token(ca_key_sha256: [u8; 32]) -> Result<Arc<ClientConfig>, TlsError> {
    Ok(Arc::new(builder(Pin::Key(ca_key_sha256), Duration::ZERO)?.with_no_client_auth()))
}

/// Whether a certificate has the key that a token pins.
pub fn has_key(certificate: &[u8], key_sha256: &[u8; 32]) -> bool {
    public_key_info(certificate).is_some_and(|info| <[u8; 32]>::from(Sha256::digest(info)) == *key_sha256)
}

fn builder(
    pin: Pin,
    not_before: Duration,
) -> Result<rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let verifier = PinnedVerifier { pin, provider: provider.clone(), not_before };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(TlsError)?;
    Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)))
}

impl PinnedVerifier {
    fn authority<'a>(&'a self, presented: &'a [CertificateDer<'a>]) -> Option<&'a CertificateDer<'a>> {
        match &self.pin {
            Pin::Certificate(certificate) => Some(certificate),
            Pin::Key(key) => presented.iter().find(|certificate| has_key(certificate, key)),
        }
    }
}

impl ServerCertVerifier for PinnedVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let unknown = || Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let authority = self.authority(intermediates).ok_or_else(unknown)?;
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone().into_owned()).map_err(|_| unknown())?;
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), self.provider.clone())
            .build()
            .map_err(|_| unknown())?;
        let now = UnixTime::since_unix_epoch(Duration::from_secs(now.as_secs()).max(self.not_before));
        verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("only TLS 1.3 is spoken".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
