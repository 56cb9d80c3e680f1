//! The agents' port: accepts, reads the server name, and hands each connection to its door.
//!
//! Rule: every stage of a handshake has ten seconds from its turn (`turnstile`); a stranger costs one small task and never
//! the loop that accepts.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hydron_proto::frame::{HANDSHAKE_STAGE_S, UNSENT};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;
use tokio_rustls::{LazyConfigAcceptor, StartHandshake};
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{StatusCode, header};
use tokio_util::task::TaskTracker;

use super::identity::{Claim, Stranger};
use super::post;
use super::recorder::{Recorder, RecorderTask};
use super::session::Session;
use super::socket;
use super::tls::{AgentTls, AgentTlsError, Door};
use super::turnstile::{Pass, Turnstile};
use crate::app::AppState;
use crate::http::metrics::Reached;

const STAGE: Duration = Duration::from_secs(HANDSHAKE_STAGE_S);
/// After an error of accept (no file descriptors left), do not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// For connections to say goodbye when the process ends.
const DRAIN: Duration = Duration::from_secs(5);
/// Connections that wait to be accepted; the kernel takes its own limit when that is lower (4,096 since Linux 5.4).
const BACKLOG: u32 = 4096;
/// Path of the link.
const LINK: &str = "/v1/link";

/// Why agents cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum AgentsError {
    /// The port.
    #[error("{0} cannot be listened on; is another program using it?")]
    Listen(SocketAddr, #[source] std::io::Error),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] AgentTlsError),
}

/// The bound port and what its connections share.
#[derive(Debug)]
pub struct AgentsPort {
    listener: TcpListener,
    door: Arc<Doors>,
    recorder: RecorderTask,
}

#[derive(Debug)]
struct Doors {
    app: AppState,
    tls: AgentTls,
    recorder: Recorder,
    turnstile: Turnstile,
}

impl AgentsPort {
    /// Binds the port; only inside of a runtime.
    pub fn bind(app: AppState) -> Result<(Self, SocketAddr), AgentsError> {
        let wanted = app.config.agents_listen;
        let listener = listen(wanted).map_err(|error| AgentsError::Listen(wanted, error))?;
        let address = listener.local_addr().map_err(|error| AgentsError::Listen(wanted, error))?;
        app.agents.bound(address);
        let tls = AgentTls::new(app.ca.clone(), app.clock.clone())?;
        let (recorder, task) = RecorderTask::new(app.clone());
        let door = Arc::new(Doors { app, tls, recorder, turnstile: Turnstile::default() });
        Ok((Self { listener, door, recorder: task }, address))
    }

