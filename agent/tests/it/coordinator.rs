//! A coordinator made of nothing but its agents' port: one authority, three names, frames in and out under the
//! test's control.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ed25519_dalek::SigningKey;
use futures_util::{SinkExt as _, StreamExt as _};
use hydron_proto::frame::{self, MAX_DATA, ReceiveCredit, STREAM_CREDIT};
use hydron_proto::ids::{EnrollmentTokenId, ServerId, TeamId};
use hydron_proto::sni;
use hydron_proto::token::EnrollmentToken;
use hydron_proto::wire::{self, frame::Body};
use prost::Message as _;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use zeroize::Zeroizing;

use crate::world::PATIENCE;

type Socket = WebSocketStream<TlsStream<TcpStream>>;

pub(crate) struct Coordinator {
    pub(crate) address: String,
    pub(crate) signer: SigningKey,
    pub(crate) team: TeamId,
    pub(crate) server: ServerId,
    pub(crate) token: Zeroizing<String>,
    shared: Arc<Shared>,
    connections: mpsc::UnboundedReceiver<Connection>,
}

struct Shared {
    ca: CertifiedIssuer<'static, KeyPair>,
    signer: SigningKey,
    team: TeamId,
    server: ServerId,
    /// Life of the certificates it issues, seconds.
    life_s: AtomicU64,
    enrolled: AtomicU64,
    renewed: AtomicU64,
    /// The agent's sealing key.
    sealing_key: std::sync::Mutex<Vec<u8>>,
}

/// One connected agent.
pub(crate) struct Connection {
    socket: Socket,
    pub(crate) hello: wire::Hello,
}

