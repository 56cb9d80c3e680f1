//! The agents' port: accepts, reads the server name, and hands each connection to its door.
//!
//! Rule: every stage of a handshake has ten seconds; a stranger costs one small task and never the loop that accepts.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hydron_proto::frame::HANDSHAKE_STAGE_S;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{StatusCode, header};
use tokio_util::task::TaskTracker;

use super::identity::{Claim, Stranger};
use super::post;
use super::recorder::{Recorder, RecorderTask};
use super::session::Session;
use super::socket;
use super::tls::{AgentTls, AgentTlsError, Door};
use crate::app::AppState;

const STAGE: Duration = Duration::from_secs(HANDSHAKE_STAGE_S);
/// After an error of accept (no file descriptors left), do not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// For connections to say goodbye when the process ends.
const DRAIN: Duration = Duration::from_secs(5);
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
}

impl AgentsPort {
    /// Binds the port.
    pub async fn bind(app: AppState) -> Result<(Self, SocketAddr), AgentsError> {
        let wanted = app.config.agents_listen;
        let listener = TcpListener::bind(wanted).await.map_err(|error| AgentsError::Listen(wanted, error))?;
        let address = listener.local_addr().map_err(|error| AgentsError::Listen(wanted, error))?;
        app.agents.bound(address);
        let tls = AgentTls::new(app.ca.clone(), app.clock.clone())?;
        let (recorder, task) = RecorderTask::new(app.clone());
        Ok((Self { listener, door: Arc::new(Doors { app, tls, recorder }), recorder: task }, address))
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
        let Some((door, stream)) = self.handshake(socket, peer).await else { return };
        match door {
            Door::Agents => self.link(stream, peer, &connections).await,
            Door::Enroll => post::serve(stream, post::enroll(self.app.clone())).await,
            Door::Renew => {
                let claim = Claim::of(stream.get_ref().1.peer_certificates());
                post::serve(stream, post::renew(self.app.clone(), claim)).await;
            }
        }
    }

    async fn handshake(&self, socket: TcpStream, peer: SocketAddr) -> Option<(Door, TlsStream<TcpStream>)> {
        let acceptor = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), socket);
        let start = match timeout(STAGE, acceptor).await {
            Ok(Ok(start)) => start,
            Ok(Err(error)) => {
                tracing::debug!(%peer, %error, "a handshake on the agents' port failed");
                return None;
            }
            Err(_) => return None,
        };
        let (door, config) = self.tls.for_name(start.client_hello().server_name())?;
        match timeout(STAGE, start.into_stream(config)).await {
            Ok(Ok(stream)) => Some((door, stream)),
            Ok(Err(error)) => {
                tracing::debug!(%peer, %error, ?door, "a handshake on the agents' port failed");
                None
            }
            Err(_) => None,
        }
    }

    async fn link(&self, stream: TlsStream<TcpStream>, peer: SocketAddr, connections: &TaskTracker) {
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
                connections.spawn(session.run(socket));
            }
            (Ok(Err(error)), _) => tracing::debug!(%peer, %error, "an upgrade was not made"),
            (Ok(Ok(_)), Err(_)) | (Err(_), _) => {}
        }
    }
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