    /// Serves until the process stops; then every agent is told to come back later.
    pub async fn serve(self) {
        let Self { listener, door, recorder } = self;
        let recording = tokio::spawn(recorder.run());
        let connections = TaskTracker::new();
        let stopping = door.app.stopping.clone();
        loop {
            let accepted = tokio::select! {
                () = stopping.cancelled() => break,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((socket, peer)) => {
                    door.app.metrics.reached(Reached::Accepted);
                    // The handshake's task ends before the session's begins: its memory must not stay for an idle agent.
                    connections.spawn(door.clone().open(socket, peer, connections.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "accepting an agent's connection failed");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop(listener);
        door.turnstile.close();
        connections.close();
        if timeout(DRAIN, connections.wait()).await.is_err() {
            tracing::info!("some agents did not say goodbye in time and are cut off");
        }
        drop(door);
        if timeout(DRAIN, recording).await.is_err() {
            tracing::warn!("what some agents reported last was not stored; they will say it again");
        }
    }
}

impl Doors {
    async fn open(self: Arc<Self>, socket: TcpStream, peer: SocketAddr, connections: TaskTracker) {
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
        // Best effort: without it an envelope that is on its way goes before what is said about control later.
        let _ = socket2::SockRef::from(&socket).set_tcp_notsent_lowat(UNSENT);
        let Some((start, door, config)) = self.named(socket, peer).await else { return };
        let Some(pass) = self.turnstile.turn(peer.ip()).await else {
            self.app.metrics.surplus();
            return;
        };
        self.app.metrics.reached(Reached::Turn);
        let Some(stream) = self.secured(start, config, peer).await else { return };
        match door {
            Door::Agents => self.link(stream, peer, pass, &connections).await,
            Door::Enroll => post::serve(stream, post::enroll(self.app.clone())).await,
            Door::Renew => {
                let claim = Claim::of(stream.get_ref().1.peer_certificates());
                post::serve(stream, post::renew(self.app.clone(), claim)).await;
            }
        }
    }

    /// The first message of TLS: cheap to read, and a stranger who says nothing takes nobody's turn.
    async fn named(
        &self,
        socket: TcpStream,
        peer: SocketAddr,
    ) -> Option<(StartHandshake<TcpStream>, Door, Arc<ServerConfig>)> {
        let acceptor = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), socket);
        let start = match timeout(STAGE, acceptor).await {
            Ok(Ok(start)) => start,
            Ok(Err(error)) => {
                tracing::debug!(%peer, %error, "a handshake on the agents' port failed");
                return None;
            }
            Err(_) => return self.late(),
        };
        let (door, config) = self.tls.for_name(start.client_hello().server_name())?;
        self.app.metrics.reached(Reached::Named);
        Some((start, door, config))
    }

    async fn secured(
        &self,
        start: StartHandshake<TcpStream>,
        config: Arc<ServerConfig>,
        peer: SocketAddr,
    ) -> Option<TlsStream<TcpStream>> {
        match timeout(STAGE, start.into_stream(config)).await {
            Ok(Ok(stream)) => {
                self.app.metrics.reached(Reached::Secured);
                Some(stream)
            }
            Ok(Err(error)) => {
                tracing::debug!(%peer, %error, "a handshake on the agents' port failed");
                None
            }
            Err(_) => self.late(),
        }
    }

    fn late<T>(&self) -> Option<T> {
        self.app.metrics.late();
        None
    }

    async fn link(
        &self,
        stream: TlsStream<TcpStream>,
        peer: SocketAddr,
        pass: Pass,
        connections: &TaskTracker,
    ) {
        let claim = Claim::of(stream.get_ref().1.peer_certificates());
        let admitted = match &claim {
            Some(claim) => claim.check(&self.app.store).await,
            None => Err(Stranger::Nameless),
        };
        if let Err(stranger) = &admitted {
            tracing::warn!(%peer, ?claim, %stranger, "a certificate of ours was not let in");
        }
        let refusal = admitted.as_ref().err().map(|stranger| (stranger.code(), stranger.to_string()));
        #[expect(clippy::result_large_err, reason = "the library's own callback type")]
        let judge = move |request: &Request, response: Response| judge(request, response, refusal);
        let upgrade = tokio_tungstenite::accept_hdr_async_with_config(stream, judge, Some(socket::limits()));
        match (timeout(STAGE, upgrade).await, admitted) {
            (Ok(Ok(socket)), Ok(server)) => {
                let session = Session::new(self.app.clone(), self.recorder.clone(), server, peer);
                connections.spawn(session.run(socket, pass));
            }
            (Ok(Err(error)), _) => tracing::debug!(%peer, %error, "an upgrade was not made"),
            (Ok(Ok(_)), Err(_)) => {}
            (Err(_), _) => self.app.metrics.late(),
        }
    }
}

/// With a queue that holds a fleet: a connection that finds it full is tried again by the kernel after whole seconds.
fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

#[expect(clippy::result_large_err, reason = "the library's own callback type")]
fn judge(
    request: &Request,
    response: Response,
    refusal: Option<(&'static str, String)>,
) -> Result<Response, ErrorResponse> {
    if request.uri().path() != LINK {
        return Err(problem(StatusCode::NOT_FOUND, "not_found", "The link is at /v1/link."));
    }
    match refusal {
        Some((code, detail)) => Err(problem(StatusCode::FORBIDDEN, code, &detail)),
        None => Ok(response),
    }
}

fn problem(status: StatusCode, code: &str, detail: &str) -> ErrorResponse {
    let body = serde_json::json!({ "status": status.as_u16(), "code": code, "detail": detail }).to_string();
    let mut response = ErrorResponse::new(Some(body));
    *response.status_mut() = status;
    let kind = header::HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
