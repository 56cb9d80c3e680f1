//! Keys, enrollment, and TLS that trusts one authority and presents one certificate.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use hydron_proto::frame::HANDSHAKE_STAGE_S;
use hydron_proto::ids::{ServerId, TeamId};
use hydron_proto::seal::SealingKey;
use hydron_proto::token::EnrollmentToken;
use hydron_proto::{PROTOCOL_VERSION, sni, wire};
use prost::Message;
use rcgen::{CertificateParams, KeyPair};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use zeroize::Zeroizing;

/// As patient as a real agent.
pub(super) const STAGE: Duration = Duration::from_secs(HANDSHAKE_STAGE_S);

/// The two key pairs that a server makes for itself.
pub struct SimKeys {
    tls: KeyPair,
    seed: Zeroizing<[u8; 32]>,
}

/// An enrolled server.
pub struct Identity {
    /// Its team.
    pub team: TeamId,
    /// Which server.
    pub server: ServerId,
    /// Keys whose signatures it obeys.
    pub signers: Vec<wire::SignerKey>,
    /// What secrets are sealed to.
    pub sealing: SealingKey,
    keys: KeyPair,
    chain: Vec<CertificateDer<'static>>,
    ca: CertificateDer<'static>,
}

/// Why nobody was enrolled.
#[derive(Debug, thiserror::Error)]
pub enum EnrollRefused {
    /// The coordinator said no.
    #[error("refused: {code}")]
    Refused {
        /// Its stable code.
        code: String,
    },
    /// Something else.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

impl std::fmt::Debug for SimKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SimKeys")
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("server", &self.server).finish_non_exhaustive()
    }
}

impl SimKeys {
    /// Fresh keys.
    #[expect(clippy::expect_used, reason = "a test without keys cannot go on")]
    pub fn generate() -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        rand::fill(seed.as_mut_slice());
        Self { tls: KeyPair::generate().expect("a key pair"), seed }
    }

    /// A certificate request for the TLS key.
    pub fn request(&self) -> anyhow::Result<Vec<u8>> {
        request_of(&self.tls)
    }
}

/// Enrolls `keys` with a token's text.
pub async fn enroll(address: SocketAddr, token: &str, keys: &SimKeys) -> Result<Identity, EnrollRefused> {
    let parsed = EnrollmentToken::parse(token).context("the token")?;
    let pinned = Arc::new(PinnedByKey(parsed.ca_key_sha256));
    let config = client_builder().dangerous().with_custom_certificate_verifier(pinned).with_no_client_auth();
    let sealing = SealingKey::derive(&keys.seed);
    let request = wire::EnrollRequest {
        token: token.to_owned(),
        csr_der: keys.request()?,
        sealing_public_key: sealing.public_bytes(),
        facts: Some(facts()),
        agent_version: "simulated".to_owned(),
        protocol: PROTOCOL_VERSION,
    };
    let stream = dial(address, sni::ENROLL, config).await?;
    let reply: wire::EnrollReply = post(stream, "/v1/enroll", &request).await?;
    Ok(Identity {
        team: reply.team_id.parse().context("team")?,
        server: reply.server_id.parse().context("server")?,
        signers: reply.signer_keys,
        sealing,
        keys: KeyPair::try_from(keys.tls.serialize_der()).context("the key")?,
        chain: reply.certificate_chain_der.into_iter().map(CertificateDer::from).collect(),
        ca: CertificateDer::from(reply.ca_der),
    })
}

/// Renews by the name that overlooks the end of a certificate.
pub async fn renew_late(address: SocketAddr, identity: &Identity) -> Result<Vec<Vec<u8>>, EnrollRefused> {
    let stream = dial(address, sni::RENEW, identity.client_config()?).await?;
    let request = wire::RenewRequest { csr_der: request_of(&identity.keys)? };
    let reply: wire::RenewReply = post(stream, "/v1/renew", &request).await?;
    Ok(reply.certificate_chain_der)
}

