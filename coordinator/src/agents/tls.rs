//! TLS of the agents' port: version 1.3, ring, our own authority, one configuration a server name.
//!
//! Rule: `agents` and `renew` want a certificate of our authority, `enroll` wants none; only `renew` overlooks that a
//! certificate has ended, and for 90 days at most. No session is resumed: a certificate is judged every time.

use std::sync::Arc;

use hydron_domain::enrollment::RENEWABLE_AFTER_MS;
use hydron_proto::sni;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig,
    SignatureScheme,
};
use rustls_pki_types::{CertificateDer, UnixTime};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::keys::ca::{Authority, CaError, Validity};

const LEAF_DAYS: i64 = 90;
const DAY_MS: i64 = 24 * 3600 * 1000;

/// The three configurations.
#[derive(Debug, Clone)]
pub(super) struct AgentTls {
    /// Mutual.
    pub(super) agents: Arc<ServerConfig>,
    /// Server-authenticated.
    pub(super) enroll: Arc<ServerConfig>,
    /// Mutual, overlooking the end of a certificate.
    pub(super) renew: Arc<ServerConfig>,
}

/// Why the port cannot have TLS.
#[derive(Debug, thiserror::Error)]
pub enum AgentTlsError {
    /// The authority could not make a leaf.
    #[error(transparent)]
    Ca(#[from] CaError),
    /// rustls refused the configuration.
    #[error("TLS for agents cannot be set up")]
    Tls(#[from] Error),
    /// The authority is no root.
    #[error("the coordinator's authority cannot check agents' certificates")]
    Verifier(#[from] rustls::server::VerifierBuilderError),
}

impl AgentTls {
    pub(super) fn new(authority: Arc<Authority>, clock: Arc<dyn Clock>) -> Result<Self, AgentTlsError> {
        let provider = Arc::new(ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(authority.der().clone())?;
        let strict =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build()?;
        let leaf = Arc::new(Leaf { authority, clock, current: Mutex::new(None) });
        leaf.current()?;
        let late: Arc<dyn ClientCertVerifier> = Arc::new(LateVerifier { strict: strict.clone() });
        Ok(Self {
            agents: config(&provider, Some(strict), leaf.clone())?,
            renew: config(&provider, Some(late), leaf.clone())?,
            enroll: config(&provider, None, leaf)?,
        })
    }

    /// The configuration behind a server name.
    pub(super) fn for_name(&self, name: Option<&str>) -> Option<(Door, Arc<ServerConfig>)> {
        match name {
            Some(sni::AGENTS) => Some((Door::Agents, self.agents.clone())),
            Some(sni::ENROLL) => Some((Door::Enroll, self.enroll.clone())),
            Some(sni::RENEW) => Some((Door::Renew, self.renew.clone())),
            Some(_) | None => None,
        }
    }
}

/// What a connection came for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// The link.
    Agents,
    /// Enrollment.
    Enroll,
    /// Renewal after the end.
    Renew,
}

fn config(
    provider: &Arc<CryptoProvider>,
    verifier: Option<Arc<dyn ClientCertVerifier>>,
    leaf: Arc<Leaf>,
) -> Result<Arc<ServerConfig>, Error> {
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])?;
    let builder = match verifier {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(leaf);
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// The coordinator's certificate for the three names, renewed after two thirds of its life.
#[derive(Debug)]
struct Leaf {
    authority: Arc<Authority>,
    clock: Arc<dyn Clock>,
    current: Mutex<Option<(i64, Arc<CertifiedKey>)>>,
}

impl Leaf {
    fn current(&self) -> Result<Arc<CertifiedKey>, AgentTlsError> {
        let now = self.clock.now_ms();
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((renew_at, key)) = &*current
            && now < *renew_at
        {
            return Ok(key.clone());
        }
        let names = [sni::AGENTS, sni::ENROLL, sni::RENEW].map(str::to_owned);
        let made = self.authority.server_leaf(&names, Validity::days(now, LEAF_DAYS))?;
        let signing = ring::sign::any_supported_type(&made.key)?;
        let key = Arc::new(CertifiedKey::new(made.chain, signing));
        *current = Some((now + LEAF_DAYS * DAY_MS * 2 / 3, key.clone()));
        Ok(key)
    }
}

impl ResolvesServerCert for Leaf {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.current()
            .inspect_err(|error| tracing::error!(%error, "no certificate for the agents' port"))
            .ok()
    }
}

/// Everything that the strict verifier checks, at a time at which the certificate was valid.
#[derive(Debug)]
struct LateVerifier {
    strict: Arc<dyn ClientCertVerifier>,
}

impl ClientCertVerifier for LateVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.strict.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let end = end_of(end_entity).ok_or(Error::InvalidCertificate(CertificateError::BadEncoding))?;
        let latest = end.saturating_add(u64::try_from(RENEWABLE_AFTER_MS / 1000).unwrap_or(0));
        if now.as_secs() > latest {
            return Err(Error::InvalidCertificate(CertificateError::Expired));
        }
        let then = UnixTime::since_unix_epoch(Duration::from_secs(now.as_secs().min(end)));
        self.strict.verify_client_cert(end_entity, intermediates, then)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.strict.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.strict.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.strict.supported_verify_schemes()
    }
}

fn end_of(certificate: &CertificateDer<'_>) -> Option<u64> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    u64::try_from(parsed.validity().not_after.timestamp()).ok()
}
