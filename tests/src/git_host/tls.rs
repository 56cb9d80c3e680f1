//! Accepts TLS connections for axum.
//!
//! Rule: a slow or broken handshake never holds up the next connection; it runs in a task of its own, with a deadline.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

const HANDSHAKE: Duration = Duration::from_secs(10);
/// Finished handshakes that wait to be served.
const BACKLOG: usize = 64;

type Accepted = (TlsStream<TcpStream>, SocketAddr);

/// A listener whose connections have finished their handshake.
pub(super) struct TlsListener {
    address: SocketAddr,
    accepted: mpsc::Receiver<Accepted>,
    acceptor: JoinHandle<()>,
}

impl TlsListener {
    pub(super) async fn bind(listen: SocketAddr, config: Arc<ServerConfig>) -> std::io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let (sender, accepted) = mpsc::channel(BACKLOG);
        let acceptor = tokio::task::spawn(accept_all(listener, TlsAcceptor::from(config), sender));
        Ok(Self { address, accepted, acceptor })
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn accept_all(listener: TcpListener, acceptor: TlsAcceptor, accepted: mpsc::Sender<Accepted>) {
    while !accepted.is_closed() {
        let Ok((stream, peer)) = listener.accept().await else { continue };
        let (acceptor, accepted) = (acceptor.clone(), accepted.clone());
        tokio::task::spawn(async move {
            if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
                // The host may have stopped meanwhile.
                let _stopped = accepted.send((stream, peer)).await;
            }
        });
    }
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> Accepted {
        match self.accepted.recv().await {
            Some(connection) => connection,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        Ok(self.address)
    }
}

impl Drop for TlsListener {
    fn drop(&mut self) {
        self.acceptor.abort();
    }
}
