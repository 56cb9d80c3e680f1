//! The first exchange: who this installation is, where both journals stand, and what may be forgotten.

use std::collections::BTreeMap;

use hydron_domain::identity::Actor;
use hydron_domain::server::{AgentFacts, SessionClaim, SessionVerdict, judge_session};
use hydron_proto::PROTOCOL_VERSION;
use hydron_proto::frame::{Priority, STREAM_CREDIT};
use hydron_proto::ids::RunId;
use hydron_proto::wire::{self, frame::Body};
use hydron_store::StoreError;
use hydron_store::audit::AuditDraft;
use hydron_store::events::EventDraft;
use serde_json::json;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{End, Session, held};
use crate::agents::registry::{AgentHandle, Mailbox};
use crate::agents::report::clean;
use crate::agents::socket::{FrameSocket, Happened};
use crate::app::AppState;

impl Session {
    /// Hears the hello, judges it, makes the connection known, and answers with a welcome.
    pub(super) async fn greet<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        socket: &mut FrameSocket<S>,
    ) -> Result<(Arc<AgentHandle>, Mailbox), End> {
        let hello = loop {
            match socket.next(true).await.map_err(|error| End::Broken(error.to_string()))? {
                Happened::Life | Happened::Room => {}
                Happened::Frame(_, body) => {
                    let Body::Hello(hello) = *body else {
                        return Err(End::Broken("it did not begin with a hello".to_owned()));
                    };
                    break hello;
                }
                Happened::Closed => return Err(End::Gone("it hung up")),
            }
        };
        if hello.protocol != PROTOCOL_VERSION {
            return Err(End::Broken(format!("it speaks protocol {}", hello.protocol)));
        }
        let failed = |error: StoreError| End::Broken(format!("the store failed: {error}"));
        let epoch = self.admit(&hello).await?;
        let (welcome, reported) = self.welcome(&hello, epoch).await.map_err(failed)?;
        let entered =
            self.app.agents.enter((self.server.team, self.server.id, epoch), reported, self.app.now());
        let sent = socket.push(Priority::Control, 0, Body::Welcome(welcome));
        if let Err(error) = sent {
            self.app.agents.leave(&entered.0);
            return Err(End::Broken(error.to_string()));
        }
        Ok(entered)
    }

    /// Judges the session counter and records the connection; returns its epoch.
    async fn admit(&self, hello: &wire::Hello) -> Result<u64, End> {
        let failed = |error: StoreError| {
            if matches!(error, StoreError::Stale { .. }) {
                return End::Close(4003, "revoked");
            }
            End::Broken(format!("the store failed: {error}"))
        };
        let id = self.server.id;
        let now = self.app.now();
        let claim = SessionClaim { counter: hello.session_counter, boot_id: short(&hello.boot_id) };
        let team = self.app.store.team(self.server.team);
        let mut tx = team.begin(&Actor::Agent { id }, now).await.map_err(failed)?;
        let server = tx.server(id).await.map_err(failed)?;
        let server =
            server.filter(|server| server.revoked_at.is_none()).ok_or(End::Close(4003, "revoked"))?;
        if server.public_key != self.server.public_key {
            return Err(End::Close(4003, "another installation took its place"));
        }
        match judge_session(server.previous_session(), &claim) {
            SessionVerdict::Admit => {}
            SessionVerdict::Late => return Err(End::Close(4002, "a newer connection of this server exists")),
            SessionVerdict::Clone => {
                let detail = json!({ "counter": claim.counter, "boot_id": claim.boot_id, "peer": self.peer.to_string() });
                tx.audit(AuditDraft::new("server.clone_suspected", id, detail.clone()));
                tx.event(EventDraft::new("server.clone_suspected", id, detail));
                tx.commit().await.map_err(failed)?;
                tracing::warn!(server = %id, "server {id} may run twice: a copy of its disk tried to connect");
                return Err(End::Close(4002, "this server is connected from another boot"));
            }
        }
        let facts = hello.facts.clone().map(AgentFacts::from);
        let version = short(&hello.agent_version);
        let replica = &*self.app.replica;
        let epoch =
            tx.admit_connection(id, &claim, &version, facts.as_ref(), replica).await.map_err(failed)?;
        tx.consume_enrollment_tokens(id).await.map_err(failed)?;
        tx.event(EventDraft::new("server.online", id, json!({ "online": true })));
        tx.commit().await.map_err(failed)?;
        let skew = (hello.clock_unix_ms - now).abs();
        if skew > 60_000 {
            tracing::warn!(server = %id, skew_ms = skew, "the clock of server {id} is off");
        }
        Ok(u64::try_from(epoch).unwrap_or(0))
    }

    /// Where the stored copies end, and which runs may go; also where the agent's journals stand.
    async fn welcome(
        &self,
        hello: &wire::Hello,
        epoch: u64,
    ) -> Result<(wire::Welcome, BTreeMap<RunId, u64>), StoreError> {
        let wire::RunsKnown { resume, forget } = held::known(&self.app, &self.server, &hello.runs).await?;
        let last_of =
            |run: &str| hello.runs.iter().find(|report| report.run_id == run).map(|report| report.last_seq);
        let reported =
            resume.iter().filter_map(|known| Some((known.run_id.parse().ok()?, last_of(&known.run_id)?)));
        let reported = reported.collect();
        let welcome = wire::Welcome {
            protocol: PROTOCOL_VERSION,
            server_time_unix_ms: self.app.now(),
            connection_epoch: epoch,
            capabilities: 0,
            credit_stream: STREAM_CREDIT,
            resume,
            forget,
        };
        Ok((welcome, reported))
    }
}

/// Records that a connection is gone, and tells whoever looks.
pub(super) async fn forget_connection(app: &AppState, handle: &AgentHandle) -> Result<(), StoreError> {
    let actor = Actor::Agent { id: handle.server };
    let mut tx = app.store.team(handle.team).begin(&actor, app.now()).await?;
    tx.end_connection(handle.server, i64::try_from(handle.epoch).unwrap_or(i64::MAX)).await?;
    if !app.agents.is_online(handle.server) {
        tx.event(EventDraft::new("server.online", handle.server, json!({ "online": false })));
    }
    tx.commit().await
}

fn short(text: &str) -> String {
    clean(text.to_owned()).chars().take(100).collect()
}
