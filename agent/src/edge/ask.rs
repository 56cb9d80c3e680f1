//! One HTTP request over a connection of our own: to a candidate, to the proxy's control socket, through its TLS side.
//!
//! Rule: never a redirect, never a proxy, never a name lookup; the answer's body is read up to a limit.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

/// Most of a body that is read.
const MOST_BODY: usize = 64 * 1024;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Which container answered, when the probe token was shown.
    pub answered_by: Option<String>,
    /// The first 64 KiB.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Why there was no answer, in words.
pub(super) type NoAnswer = String;

/// GET over plain TCP.
pub async fn ask_tcp(
    address: SocketAddr,
    host: &str,
    path: &str,
    within: Duration,
) -> Result<Answer, NoAnswer> {
    timed(within, async {
        let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
        exchange(stream, host, path, None).await
    })
    .await
}

/// GET over TLS with `host` as SNI and Host; only `authority` (PEM) is believed.
pub async fn ask_tls(
    address: SocketAddr,
    host: &str,
    path: &str,
    authority: &str,
    probe_token: Option<&str>,
    within: Duration,
) -> Result<Answer, NoAnswer> {
    let connector = tokio_rustls::TlsConnector::from(client(authority)?);
    let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
    timed(within, async {
        let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
        let stream = connector.connect(name, stream).await.map_err(|error| error.to_string())?;
        exchange(stream, host, path, probe_token).await
    })
    .await
}

/// GET over a Unix socket.
pub(super) async fn ask_unix(socket: &Path, path: &str) -> Result<Answer, NoAnswer> {
    timed(Duration::from_secs(2), async {
        let stream = UnixStream::connect(socket).await.map_err(|error| error.to_string())?;
        exchange(stream, "localhost", path, None).await
    })
    .await
}

async fn timed(
    within: Duration,
    exchange: impl Future<Output = Result<Answer, NoAnswer>>,
) -> Result<Answer, NoAnswer> {
    let late = |_| format!("no answer within {} s", within.as_secs());
    tokio::time::timeout(within, exchange).await.map_err(late)?
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    host: &str,
    path: &str,
    probe_token: Option<&str>,
) -> Result<Answer, NoAnswer> {
    let say = |error: hyper::Error| with_cause(&error);
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(say)?;
    let mut request = Request::get(path)
        .header("host", host)
        .header("user-agent", "hydron-agent")
        .header("x-forwarded-proto", "https")
        .header("connection", "close");
    if let Some(token) = probe_token {
        request = request.header("x-hydron-probe", token);
    }
    let request = request.body(Empty::<Bytes>::new()).map_err(|error| error.to_string())?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(say)?;
        let status = response.status().as_u16();
        let header = response.headers().get("x-hydron-answered-by");
        let answered_by = header.and_then(|value| value.to_str().ok()).map(str::to_owned);
        let body = Limited::new(response.into_body(), MOST_BODY).collect().await;
        let body = body.map(|body| body.to_bytes().to_vec()).unwrap_or_default();
        Ok(Answer { status, answered_by, body })
    };
    // The connection is driven here, so that nothing outlives the request.
    tokio::pin!(answer);
    tokio::select! {
        answer = &mut answer => answer,
        ended = connection => match ended {
            Ok(()) => answer.await,
            Err(error) => Err(with_cause(&error)),
        },
    }
}

fn client(authority: &str) -> Result<Arc<rustls::ClientConfig>, NoAnswer> {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(authority.as_bytes()) {
        roots.add(certificate.map_err(|error| error.to_string())?).map_err(|error| error.to_string())?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn with_cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}
