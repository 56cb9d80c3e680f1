//! Enrollment tokens: the row behind a one-time right to become one server.
//!
//! Rule: the secret is stored as its hash; binding a key is a conditional update, so two requests cannot both win.

use hydron_domain::enrollment::{TokenRecord, TokenState};
use hydron_proto::ids::{EnrollmentTokenId, ServerId, TeamId};

use crate::column::Text;
use crate::{Result, SystemStore, TeamStore, TeamTx};

/// A token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrollmentTokenRow {
    /// Its team.
    pub team: TeamId,
    /// Id.
    pub id: EnrollmentTokenId,
    /// The server it makes.
    pub server: ServerId,
    /// Hex SHA-256 of the secret.
    pub secret_hash: String,
    /// What the rules look at.
    pub record: TokenRecord,
    /// What the bound key was answered.
    pub reply: Option<Vec<u8>>,
    /// Milliseconds since 1970.
    pub created_at: i64,
}

const COLUMNS: &str =
    "team_id, id, server_id, secret_hash, state, bound_key, bound_at, reply, created_at, expires_at";

#[derive(sqlx::FromRow)]
struct Row {
    team_id: Text<TeamId>,
    id: Text<EnrollmentTokenId>,
    server_id: Text<ServerId>,
    secret_hash: String,
    state: Text<TokenState>,
    bound_key: Option<String>,
    bound_at: Option<i64>,
    reply: Option<Vec<u8>>,
    created_at: i64,
    expires_at: i64,
}

impl From<Row> for EnrollmentTokenRow {
    fn from(row: Row) -> Self {
        Self {
            team: row.team_id.0,
            id: row.id.0,
            server: row.server_id.0,
            secret_hash: row.secret_hash,
            record: TokenRecord {
                state: row.state.0,
                expires_at: row.expires_at,
                bound_key: row.bound_key,
                bound_at: row.bound_at,
            },
            reply: row.reply,
            created_at: row.created_at,
        }
    }
}

impl SystemStore {
    /// The token behind an id, whatever its team: the caller compares the secret.
    pub async fn enrollment_token(&self, id: EnrollmentTokenId) -> Result<Option<EnrollmentTokenRow>> {
        let row: Option<Row> = self
            .q(&format!("SELECT {COLUMNS} FROM enrollment_token WHERE id = $1"))
            .bind(Text(id))
            .opt()
            .await?;
        Ok(row.map(EnrollmentTokenRow::from))
    }
}

impl TeamStore {
    /// The team's tokens, newest first.
    pub async fn enrollment_tokens(&self) -> Result<Vec<EnrollmentTokenRow>> {
        let rows: Vec<Row> = self
            .q(&format!(
                "SELECT {COLUMNS} FROM enrollment_token WHERE team_id = $1 ORDER BY created_at DESC, id DESC LIMIT 200"
            ))
            .all()
            .await?;
        Ok(rows.into_iter().map(EnrollmentTokenRow::from).collect())
    }
}

impl TeamTx {
    /// Adds an unused token.
    pub async fn insert_enrollment_token(
        &mut self,
        id: EnrollmentTokenId,
        server: ServerId,
        secret_hash: &str,
        expires_at: i64,
    ) -> Result<()> {
        let now = self.now();
        self.q("INSERT INTO enrollment_token (team_id, id, server_id, secret_hash, state, created_at, expires_at) \
                VALUES ($1, $2, $3, $4, $5, $6, $7)")
            .bind(Text(id))
            .bind(Text(server))
            .bind(secret_hash)
            .bind(Text(TokenState::Unused))
            .bind(now)
            .bind(expires_at)
            .exec()
            .await
            .map(drop)
    }

    /// Binds the first key that came, with the answer it gets.
    pub async fn bind_enrollment_token(
        &mut self,
        id: EnrollmentTokenId,
        key: &str,
        reply: &[u8],
    ) -> Result<()> {
        let now = self.now();
        self.q("UPDATE enrollment_token SET state = 'bound', bound_key = $3, bound_at = $4, reply = $5 \
                WHERE team_id = $1 AND id = $2 AND state = 'unused'")
            .bind(Text(id))
            .bind(key)
            .bind(now)
            .bind(reply)
            .exec_one("enrollment token")
            .await
    }

    /// The server has connected: its token has served.
    pub async fn consume_enrollment_tokens(&mut self, server: ServerId) -> Result<()> {
        self.q("UPDATE enrollment_token SET state = 'consumed', reply = NULL \
                WHERE team_id = $1 AND server_id = $2 AND state = 'bound'")
            .bind(Text(server))
            .exec()
            .await
            .map(drop)
    }

    /// Takes back tokens of a server that have not made it yet.
    pub async fn revoke_enrollment_tokens(&mut self, server: ServerId) -> Result<()> {
        self.q("UPDATE enrollment_token SET state = 'revoked', reply = NULL \
                WHERE team_id = $1 AND server_id = $2 AND state IN ('unused', 'bound')")
            .bind(Text(server))
            .exec()
            .await
            .map(drop)
    }

    /// Takes one token back; false when it has served or is not there.
    pub async fn revoke_enrollment_token(&mut self, id: EnrollmentTokenId) -> Result<bool> {
        let touched = self
            .q("UPDATE enrollment_token SET state = 'revoked', reply = NULL \
                WHERE team_id = $1 AND id = $2 AND state = 'unused'")
            .bind(Text(id))
            .exec()
            .await?;
        Ok(touched > 0)
    }
}
