//! From an address to a TLS stream: resolve, connect (through an HTTPS proxy when one is set), shake hands.
//!
//! Rule: every stage has its deadline. Neighbours: `tls` (whom to believe), `session`, `post`.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use hydron_proto::frame::{HANDSHAKE_STAGE_S, UNSENT};
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Longest time for one stage.
pub const STAGE: Duration = Duration::from_secs(HANDSHAKE_STAGE_S);
/// Unacknowledged data ends a connection after this time, milliseconds.
const USER_TIMEOUT_MS: u32 = 30_000;
/// A proxy's answer fits in this.
const MAX_ANSWER: usize = 16 * 1024;

/// A connection that did not come about.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The configured address is not `host:port`.
    #[error("`{0}` is not an address of the form host:port")]
    Address(String),
    /// TCP did not connect.
    #[error("cannot connect to {0}")]
    Connect(String, #[source] io::Error),
    /// The proxy refused or answered nonsense.
    #[error("the proxy {0} did not open a tunnel: {1}")]
    Proxy(String, String),
    /// TLS failed: another authority, a refused certificate.
    #[error("no secure connection to {0}")]
    Tls(String, #[source] io::Error),
}

/// Where to connect.
#[derive(Debug, Clone)]
pub struct Address {
    host: String,
    port: u16,
}

impl Address {
    /// Parses `host:port`, `[v6]:port`.
    pub fn parse(text: &str) -> Result<Self, DialError> {
        let wrong = || DialError::Address(text.to_owned());
        let (host, port) = text.trim().rsplit_once(':').ok_or_else(wrong)?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let port = port.parse().map_err(|_| wrong())?;
        if host.is_empty() || host.contains(['/', ' ', '@']) {
            return Err(wrong());
        }
        Ok(Self { host: host.to_owned(), port })
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// An HTTPS CONNECT proxy.
#[derive(Debug, Clone)]
pub struct Proxy {
    address: Address,
    authorization: Option<String>,
}

impl Proxy {
    /// Parses `http://[user:password@]host:port`.
    pub fn parse(text: &str) -> Result<Self, DialError> {
        let wrong = || DialError::Address(text.to_owned());
        let rest = text.strip_prefix("http://").ok_or_else(wrong)?.trim_end_matches('/');
        let (credentials, address) =
            rest.rsplit_once('@').map_or((None, rest), |(user, address)| (Some(user), address));
        let encode = |user: &str| base64::engine::general_purpose::STANDARD.encode(user);
        Ok(Self { address: Address::parse(address)?, authorization: credentials.map(encode) })
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.address.port
    }
}

/// Opens a TLS stream to the coordinator under one of its fixed names.
pub async fn dial(
    address: &Address,
    proxy: Option<&Proxy>,
    name: &'static str,
    config: Arc<ClientConfig>,
) -> Result<TlsStream<TcpStream>, DialError> {
    let stream = match proxy {
        None => connect(address).await?,
        Some(proxy) => tunnel(proxy, address).await?,
    };
    let tls = |error| DialError::Tls(address.to_string(), error);
    let name = ServerName::try_from(name).map_err(|error| tls(io::Error::other(error)))?;
    within(TlsConnector::from(config).connect(name, stream)).await.map_err(tls)
}

async fn connect(address: &Address) -> Result<TcpStream, DialError> {
    let failed = |error| DialError::Connect(address.to_string(), error);
    let stream = within(TcpStream::connect((address.host.as_str(), address.port))).await.map_err(failed)?;
    stream.set_nodelay(true).map_err(failed)?;
    // Best effort: a kernel without it still has our own deadlines.
    let _ =
        nix::sys::socket::setsockopt(&stream, nix::sys::socket::sockopt::TcpUserTimeout, &USER_TIMEOUT_MS);
    // Without it, output by the hundred kilobytes lies in the kernel before an event that comes later.
    let _ = socket2::SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT);
    Ok(stream)
}

async fn tunnel(proxy: &Proxy, address: &Address) -> Result<TcpStream, DialError> {
    let refused = |why: String| DialError::Proxy(proxy.address.to_string(), why);
    let mut stream = connect(&proxy.address).await?;
    let mut request = format!("CONNECT {address} HTTP/1.1\r\nHost: {address}\r\n");
    if let Some(credentials) = &proxy.authorization {
        request.push_str("Proxy-Authorization: Basic ");
        request.push_str(credentials);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    within(stream.write_all(request.as_bytes())).await.map_err(|error| refused(error.to_string()))?;
    let answer = within(read_head(&mut stream)).await.map_err(|error| refused(error.to_string()))?;
    let status = answer.split(' ').nth(1).unwrap_or_default();
    if status == "200" {
        Ok(stream)
    } else {
        Err(refused(answer.lines().next().unwrap_or_default().to_owned()))
    }
}

/// Byte by byte: what comes after the head belongs to the tunnel.
async fn read_head(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= MAX_ANSWER {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "its answer is too long"));
        }
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

async fn within<T>(stage: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    match timeout(STAGE, stage).await {
        Ok(result) => result,
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "it took longer than 10 s")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_proxies_are_read_and_nonsense_is_refused() {
        assert_eq!(Address::parse("example.org:7443").unwrap().to_string(), "example.org:7443");
        assert_eq!(Address::parse("[2001:db8::1]:7443").unwrap().to_string(), "[2001:db8::1]:7443");
        for bad in ["", "host", "host:", "host:70000", ":1", "https://host:1", "a b:1"] {
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
        let proxy = Proxy::parse("http://user:word@proxy:3128").unwrap();
        assert_eq!(proxy.authorization.as_deref(), Some("dXNlcjp3b3Jk"));
        assert!(Proxy::parse("https://proxy:3128").is_err());
    }
}
