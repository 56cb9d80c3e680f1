//! Stored output against what the agent declared at the end of the attempt: length and SHA-256.
//!
//! Rule: what could not be compared when it was whole, because the database failed or the process died, is compared later.

use std::collections::BTreeMap;

use hydron_domain::identity::Actor;
use hydron_proto::ids::TeamId;
use hydron_store::StoreError;
use hydron_store::logs::{LogKey, LogPosition};
use hydron_store::runs::LogDigest;
use sha2::{Digest as _, Sha256};

use crate::app::AppState;

/// Read at once.
const PIECE: usize = 512 * 1024;
/// Attempts that are looked at in one turn of what was left over.
const LEFT_OVER: i64 = 200;

/// Compares what is whole now, in a task of its own: a large log must not hold up the writer.
pub(super) async fn those_complete(app: &AppState, keys: Vec<(TeamId, LogKey)>) {
    let mut whole: BTreeMap<TeamId, Vec<(LogKey, LogDigest)>> = BTreeMap::new();
    for (team, key) in keys {
        match app.store.team(team).log_position(key).await {
            Ok(Some(LogPosition { stored, declared: Some(log), state }))
                if state == "open" && log.length <= stored =>
            {
                let of_team = whole.entry(team).or_default();
                if of_team.iter().all(|(known, _)| *known != key) {
                    of_team.push((key, log));
                }
            }
            Ok(_) => {}
            Err(error) => not_verified(&key, &error),
        }
    }
    compare(app, whole);
}

/// Compares what is whole and was not compared in its time.
pub(crate) async fn those_left_over(app: &AppState) -> Result<(), StoreError> {
    let keys = app.store.system().unverified_logs(LEFT_OVER).await?;
    those_complete(app, keys).await;
    Ok(())
}

fn compare(app: &AppState, whole: BTreeMap<TeamId, Vec<(LogKey, LogDigest)>>) {
    for (team, logs) in whole {
        let app = app.clone();
        tokio::spawn(async move {
            if let Err(error) = verify(&app, team, &logs).await {
                for (key, _) in &logs {
                    not_verified(key, &error);
                }
            }
        });
    }
}

fn not_verified(key: &LogKey, error: &StoreError) {
    tracing::warn!(%error, run = %key.run, "the output of run {} could not be verified", key.run);
}

async fn verify(app: &AppState, team: TeamId, logs: &[(LogKey, LogDigest)]) -> Result<(), StoreError> {
    let mut found = Vec::new();
    for (key, declared) in logs {
        let is_right = is_right(app, team, *key, declared).await?;
        if !is_right {
            tracing::error!(run = %key.run, server = %key.server, step = key.step, attempt = key.attempt,
                "the stored output of run {} differs from what the server wrote", key.run);
        }
        found.push((*key, if is_right { "verified" } else { "damaged" }));
    }
    let mut tx = app.store.team(team).begin(&Actor::System { name: "agents" }, app.now()).await?;
    for (key, state) in found {
        tx.set_log_state(key, state).await?;
    }
    tx.commit().await
}

async fn is_right(
    app: &AppState,
    team: TeamId,
    key: LogKey,
    declared: &LogDigest,
) -> Result<bool, StoreError> {
    let store = app.store.team(team);
    let mut hash = Sha256::new();
    let mut offset = 0;
    // To its end, also beyond what was declared.
    loop {
        let slice = store.read_log(key, offset, PIECE).await?;
        if slice.bytes.is_empty() {
            break;
        }
        hash.update(&slice.bytes);
        offset += slice.bytes.len() as u64;
    }
    Ok(offset == declared.length && hash.finalize().as_slice() == declared.sha256)
}
