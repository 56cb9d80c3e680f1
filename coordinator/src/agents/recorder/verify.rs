//! Stored output against what the agent declared at the end of the attempt: length and SHA-256.

use hydron_domain::identity::Actor;
use hydron_proto::ids::TeamId;
use hydron_store::StoreError;
use hydron_store::logs::{LogKey, LogPosition};
use sha2::{Digest as _, Sha256};

use crate::app::AppState;

/// Read at once.
const PIECE: usize = 512 * 1024;

/// Verifies in a task of its own once everything is here; a large log must not hold up the writer.
pub(super) async fn when_complete(app: &AppState, team: TeamId, key: LogKey) {
    match app.store.team(team).log_position(key).await {
        Ok(Some(position)) if is_complete(&position) => {
            let app = app.clone();
            tokio::spawn(async move {
                if let Err(error) = verify(&app, team, key, &position).await {
                    tracing::warn!(%error, run = %key.run, "the output of run {} could not be verified", key.run);
                }
            });
        }
        Ok(_) => {}
        Err(error) => {
            tracing::warn!(%error, run = %key.run, "the output of run {} could not be verified", key.run);
        }
    }
}

fn is_complete(position: &LogPosition) -> bool {
    position.state == "open" && position.declared.as_ref().is_some_and(|log| log.length == position.stored)
}

async fn verify(app: &AppState, team: TeamId, key: LogKey, position: &LogPosition) -> Result<(), StoreError> {
    let Some(declared) = &position.declared else { return Ok(()) };
    let store = app.store.team(team);
    let mut hash = Sha256::new();
    let mut offset = 0;
    while offset < declared.length {
        let slice = store.read_log(key, offset, PIECE).await?;
        if slice.bytes.is_empty() {
            break;
        }
        hash.update(&slice.bytes);
        offset += slice.bytes.len() as u64;
    }
    let right = offset == declared.length && hash.finalize().as_slice() == declared.sha256;
    if !right {
        tracing::error!(run = %key.run, server = %key.server, step = key.step, attempt = key.attempt,
            "the stored output of run {} differs from what the server wrote", key.run);
    }
    let mut tx = store.begin(&Actor::System { name: "agents" }, app.now()).await?;
    tx.set_log_state(key, if right { "verified" } else { "damaged" }).await?;
    tx.commit().await
}
