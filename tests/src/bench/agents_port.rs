//! The coordinator's end of a link, as a measurement needs it: one authority, one server that may enroll, and a
//! connection whose frames the benchmark sends and reads itself.
//!
//! Rule: TLS, names, framing and signatures are those of the product; there is no database behind it.
//! Neighbour: `hydron`, which sends permits through it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use ed25519_dalek::SigningKey;
use futures_util::{SinkExt as _, StreamExt as _};
use hydron_proto::frame::{self, MAX_DATA, STREAM_CREDIT};
use hydron_proto::ids::{EnrollmentTokenId, ServerId, TeamId};
use hydron_proto::token::EnrollmentToken;
use hydron_proto::wire::{self, frame::Body};
use hydron_proto::{PROTOCOL_VERSION, sni};
use prost::Message as _;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::PrivatePkcs8KeyDer;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use zeroize::Zeroizing;

/// How long an agent may take to do anything.
const PATIENCE: Duration = Duration::from_secs(30);
/// Certificates live this long.
const LIFE: Duration = Duration::from_hours(24);

/// A port that one agent may join.
pub(super) struct AgentsPort {
    listener: TcpListener,
    authority: CertifiedIssuer<'static, KeyPair>,
    /// Signs envelopes.
    pub signer: SigningKey,
    /// The agent's team.
    pub team: TeamId,
    /// The agent's server.
    pub server: ServerId,
}

/// A welcomed agent.
pub(super) struct Link {
    socket: WebSocketStream<TlsStream<TcpStream>>,
    next_stream: u32,
}

impl AgentsPort {
    /// Listens on a free port of loopback.
    pub(super) async fn bind() -> anyhow::Result<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let mut seed = Zeroizing::new([0; 32]);
        rand::fill(seed.as_mut_slice());
        Ok(Self {
            listener: TcpListener::bind("127.0.0.1:0").await?,
            authority: CertifiedIssuer::self_signed(params, KeyPair::generate()?)?,
            signer: SigningKey::from_bytes(&seed),
            team: TeamId::new(1, rand::random()),
            server: ServerId::new(1, rand::random()),
        })
    }

    /// Where agents dial.
    pub(super) fn address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// What an agent joins with.
    pub(super) fn token(&self) -> anyhow::Result<Zeroizing<String>> {
        let (_, authority) = x509_parser::parse_x509_certificate(self.authority.der())?;
        let token = EnrollmentToken {
            ca_key_sha256: Sha256::digest(authority.public_key().raw).into(),
            id: EnrollmentTokenId::new(1, rand::random()),
            secret: Zeroizing::new(rand::random()),
        };
        Ok(token.encode())
    }

    /// Enrolls the next agent that asks.
    pub(super) async fn enroll(&self) -> anyhow::Result<()> {
        let mut stream = self.accept(sni::ENROLL).await?;
        let request: wire::EnrollRequest = read_post(&mut stream).await?;
        let reply = wire::EnrollReply {
            server_id: self.server.to_string(),
            team_id: self.team.to_string(),
            certificate_chain_der: vec![self.certify(request.csr_der)?],
            ca_der: self.authority.der().to_vec(),
            signer_keys: vec![wire::SignerKey {
                key_id: "bench".to_owned(),
                public_key: self.signer.verifying_key().as_bytes().to_vec(),
            }],
        }
        .encode_to_vec();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", reply.len());
        stream.write_all(&[head.into_bytes(), reply].concat()).await?;
        Ok(stream.shutdown().await?)
    }

    /// Welcomes the next agent that connects.
    pub(super) async fn link(&self) -> anyhow::Result<Link> {
        let stream = self.accept(sni::AGENTS).await?;
        let socket = tokio_tungstenite::accept_async(stream).await?;
        let mut link = Link { socket, next_stream: 1 };
        let (_, Body::Hello(_)) = link.next().await? else { anyhow::bail!("it did not say hello") };
        let welcome = wire::Welcome {
            protocol: PROTOCOL_VERSION,
            connection_epoch: 1,
            credit_stream: STREAM_CREDIT,
            ..wire::Welcome::default()
        };
        link.send(0, Body::Welcome(welcome)).await?;
        Ok(link)
    }

    async fn accept(&self, name: &str) -> anyhow::Result<TlsStream<TcpStream>> {
        let accept = async {
            let (socket, _) = self.listener.accept().await?;
            socket.set_nodelay(true)?;
            let start = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), socket).await?;
            let asked = start.client_hello().server_name().map(str::to_owned);
            anyhow::ensure!(asked.as_deref() == Some(name), "{asked:?} was asked for, not {name}");
            Ok(start.into_stream(self.tls(name)?).await?)
        };
        tokio::time::timeout(PATIENCE, accept).await.context("no agent came")?
    }

    fn tls(&self, name: &str) -> anyhow::Result<Arc<ServerConfig>> {
        let key = KeyPair::generate()?;
        let leaf = CertificateParams::new(vec![name.to_owned()])?.signed_by(&key, &self.authority)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])?;
        let builder = if name == sni::AGENTS {
            let mut roots = RootCertStore::empty();
            roots.add(self.authority.der().clone())?;
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
            builder.with_client_cert_verifier(verifier)
        } else {
            builder.with_no_client_auth()
        };
        let chain = vec![leaf.der().clone(), self.authority.der().clone()];
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        Ok(Arc::new(builder.with_single_cert(chain, key)?))
    }

    /// A certificate for nothing but the public key of a request.
    fn certify(&self, request_der: Vec<u8>) -> anyhow::Result<Vec<u8>> {
        let request = rcgen::CertificateSigningRequestParams::from_der(&request_der.into())?;
        let mut params = CertificateParams::default();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let now = std::time::SystemTime::now();
        params.not_before = (now - LIFE).into();
        params.not_after = (now + LIFE).into();
        Ok(params.signed_by(&request.public_key, &self.authority)?.der().to_vec())
    }
}

