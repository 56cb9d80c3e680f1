//! API tokens: each belongs to one team and has a role there.
//!
//! Rule: the token itself is shown once and stored as its hash; a token never outlives its expiry.

use hydron_domain::identity::Role;
use hydron_proto::ids::{TeamId, TokenId, UserId};

use crate::column::Text;
use crate::{Result, SystemStore, SystemTx, TeamStore, TeamTx};

/// A token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its team.
    pub team: TeamId,
    /// Id.
    pub id: TokenId,
    /// What a person called it.
    pub name: String,
    /// The first characters, to recognise it.
    pub prefix: String,
    /// What it may do.
    pub role: Role,
    /// Who made it.
    pub created_by: Option<UserId>,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970.
    pub expires_at: i64,
    /// Milliseconds since 1970, kept to about a minute.
    pub last_used_at: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct Row {
    team_id: Text<TeamId>,
    id: Text<TokenId>,
    name: String,
    prefix: String,
    role: Text<Role>,
    created_by: Option<Text<UserId>>,
    created_at: i64,
    expires_at: i64,
    last_used_at: Option<i64>,
}

impl From<Row> for Token {
    fn from(row: Row) -> Self {
        Self {
            team: row.team_id.0,
            id: row.id.0,
            name: row.name,
            prefix: row.prefix,
            role: row.role.0,
            created_by: row.created_by.map(|id| id.0),
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
        }
    }
}

impl SystemStore {
    /// The live token behind a secret, whatever its team: this is where a bearer's team comes from.
    pub async fn token_by_hash(&self, secret_hash: &str, now: i64) -> Result<Option<Token>> {
        let row: Option<Row> = self
            .q("SELECT team_id, id, name, prefix, role, created_by, created_at, expires_at, last_used_at \
                FROM api_token WHERE secret_hash = $1 AND expires_at > $2")
            .bind(secret_hash)
            .bind(now)
            .opt()
            .await?;
        Ok(row.map(Token::from))
    }
}

impl SystemTx {
    /// Notes that a token is used.
    pub async fn touch_token(&mut self, team: TeamId, id: TokenId) -> Result<()> {
        let now = self.now();
        self.q("UPDATE api_token SET last_used_at = $3 WHERE team_id = $1 AND id = $2")
            .bind(Text(team))
            .bind(Text(id))
            .bind(now)
            .exec()
            .await
            .map(drop)
    }
}

impl TeamStore {
    /// The team's tokens, newest first.
    pub async fn tokens(&self) -> Result<Vec<Token>> {
        let rows: Vec<Row> = self
            .q("SELECT team_id, id, name, prefix, role, created_by, created_at, expires_at, last_used_at \
                FROM api_token WHERE team_id = $1 ORDER BY created_at DESC, id DESC")
            .all()
            .await?;
        Ok(rows.into_iter().map(Token::from).collect())
    }
}

impl TeamTx {
    /// Adds a token of this team.
    pub async fn insert_token(&mut self, token: &Token, secret_hash: &str) -> Result<()> {
        self.q("INSERT INTO api_token \
                (team_id, id, name, prefix, secret_hash, role, created_by, created_at, expires_at) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
            .bind(Text(token.id))
            .bind(token.name.as_str())
            .bind(token.prefix.as_str())
            .bind(secret_hash)
            .bind(Text(token.role))
            .bind(token.created_by.map(Text))
            .bind(token.created_at)
            .bind(token.expires_at)
            .exec()
            .await
            .map(drop)
    }

    /// Revokes a token; false if the team has no such token.
    pub async fn delete_token(&mut self, id: TokenId) -> Result<bool> {
        let gone =
            self.q("DELETE FROM api_token WHERE team_id = $1 AND id = $2").bind(Text(id)).exec().await?;
        Ok(gone > 0)
    }
}