impl Identity {
    /// The certificate, as it was issued.
    pub fn certificate(&self) -> &[u8] {
        self.chain.first().map(AsRef::as_ref).unwrap_or_default()
    }

    /// A request to renew the certificate.
    pub fn renewal(&self) -> anyhow::Result<Vec<u8>> {
        request_of(&self.keys)
    }

    /// The same server with another key's certificate request: what a thief of the certificate would send.
    pub(super) fn client_config(&self) -> anyhow::Result<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.ca.clone())?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.keys.serialize_der()));
        Ok(client_builder().with_root_certificates(roots).with_client_auth_cert(self.chain.clone(), key)?)
    }
}

pub(super) async fn dial(
    address: SocketAddr,
    name: &'static str,
    config: ClientConfig,
) -> anyhow::Result<TlsStream<TcpStream>> {
    let socket = timeout(STAGE, TcpStream::connect(address)).await.context("TCP")??;
    socket.set_nodelay(true)?;
    let connector = TlsConnector::from(Arc::new(config));
    Ok(timeout(STAGE, connector.connect(ServerName::try_from(name)?, socket)).await.context("TLS")??)
}

pub(super) fn facts() -> wire::Facts {
    wire::Facts {
        hostname: "sim".to_owned(),
        os: "Debian 12".to_owned(),
        arch: "x86_64".to_owned(),
        cpu_count: 2,
        memory_bytes: 4 << 30,
        disk_bytes: 40 << 30,
        disk_free_bytes: 30 << 30,
        http_port: 80,
        https_port: 443,
        ..wire::Facts::default()
    }
}

fn request_of(key: &KeyPair) -> anyhow::Result<Vec<u8>> {
    // Everything but the key is asked for in vain; a test looks that it is.
    let mut params = CertificateParams::new(vec!["evil.example".to_owned()])?;
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    Ok(params.serialize_request(key)?.der().to_vec())
}

#[expect(clippy::expect_used, reason = "ring has TLS 1.3")]
fn client_builder() -> rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
}

async fn post<R: Message + Default>(
    mut stream: TlsStream<TcpStream>,
    path: &str,
    request: &impl Message,
) -> Result<R, EnrollRefused> {
    let body = request.encode_to_vec();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: hydron.internal\r\nContent-Type: application/x-protobuf\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let exchange = async {
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(&body).await?;
        stream.flush().await?;
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer).await {
            Err(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => Err(error),
            Ok(_) | Err(_) => Ok(answer),
        }
    };
    let answer = exchange.await.context("the exchange")?;
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n").context("no HTTP answer")?;
    let (head, body) = answer.split_at(end + 4);
    if head.starts_with(b"HTTP/1.1 200") {
        return Ok(R::decode(body).context("the answer does not decode")?);
    }
    let problem: serde_json::Value = serde_json::from_slice(body).context("a refusal without a problem")?;
    let code = problem.get("code").and_then(serde_json::Value::as_str).unwrap_or("none").to_owned();
    Err(EnrollRefused::Refused { code })
}

/// Believes the authority whose key a token pins. The chain is ours; that the leaf is signed by it is checked as usual.
#[derive(Debug)]
struct PinnedByKey([u8; 32]);

impl rustls::client::danger::ServerCertVerifier for PinnedByKey {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp: &[u8],
        now: rustls_pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        use sha2::{Digest as _, Sha256};
        let pinned = intermediates.iter().find(|certificate| {
            x509_parser::parse_x509_certificate(certificate)
                .is_ok_and(|(_, parsed)| <[u8; 32]>::from(Sha256::digest(parsed.public_key().raw)) == self.0)
        });
        let pinned = pinned.ok_or_else(|| rustls::Error::General("not the pinned authority".to_owned()))?;
        let mut roots = RootCertStore::empty();
        roots.add(pinned.clone().into_owned())?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = rustls::client::WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|error| rustls::Error::General(error.to_string()))?;
        verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, &algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        rustls::crypto::ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
