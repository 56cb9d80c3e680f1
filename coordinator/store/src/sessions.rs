//! Signed-in browsers. The cookie's secret is stored as its hash.
//!
//! Rule: a session that is idle too long or too old is gone, whatever the cookie says.

use hydron_proto::ids::{SessionId, UserId};

use crate::column::Text;
use crate::users::User;
use crate::{Result, SystemStore, SystemTx};

/// A signed-in browser and who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Id.
    pub id: SessionId,
    /// Who.
    pub user: User,
    /// Last request, milliseconds since 1970 (kept to about a minute).
    pub last_seen_at: i64,
}

/// A session to be added.
#[derive(Debug)]
pub struct NewSession<'a> {
    /// Id.
    pub id: SessionId,
    /// Who.
    pub user: UserId,
    /// Hash of the cookie's secret.
    pub secret_hash: &'a str,
    /// Absolute end, milliseconds since 1970.
    pub expires_at: i64,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Text<SessionId>,
    user_id: Text<UserId>,
    last_seen_at: i64,
    email: String,
    name: String,
    created_at: i64,
}

impl SystemStore {
    /// The live session behind a cookie: used after `idle_since`, not expired at `now`.
    pub async fn session(&self, secret_hash: &str, idle_since: i64, now: i64) -> Result<Option<Session>> {
        let row: Option<Row> = self
            .q("SELECT s.id, s.user_id, s.last_seen_at, u.email, u.name, u.created_at \
                FROM session s JOIN app_user u ON u.id = s.user_id \
                WHERE s.secret_hash = $1 AND s.last_seen_at > $2 AND s.expires_at > $3")
            .bind(secret_hash)
            .bind(idle_since)
            .bind(now)
            .opt()
            .await?;
        Ok(row.map(|row| Session {
            id: row.id.0,
            last_seen_at: row.last_seen_at,
            user: User { id: row.user_id.0, email: row.email, name: row.name, created_at: row.created_at },
        }))
    }
}

impl SystemTx {
    /// Adds a session.
    pub async fn insert_session(&mut self, session: &NewSession<'_>) -> Result<()> {
        let now = self.now();
        self.q("INSERT INTO session (id, user_id, secret_hash, created_at, last_seen_at, expires_at) \
                VALUES ($1, $2, $3, $4, $4, $5)")
            .bind(Text(session.id))
            .bind(Text(session.user))
            .bind(session.secret_hash)
            .bind(now)
            .bind(session.expires_at)
            .exec()
            .await
            .map(drop)
    }

    /// Notes that a session is used.
    pub async fn touch_session(&mut self, id: SessionId) -> Result<()> {
        let now = self.now();
        self.q("UPDATE session SET last_seen_at = $2 WHERE id = $1")
            .bind(Text(id))
            .bind(now)
            .exec()
            .await
            .map(drop)
    }

    /// Ends a session.
    pub async fn delete_session(&mut self, id: SessionId) -> Result<()> {
        self.q("DELETE FROM session WHERE id = $1").bind(Text(id)).exec().await.map(drop)
    }

    /// Removes sessions that ended before now.
    pub async fn delete_ended_sessions(&mut self, idle_since: i64) -> Result<u64> {
        let now = self.now();
        self.q("DELETE FROM session WHERE expires_at <= $1 OR last_seen_at <= $2")
            .bind(now)
            .bind(idle_since)
            .exec()
            .await
    }
}
