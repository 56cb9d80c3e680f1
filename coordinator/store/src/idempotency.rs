//! Idempotency keys of creating calls: the same key and request give the same answer for 24 hours.
//!
//! Rule: the key is claimed and committed before the work begins, so that two requests at once cannot both do it.

use crate::column::Text;
use crate::{Result, SystemStore, SystemTx};

use hydron_proto::ids::TeamId;

/// Whose key, and which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The team of the request.
    pub team: TeamId,
    /// Who asks: a user or a token.
    pub actor: String,
    /// The key as the client sent it.
    pub key: String,
}

/// What a key already stands for.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Remembered {
    /// Hash of the request that claimed it.
    pub request_hash: String,
    /// Status of the answer; none while the request runs (or when its coordinator died in the middle).
    pub status: Option<i64>,
    /// Body of the answer.
    pub body: Option<String>,
}

impl SystemStore {
    /// What a key stands for.
    pub async fn remembered(&self, key: &IdempotencyKey) -> Result<Option<Remembered>> {
        self.q("SELECT request_hash, status, body FROM idempotency_key \
                WHERE team_id = $1 AND actor_id = $2 AND key = $3")
            .bind(Text(key.team))
            .bind(key.actor.as_str())
            .bind(key.key.as_str())
            .opt()
            .await
    }
}

impl SystemTx {
    /// Claims a key for a request; false if it stands for something already.
    pub async fn claim_idempotency_key(&mut self, key: &IdempotencyKey, request_hash: &str) -> Result<bool> {
        let now = self.now();
        let claimed = self
            .q("INSERT INTO idempotency_key (team_id, actor_id, key, request_hash, created_at) \
                VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING")
            .bind(Text(key.team))
            .bind(key.actor.as_str())
            .bind(key.key.as_str())
            .bind(request_hash)
            .bind(now)
            .exec()
            .await?;
        Ok(claimed > 0)
    }

    /// Keeps the answer.
    pub async fn remember(&mut self, key: &IdempotencyKey, status: i64, body: &str) -> Result<()> {
        self.q("UPDATE idempotency_key SET status = $4, body = $5 \
                WHERE team_id = $1 AND actor_id = $2 AND key = $3")
            .bind(Text(key.team))
            .bind(key.actor.as_str())
            .bind(key.key.as_str())
            .bind(status)
            .bind(body)
            .exec()
            .await
            .map(drop)
    }

    /// Gives a key free again: the request did nothing.
    pub async fn release_idempotency_key(&mut self, key: &IdempotencyKey) -> Result<()> {
        self.q("DELETE FROM idempotency_key WHERE team_id = $1 AND actor_id = $2 AND key = $3 AND status IS NULL")
            .bind(Text(key.team))
            .bind(key.actor.as_str())
            .bind(key.key.as_str())
            .exec()
            .await
            .map(drop)
    }

    /// Removes keys claimed before `before`.
    pub async fn delete_old_idempotency_keys(&mut self, before: i64) -> Result<u64> {
        self.q("DELETE FROM idempotency_key WHERE created_at <= $1").bind(before).exec().await
    }
}
