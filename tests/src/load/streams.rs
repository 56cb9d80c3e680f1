//! Visitors that stay: event streams and WebSockets. One that is cut comes back at once, and coming back must work.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::Ground;

/// Between two messages of one visitor.
const BEAT: Duration = Duration::from_millis(250);
/// For an answer.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn events(ground: Ground) -> anyhow::Result<impl Future<Output = ()>> {
    let http = ground.http(0)?;
    let url = format!("{}/events", ground.site.url);
    Ok(async move {
        while !ground.stop.is_cancelled() {
            match http.get(&url).send().await {
                Ok(response) if response.status().is_success() => follow(&ground, response).await,
                Ok(response) => ground.failed("events", response.status()),
                Err(error) => ground.failed("events", anyhow::Error::new(error)),
            }
        }
    })
}

async fn follow(ground: &Ground, response: reqwest::Response) {
    let mut chunks = response.bytes_stream();
    loop {
        let chunk = tokio::select! {
            () = ground.stop.cancelled() => return,
            chunk = chunks.next() => chunk,
        };
        match chunk {
            Some(Ok(_)) => ground.answered("events"),
            Some(Err(_)) | None => return ground.broke("events"),
        }
    }
}

pub(super) fn socket(ground: Ground) -> anyhow::Result<impl Future<Output = ()>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(ground.roots()?)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    let name = ServerName::try_from(ground.host.clone())?;
    Ok(async move {
        while !ground.stop.is_cancelled() {
            match opened(&ground, &connector, name.clone()).await {
                Ok(socket) => talk(&ground, socket).await,
                Err(error) => ground.failed("socket", error),
            }
        }
    })
}

type Socket = WebSocketStream<TlsStream<TcpStream>>;

async fn opened(
    ground: &Ground,
    connector: &TlsConnector,
    name: ServerName<'static>,
) -> anyhow::Result<Socket> {
    let open = async {
        let stream = connector.connect(name, TcpStream::connect(ground.address).await?).await?;
        let url = format!("{}/socket", ground.site.url.replacen("https", "wss", 1));
        Ok(tokio_tungstenite::client_async(url, stream).await?.0)
    };
    tokio::time::timeout(PATIENCE, open).await?
}

async fn talk(ground: &Ground, mut socket: Socket) {
    let mut number = 0_u64;
    while ground.pause(BEAT).await {
        number += 1;
        let said = Message::text(number.to_string());
        let echo = async {
            socket.send(said.clone()).await.ok()?;
            socket.next().await?.ok()
        };
        match tokio::time::timeout(PATIENCE, echo).await {
            Ok(Some(heard)) if heard == said => ground.answered("socket"),
            _broken => return ground.broke("socket"),
        }
    }
}
