//! A connection without a mind of its own: frames in, frames out.

#![expect(clippy::wildcard_enum_match_arm, reason = "every other error is a refusal")]

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use hydron_proto::wire::{self, frame::Body};
use hydron_proto::{frame, sni};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};

use super::identity::{Identity, STAGE, dial};

/// How long a test waits for a frame.
const PATIENCE: Duration = Duration::from_secs(10);

/// How a connection ended, or why it never was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkEnd {
    /// TLS, TCP or the upgrade failed.
    #[error("no connection: {0}")]
    Refused(String),
    /// Closed with a code.
    #[error("closed with code {0}")]
    Closed(u16),
    /// Asked to come back later.
    #[error("asked to come back after {after_ms} ms and up to {spread_ms} more")]
    Away {
        /// Not before.
        after_ms: u64,
        /// So that not everybody comes at once.
        spread_ms: u64,
    },
    /// Cut without a word.
    #[error("cut")]
    Cut,
    /// Nothing came for ten seconds.
    #[error("silence")]
    Silence,
}

/// An open connection, after the hello was sent.
#[derive(Debug)]
pub struct RawLink {
    socket: WebSocketStream<TlsStream<TcpStream>>,
    /// What the coordinator answered; none before [`RawLink::welcome`].
    pub welcome: Option<wire::Welcome>,
}

impl RawLink {
    /// Dials and says hello.
    pub async fn open(address: SocketAddr, identity: &Identity, hello: wire::Hello) -> Result<Self, LinkEnd> {
        let refused = |error: &dyn std::fmt::Display| LinkEnd::Refused(error.to_string());
        let config = identity.client_config().map_err(|error| refused(&error))?;
        let stream = dial(address, sni::AGENTS, config).await.map_err(|error| refused(&error))?;
        let limits = WebSocketConfig::default().read_buffer_size(4 * 1024).write_buffer_size(0);
        let url = format!("ws://{}/v1/link", sni::AGENTS);
        let upgrade = tokio_tungstenite::client_async_with_config(url, stream, Some(limits));
        let upgraded = tokio::time::timeout(STAGE, upgrade).await.map_err(|_| LinkEnd::Silence)?;
        let (socket, _) = upgraded.map_err(|error| match error {
            tungstenite::Error::Http(response) => {
                let body = response.body().clone().unwrap_or_default();
                LinkEnd::Refused(format!("{} {}", response.status(), String::from_utf8_lossy(&body)))
            }
            other => refused(&other),
        })?;
        let mut link = Self { socket, welcome: None };
        link.send(0, Body::Hello(hello)).await?;
        Ok(link)
    }

    /// Waits for the welcome.
    pub async fn welcomed(mut self) -> Result<Self, LinkEnd> {
        match self.next().await? {
            (0, Body::Welcome(welcome)) => {
                self.welcome = Some(welcome);
                Ok(self)
            }
            (_, other) => Err(LinkEnd::Refused(format!("not a welcome: {other:?}"))),
        }
    }

    /// Sends a frame.
    pub async fn send(&mut self, stream: u32, body: Body) -> Result<(), LinkEnd> {
        let bytes = frame::encode(stream, body).map_err(|error| LinkEnd::Refused(error.to_string()))?;
        self.socket.send(Message::Binary(bytes.into())).await.map_err(|_| LinkEnd::Cut)
    }

    /// The next frame; fails after ten seconds without one.
    pub async fn next(&mut self) -> Result<(u32, Body), LinkEnd> {
        tokio::time::timeout(PATIENCE, self.next_ever()).await.unwrap_or(Err(LinkEnd::Silence))
    }

    /// The next frame, whenever it comes. Cancel-safe.
    pub async fn next_ever(&mut self) -> Result<(u32, Body), LinkEnd> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Binary(bytes))) => {
                    return frame::decode(&bytes).map_err(|error| LinkEnd::Refused(error.to_string()));
                }
                Some(Ok(Message::Close(Some(close)))) => return Err(LinkEnd::Closed(close.code.into())),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(None) | Message::Text(_) | Message::Frame(_)) | Err(_)) | None => {
                    return Err(LinkEnd::Cut);
                }
            }
        }
    }

    /// The next frame that `wanted` picks; others are dropped.
    pub async fn until<T>(&mut self, mut wanted: impl FnMut(u32, Body) -> Option<T>) -> Result<T, LinkEnd> {
        loop {
            let (stream, body) = self.next().await?;
            if let Some(found) = wanted(stream, body) {
                return Ok(found);
            }
        }
    }

    /// Reads until the connection ends.
    pub async fn end(mut self) -> LinkEnd {
        loop {
            if let Err(end) = self.next().await {
                return end;
            }
        }
    }
}
