//! Keeps what is known of agents true, and output within its bounds.
//!
//! Rule: every task here is a condition on time, safe on several coordinators at once. A coordinator that cannot reach the
//! database lets its agents go: another one can serve them.

use std::time::Duration;

use hydron_domain::identity::Actor;
use hydron_store::StoreError;
use hydron_store::events::EventDraft;
use hydron_store::logs::{KEEP_BYTES, KEEP_MS};
use hydron_store::servers::HELD_FOR;
use serde_json::json;

use crate::agents::recorder::verify;
use crate::app::AppState;
use crate::services::servers::RETURN_WITHIN_MS;

/// A revoked server's connection ends within five seconds, also when another coordinator holds it.
const REVOKED_EVERY: Duration = Duration::from_secs(2);
/// A question to the database that takes longer has no answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// A coordinator without its database holds on to its agents for so long, milliseconds.
const ALONE_MS: i64 = 20_000;
/// How often it is noted that agents are there.
const SEEN_EVERY_MS: i64 = 30_000;
/// How often output is looked for that is whole and was not compared with what its server declared.
const COMPARED_EVERY_MS: i64 = 60_000;
/// How often old output is let go.
const LOGS_EVERY_MS: i64 = 10 * 60 * 1000;
/// Chunks that go at once; a long delete would hold up the writer.
const CHUNKS: i64 = 500;

/// Runs until the process stops.
pub async fn run(app: AppState) {
    let mut seen_at = app.now();
    let mut compared_at = app.now();
    let mut logs_at = app.now();
    let mut revoked_since = app.now() - 60_000;
    let mut answered_at = app.now();
    let mut waiting = true;
    while !app.stopping.is_cancelled() {
        tokio::select! {
            () = app.stopping.cancelled() => return,
            () = tokio::time::sleep(REVOKED_EVERY) => {}
        }
        let now = app.now();
        match tokio::time::timeout(ANSWER_WITHIN, close_revoked(&app, revoked_since)).await {
            Ok(Ok(())) => answered_at = app.now(),
            failed => {
                tracing::warn!(?failed, "revoked servers could not be looked up; trying again");
                if app.now() - answered_at > ALONE_MS {
                    app.agents.close_all(4000, "no database");
                }
                continue;
            }
        }
        // Clocks of several coordinators differ.
        revoked_since = now - 60_000;
        if now - seen_at >= SEEN_EVERY_MS {
            log_failure("noting which agents are there", note_seen(&app, seen_at).await);
            seen_at = now;
        }
        if waiting && now - app.started_at >= RETURN_WITHIN_MS {
            let called = call_down(&app).await;
            waiting = called.is_err();
            log_failure("saying which agents did not come back", called);
        }
        if now - compared_at >= COMPARED_EVERY_MS {
            log_failure("comparing output that was left over", verify::those_left_over(&app).await);
            compared_at = now;
        }
        if now - logs_at >= LOGS_EVERY_MS {
            log_failure("letting old output go", trim_logs(&app).await);
            logs_at = now;
        }
    }
}

async fn close_revoked(app: &AppState, since: i64) -> Result<(), StoreError> {
    for server in app.store.system().revoked_since(since).await? {
        app.agents.close(server, 4003, "revoked");
    }
    Ok(())
}

/// Once, when everybody had time to come back after this coordinator's start: those who did not are gone.
async fn call_down(app: &AppState) -> Result<(), StoreError> {
    let mut tx = app.store.system().begin(app.now()).await?;
    let gone = tx.forget_connections(&app.replica, app.now() - HELD_FOR).await?;
    tx.commit().await?;
    for (team, server) in gone {
        tracing::warn!(%server, "agent {server} did not come back after the restart");
        let actor = Actor::System { name: "reaper" };
        let mut tx = app.store.team(team).begin(&actor, app.now()).await?;
        tx.event(EventDraft::new("server.online", server, json!({ "online": false })));
        tx.commit().await?;
    }
    Ok(())
}

async fn note_seen(app: &AppState, since: i64) -> Result<(), StoreError> {
    let servers = app.agents.heard_since(since);
    let mut tx = app.store.system().begin(app.now()).await?;
    tx.touch_servers(&servers).await?;
    tx.commit().await
}

async fn trim_logs(app: &AppState) -> Result<(), StoreError> {
    let now = app.now();
    loop {
        let mut tx = app.store.system().begin(now).await?;
        let gone = tx.expire_logs(now - KEEP_MS, CHUNKS).await?;
        tx.commit().await?;
        if gone == 0 {
            break;
        }
    }
    for (team, project, bytes) in app.store.system().projects_over(KEEP_BYTES).await? {
        tracing::info!(%team, project, bytes, "the output of {project} is over its bound; the oldest goes");
        let mut tx = app.store.system().begin(now).await?;
        tx.trim_logs(team, &project, CHUNKS).await?;
        tx.commit().await?;
    }
    Ok(())
}

fn log_failure(doing: &str, result: Result<(), StoreError>) {
    if let Err(error) = result {
        tracing::warn!(%error, "{doing} failed; trying again later");
    }
}
