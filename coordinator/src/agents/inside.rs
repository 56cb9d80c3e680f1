//! Sessions without a door in front: connections whose other side was proved elsewhere, over any transport.
//!
//! Rule: from the WebSocket on it is the very code that the agents' port runs. The simulation of the network comes in here
//! (`tests/simulation`). Neighbours: `accept`, `session`.

use std::net::SocketAddr;

use hydron_store::servers::Server;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::recorder::{Recorder, RecorderTask};
use super::session::Session;
use super::socket;
use super::turnstile::Turnstile;
use crate::app::AppState;

/// What sessions share.
#[derive(Debug)]
pub struct Inside {
    app: AppState,
    recorder: Recorder,
    turnstile: Turnstile,
}

impl Inside {
    /// Sessions, and the one writer of what they hear, which runs as long as one of them is there.
    pub fn new(app: AppState) -> (Self, impl Future<Output = ()> + Send) {
        let (recorder, task) = RecorderTask::new(app.clone());
        (Self { app, recorder, turnstile: Turnstile::default() }, task.run())
    }

    /// Serves one connection of `server` to its end.
    pub async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        server: Server,
        peer: SocketAddr,
    ) {
        let Some(pass) = self.turnstile.turn(peer.ip()).await else { return };
        let socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(socket::limits())).await;
        Session::new(self.app.clone(), self.recorder.clone(), server, peer).run(socket, pass).await;
    }
}
