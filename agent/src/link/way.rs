//! The way to a coordinator: TCP, perhaps through a proxy, TLS with this server's key, a WebSocket.
//!
//! Rule: whatever fails here says how it ended, so that the wait before the next try fits. Neighbours: `dial`, `session`.

use std::time::Duration;

use futures_util::{Sink, Stream};
use hydron_proto::sni;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};

use super::dial::{self, Address, DialError, Proxy, STAGE};
use super::identity::{LinkFiles, TlsIdentity};
use super::line::Line;
use super::session::{self, Ended};
use super::{LinkError, post, renew, tls};
use crate::config::AgentConfig;

/// Largest WebSocket message; a frame is half of it.
const MAX_MESSAGE: usize = 128 * 1024;

/// How a coordinator is reached.
pub trait Way {
    /// Messages out and in.
    type Socket: Stream<Item = Result<Message, tungstenite::Error>>
        + Sink<Message, Error = tungstenite::Error>
        + Unpin;
    /// Opens a connection; `clock_floor` is the latest time that a coordinator told, since 1970.
    fn open(
        &self,
        identity: &TlsIdentity,
        clock_floor: Duration,
    ) -> impl Future<Output = Result<Self::Socket, Ended>>;
    /// The way out of an open connection.
    fn line(_socket: &Self::Socket) -> Line {
        Line::without_limit()
    }
    /// Gets a certificate in place of one that has expired.
    fn renew_expired(
        &self,
        files: &LinkFiles,
        identity: &TlsIdentity,
        clock_floor: Duration,
    ) -> impl Future<Output = Ended>;
}

/// Where the coordinator is, and how to get there.
#[derive(Debug, Clone)]
pub struct Target {
    /// The coordinator's agent port.
    pub address: Address,
    /// A proxy in between.
    pub proxy: Option<Proxy>,
}

impl Target {
    /// From the configuration.
    pub fn of(config: &AgentConfig) -> Result<Self, LinkError> {
        let address = Address::parse(config.coordinator.as_deref().ok_or(LinkError::NoCoordinator)?)?;
        let proxy = config.link.proxy.as_deref().map(Proxy::parse).transpose()?;
        Ok(Self { address, proxy })
    }
}

impl Way for Target {
    type Socket = tokio_tungstenite::WebSocketStream<tokio_rustls::client::TlsStream<tokio::net::TcpStream>>;

    #[expect(clippy::wildcard_enum_match_arm, reason = "every other failure is tried again")]
    async fn open(&self, identity: &TlsIdentity, clock_floor: Duration) -> Result<Self::Socket, Ended> {
        let transport = |error: &dyn std::error::Error| Ended::Transport(chain(error));
        let config = tls::mutual(identity, clock_floor).map_err(|error| transport(&error))?;
        let Self { address, proxy } = self;
        let stream =
            dial::dial(address, proxy.as_ref(), sni::AGENTS, config).await.map_err(|error| match &error {
                DialError::Tls(_, io) if session::is_refusal(io) => Ended::Refused(io.to_string()),
                other => transport(other),
            })?;
        let request =
            format!("wss://{}/v1/link", sni::AGENTS).into_client_request().map_err(|e| transport(&e))?;
        let config = WebSocketConfig::default()
            .read_buffer_size(8 * 1024)
            .write_buffer_size(8 * 1024)
            .max_write_buffer_size(2 * MAX_MESSAGE)
            .max_message_size(Some(MAX_MESSAGE))
            .max_frame_size(Some(MAX_MESSAGE));
        let upgraded = tokio_tungstenite::client_async_with_config(request, stream, Some(config));
        match timeout(STAGE, upgraded).await {
            Ok(Ok((socket, _))) => Ok(socket),
            Ok(Err(error)) => Err(session::failed(&error)),
            Err(_) => Err(Ended::Transport("the coordinator does not upgrade the connection".to_owned())),
        }
    }

    fn line(socket: &Self::Socket) -> Line {
        let (tcp, _) = socket.get_ref().get_ref();
        Line::of(tcp).unwrap_or_else(|error| {
            tracing::warn!(%error, "output may delay events: the connection cannot be watched");
            Line::without_limit()
        })
    }

    async fn renew_expired(&self, files: &LinkFiles, identity: &TlsIdentity, clock_floor: Duration) -> Ended {
        let way = (&self.address, self.proxy.as_ref());
        match renew::after_expiry(files, identity, way, clock_floor).await {
            Ok(()) => Ended::Renewed,
            Err(renew::RenewError::Post(post::PostError::Refused { code, detail })) => {
                Ended::Refused(format!("{detail} ({code})"))
            }
            Err(error) => Ended::Transport(chain(&error)),
        }
    }
}

/// An error and what is behind it, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