impl Coordinator {
    pub(crate) async fn start() -> Self {
        let signer = SigningKey::from_bytes(&[7; 32]);
        let (team, server) = (TeamId::new(1, [1; 10]), ServerId::new(1, [2; 10]));
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let spki = hydron_agent::link::identity::public_key_info(ca.der()).unwrap();
        let token = EnrollmentToken {
            ca_key_sha256: Sha256::digest(spki).into(),
            id: EnrollmentTokenId::new(1, [1; 10]),
            secret: Zeroizing::new([4; 32]),
        };
        let shared = Arc::new(Shared {
            ca,
            signer: signer.clone(),
            team,
            server,
            life_s: AtomicU64::new(30 * 86_400),
            enrolled: AtomicU64::new(0),
            renewed: AtomicU64::new(0),
            sealing_key: std::sync::Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (sender, connections) = mpsc::unbounded_channel();
        tokio::spawn(serve(listener, shared.clone(), sender));
        Self { address, signer, team, server, token: token.encode(), shared, connections }
    }

    /// Certificates that are issued from now on live this long.
    pub(crate) fn issue_for(&self, seconds: u64) {
        self.shared.life_s.store(seconds, Ordering::SeqCst);
    }

    pub(crate) fn enrolled(&self) -> u64 {
        self.shared.enrolled.load(Ordering::SeqCst)
    }

    pub(crate) fn renewed(&self) -> u64 {
        self.shared.renewed.load(Ordering::SeqCst)
    }

    pub(crate) fn sealing_key(&self) -> Vec<u8> {
        self.shared.sealing_key.lock().unwrap().clone()
    }

    pub(crate) fn certify(&self, csr: &[u8]) -> Vec<u8> {
        self.shared.certify(csr)
    }

    /// The next agent that connects and says hello; it waits for its welcome.
    pub(crate) async fn connection(&mut self) -> Connection {
        tokio::time::timeout(PATIENCE, self.connections.recv()).await.expect("an agent in time").unwrap()
    }
}

impl Connection {
    pub(crate) async fn welcome(&mut self, resume: Vec<wire::RunResume>, forget: Vec<String>) {
        let welcome = wire::Welcome {
            protocol: 1,
            server_time_unix_ms: crate::world::now_ms(),
            connection_epoch: 1,
            capabilities: 0,
            credit_stream: STREAM_CREDIT,
            resume,
            forget,
        };
        self.send(0, Body::Welcome(welcome)).await;
    }

    /// Sends, unless the agent is gone: then [`Self::next`] says so.
    pub(crate) async fn send(&mut self, stream: u32, body: Body) {
        let bytes = frame::encode(stream, body).unwrap();
        let _ = self.socket.send(Message::Binary(bytes.into())).await;
    }

    /// Streams a signed envelope.
    pub(crate) async fn offer(&mut self, stream: u32, run: String, bytes: &[u8]) {
        let announced = wire::EnvelopeStream {
            run_id: run,
            length: bytes.len() as u64,
            sha256: Sha256::digest(bytes).to_vec(),
        };
        let kind = Some(wire::stream_open::Kind::Envelope(announced));
        self.send(stream, Body::StreamOpen(wire::StreamOpen { kind })).await;
        for chunk in bytes.chunks(MAX_DATA) {
            let data = wire::StreamData { data: chunk.to_vec().into() };
            self.send(stream, Body::StreamData(data)).await;
        }
        self.send(stream, Body::StreamClose(wire::StreamClose::default())).await;
    }

    /// The next frame; `None` when the connection is over.
    pub(crate) async fn next(&mut self) -> Option<(u32, Body)> {
        loop {
            match tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("a frame in time")? {
                Ok(Message::Binary(bytes)) => return Some(frame::decode(&bytes).unwrap()),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    pub(crate) async fn close(mut self, code: u16) {
        use tokio_tungstenite::tungstenite::protocol::CloseFrame;
        let frame = CloseFrame { code: code.into(), reason: "test".into() };
        let _ = self.socket.close(Some(frame)).await;
        while self.socket.next().await.is_some_and(|message| message.is_ok()) {}
    }
}

/// What a coordinator keeps of one run: events in order, logs by offset.
#[derive(Default)]
pub(crate) struct Stored {
    pub(crate) events: Vec<wire::Event>,
    pub(crate) logs: std::collections::BTreeMap<(u32, u32), Vec<u8>>,
    pub(crate) closed: std::collections::BTreeSet<(u32, u32)>,
    streams: std::collections::BTreeMap<u32, ((u32, u32), ReceiveCredit)>,
}

impl Stored {
    /// Where the stored copy ends, for a welcome.
    pub(crate) fn resume(&mut self, run: &str) -> wire::RunResume {
        self.streams.clear();
        let logs = self.logs.iter().map(|(key, bytes)| wire::LogPosition {
            command: Some(wire::CommandId { run_id: run.into(), step: key.0, attempt: key.1 }),
            length: bytes.len() as u64,
            finished: self.closed.contains(key),
        });
        let acknowledged_seq = self.events.last().map_or(0, |event| event.seq);
        wire::RunResume { run_id: run.into(), acknowledged_seq, logs: logs.collect() }
    }

    /// Takes one frame as a coordinator must: no event twice or out of order, no byte twice or beyond its credit.
    pub(crate) async fn take(&mut self, connection: &mut Connection, stream: u32, body: Body) {
        match body {
            Body::Event(event) if event.seq > 0 => {
                assert_eq!(event.seq, self.events.last().map_or(0, |event| event.seq) + 1);
                let ack = wire::EventAck { run_id: event.run_id.clone(), seq: event.seq };
                self.events.push(event);
                connection.send(0, Body::EventAck(ack)).await;
            }
            Body::StreamOpen(open) => {
                let Some(wire::stream_open::Kind::Log(log)) = open.kind else { panic!("not a log stream") };
                assert!(stream.is_multiple_of(2) && stream > 0);
                let command = log.command.unwrap();
                let key = (command.step, command.attempt);
                assert_eq!(log.offset, self.logs.entry(key).or_default().len() as u64);
                assert!(self.streams.insert(stream, (key, ReceiveCredit::new(STREAM_CREDIT))).is_none());
            }
            Body::StreamData(data) => {
                let (key, credit) = self.streams.get_mut(&stream).expect("an open stream");
                let key = *key;
                assert!(data.data.len() <= MAX_DATA && credit.arrived(data.data.len()), "beyond its credit");
                let grant = credit.consumed(data.data.len());
                let stored = self.logs.get_mut(&key).unwrap();
                stored.extend_from_slice(&data.data);
                let command = self.events.first().map(|event| wire::CommandId {
                    run_id: event.run_id.clone(),
                    step: key.0,
                    attempt: key.1,
                });
                let ack = wire::LogAck { command, offset: stored.len() as u64 };
                connection.send(0, Body::LogAck(ack)).await;
                if let Some(bytes) = grant {
                    connection.send(stream, Body::WindowUpdate(wire::WindowUpdate { bytes })).await;
                }
            }
            Body::StreamClose(close) => {
                assert_eq!(close.code, 0);
                let (key, _) = self.streams.remove(&stream).expect("an open stream");
                assert!(self.closed.insert(key));
            }
            Body::Ping(ping) => connection.send(0, Body::Pong(wire::Pong { nonce: ping.nonce })).await,
            _other => {}
        }
    }

    /// Takes frames until `done`, or until the connection is over; says which.
    pub(crate) async fn take_until(
        &mut self,
        connection: &mut Connection,
        done: impl Fn(&Self) -> bool,
    ) -> bool {
        while !done(self) {
            let Some((stream, body)) = connection.next().await else { return false };
            self.take(connection, stream, body).await;
        }
        true
    }

    pub(crate) fn range_ended(&self) -> bool {
        let last = self.events.last().and_then(|event| event.body.as_ref());
        matches!(last, Some(wire::event::Body::RangeEnded(_)))
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>, connections: mpsc::UnboundedSender<Connection>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::spawn(open(stream, shared.clone(), connections.clone()));
    }
}

async fn open(
    stream: TcpStream,
    shared: Arc<Shared>,
    connections: mpsc::UnboundedSender<Connection>,
) -> Option<()> {
    let start = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream).await.ok()?;
    let name = start.client_hello().server_name()?.to_owned();
    let mut stream = start.into_stream(shared.tls(&name)).await.ok()?;
    match name.as_str() {
        sni::ENROLL => {
            let request: wire::EnrollRequest = read_post(&mut stream, "/v1/enroll").await;
            let reply = shared.enroll(&request);
            answer(&mut stream, reply).await;
        }
        sni::RENEW => {
            let request: wire::RenewRequest = read_post(&mut stream, "/v1/renew").await;
            shared.renewed.fetch_add(1, Ordering::SeqCst);
            let chain = vec![shared.certify(&request.csr_der)];
            let reply = wire::RenewReply { certificate_chain_der: chain };
            answer(&mut stream, Ok(reply.encode_to_vec())).await;
        }
        _agents => {
            let mut socket = tokio_tungstenite::accept_async(stream).await.ok()?;
            let Some(Ok(Message::Binary(bytes))) = socket.next().await else { return None };
            let Ok((0, Body::Hello(hello))) = frame::decode(&bytes) else { panic!("no hello") };
            connections.send(Connection { socket, hello }).ok()?;
        }
    }
    Some(())
}

impl Shared {
    fn tls(&self, name: &str) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let leaf = params.signed_by(&key, &self.ca).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap();
        let builder = if name == sni::AGENTS {
            let mut roots = RootCertStore::empty();
            roots.add(self.ca.der().clone()).unwrap();
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        } else {
            builder.with_no_client_auth()
        };
        let chain = vec![leaf.der().clone(), self.ca.der().clone()];
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        Arc::new(builder.with_single_cert(chain, key).unwrap())
    }

    fn enroll(&self, request: &wire::EnrollRequest) -> Result<Vec<u8>, &'static str> {
        let token = EnrollmentToken::parse(&request.token).unwrap();
        if *token.secret != [4; 32] {
            return Err("this token was used before");
        }
        self.enrolled.fetch_add(1, Ordering::SeqCst);
        self.sealing_key.lock().unwrap().clone_from(&request.sealing_public_key);
        let reply = wire::EnrollReply {
            server_id: self.server.to_string(),
            team_id: self.team.to_string(),
            certificate_chain_der: vec![self.certify(&request.csr_der)],
            ca_der: self.ca.der().to_vec(),
            signer_keys: vec![wire::SignerKey {
                key_id: "k1".into(),
                public_key: self.signer.verifying_key().as_bytes().to_vec(),
            }],
        };
        Ok(reply.encode_to_vec())
    }

    /// A fresh certificate for nothing but the public key of a request.
    fn certify(&self, csr: &[u8]) -> Vec<u8> {
        let csr = rustls_pki_types::CertificateSigningRequestDer::from(csr.to_vec());
        let request = rcgen::CertificateSigningRequestParams::from_der(&csr).unwrap();
        let mut params = CertificateParams::default();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let now = std::time::SystemTime::now();
        params.not_before = (now - Duration::from_hours(1)).into();
        params.not_after = (now + Duration::from_secs(self.life_s.load(Ordering::SeqCst))).into();
        let leaf: CertificateDer<'_> = params.signed_by(&request.public_key, &self.ca).unwrap().der().clone();
        leaf.to_vec()
    }
}

async fn read_post<M: prost::Message + Default>(stream: &mut TlsStream<TcpStream>, path: &str) -> M {
    let mut bytes = Vec::new();
    loop {
        stream.read_buf(&mut bytes).await.unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some(end) = text.find("\r\n\r\n") else { continue };
        assert!(text.starts_with(&format!("POST {path} HTTP/1.1\r\n")));
        let length = text.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap();
        // The head is ASCII, so its length in the lossy text is its length in bytes.
        if bytes.len() >= end + 4 + length.parse::<usize>().unwrap() {
            return M::decode(bytes.get(end + 4..).unwrap()).unwrap();
        }
    }
}

async fn answer(stream: &mut TlsStream<TcpStream>, reply: Result<Vec<u8>, &'static str>) {
    let (status, body) = match reply {
        Ok(body) => ("200 OK", body),
        Err(why) => {
            ("409 Conflict", format!("{{\"code\":\"token_used\",\"detail\":\"{why}\"}}").into_bytes())
        }
    };
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
    let _ = stream.write_all(&[head.into_bytes(), body].concat()).await;
    let _ = stream.shutdown().await;
}