impl Link {
    /// Sends a frame.
    pub(super) async fn send(&mut self, stream: u32, body: Body) -> anyhow::Result<()> {
        let bytes = frame::encode(stream, body)?;
        Ok(self.socket.send(Message::Binary(bytes.into())).await?)
    }

    /// Streams a signed envelope.
    pub(super) async fn offer(&mut self, run: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let stream = self.next_stream;
        self.next_stream += 2;
        let announced = wire::EnvelopeStream {
            run_id: run.to_owned(),
            length: bytes.len() as u64,
            sha256: Sha256::digest(bytes).to_vec(),
        };
        let kind = Some(wire::stream_open::Kind::Envelope(announced));
        self.send(stream, Body::StreamOpen(wire::StreamOpen { kind })).await?;
        for chunk in bytes.chunks(MAX_DATA) {
            let data = chunk.to_vec().into();
            self.send(stream, Body::StreamData(wire::StreamData { data })).await?;
        }
        self.send(stream, Body::StreamClose(wire::StreamClose::default())).await
    }

    /// The next frame that is not about the connection itself.
    pub(super) async fn next(&mut self) -> anyhow::Result<(u32, Body)> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.socket.next()).await;
            let message = message.context("the agent says nothing")?.context("the agent hung up")??;
            let Message::Binary(bytes) = message else { continue };
            match frame::decode(&bytes)? {
                (_, Body::Ping(ping)) => {
                    self.send(0, Body::Pong(wire::Pong { nonce: ping.nonce })).await?;
                }
                frame => return Ok(frame),
            }
        }
    }
}

async fn read_post<M: prost::Message + Default>(stream: &mut TlsStream<TcpStream>) -> anyhow::Result<M> {
    let mut bytes = Vec::new();
    loop {
        anyhow::ensure!(stream.read_buf(&mut bytes).await? > 0, "the agent hung up");
        let Some(head) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let (head, body) = bytes.split_at(head + 4);
        let length =
            std::str::from_utf8(head)?.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        let length: usize = length.context("a request without a length")?.parse()?;
        if body.len() >= length {
            return Ok(M::decode(body)?);
        }
    }
}
