//! How the agent of the simulation reaches a coordinator.

use std::sync::Arc;
use std::time::Duration;

use hydron_agent::link::{Ended, identity::LinkFiles, identity::TlsIdentity};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;
use turmoil::net::TcpStream;

use crate::coordinator::PORT;
use crate::link::Faulty;
use crate::world::World;

/// The way to whichever coordinator the dice name.
pub(crate) struct Way(pub(crate) Arc<World>);

impl hydron_agent::link::Way for Way {
    type Socket = Faulty;

    async fn open(&self, _: &TlsIdentity, _: Duration) -> Result<Faulty, Ended> {
        let name = if self.0.dice().permille(500) { "a" } else { "b" };
        let connecting = timeout(Duration::from_secs(10), TcpStream::connect((name, PORT)));
        let stream = match connecting.await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(Ended::Transport(error.to_string())),
            Err(_) => return Err(Ended::Transport("nobody answers".to_owned())),
        };
        Ok(Faulty::new(self.0.clone(), WebSocketStream::from_raw_socket(stream, Role::Client, None).await))
    }

    async fn renew_expired(&self, _: &LinkFiles, _: &TlsIdentity, _: Duration) -> Ended {
        unreachable!("certificates of the simulation do not end")
    }
}
