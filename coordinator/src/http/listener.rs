//! Accepting connections of people and programs: TLS, limits on time, and an orderly end.
//!
//! Rule: a slow or silent peer costs one task and ten seconds, never the loop that accepts.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::extract::ClientAddress;

/// For the TLS handshake, and again for the first request's headers.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// For requests that are running when the process should end.
const DRAIN: Duration = Duration::from_secs(10);
/// After an error of accept (no file descriptors left), do not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `router` until `stopping`, then drains. `tls` is none for plain http on loopback.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    router: Router,
    stopping: CancellationToken,
) {
    let acceptor = tls.map(TlsAcceptor::from);
    let draining = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            () = stopping.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((socket, peer)) => {
                let connection = Connection {
                    acceptor: acceptor.clone(),
                    router: router.clone(),
                    watcher: draining.watcher(),
                };
                tokio::spawn(connection.run(socket, peer));
            }
            Err(error) => {
                tracing::warn!(%error, "accepting a connection failed");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, draining.shutdown()).await.is_err() {
        tracing::info!("some requests did not end in time and are cut off");
    }
}

/// The version is agreed in the handshake, never guessed from bytes that may not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    Http1,
    Http2,
}

impl Version {
    fn agreed(alpn: Option<&[u8]>) -> Self {
        if alpn == Some(b"h2") { Self::Http2 } else { Self::Http1 }
    }
}

struct Connection {
    acceptor: Option<TlsAcceptor>,
    router: Router,
    watcher: Watcher,
}

impl Connection {
    async fn run(self, socket: TcpStream, peer: SocketAddr) {
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
        match self.acceptor.clone() {
            None => self.speak(socket, peer, Version::Http1).await,
            Some(acceptor) => match tokio::time::timeout(HANDSHAKE, acceptor.accept(socket)).await {
                Ok(Ok(stream)) => {
                    let version = Version::agreed(stream.get_ref().1.alpn_protocol());
                    self.speak(stream, peer, version).await;
                }
                Ok(Err(error)) => tracing::debug!(%peer, %error, "a TLS handshake failed"),
                Err(_) => tracing::debug!(%peer, "a TLS handshake took too long"),
            },
        }
    }

    async fn speak(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        peer: SocketAddr,
        version: Version,
    ) {
        let router = self.router.map_request(move |mut request: Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(ClientAddress(peer.ip().to_canonical()));
            request
        });
        let mut builder = Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(HANDSHAKE);
        builder
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(Duration::from_secs(30))
            .max_concurrent_streams(128);
        let builder = match version {
            Version::Http1 => builder.http1_only(),
            Version::Http2 => builder.http2_only(),
        };
        let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
        if let Err(error) = self.watcher.watch(connection.into_owned()).await {
            tracing::debug!(%peer, error = &*error, "a connection ended with an error");
        }
    }
}
