//! People who can sign in. They belong to no team; membership does.
//!
//! Rule: addresses are stored in lower case; the password hash leaves this file only to be checked.

use hydron_proto::ids::UserId;

use crate::column::Text;
use crate::{Result, SystemStore, SystemTx};

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Id.
    pub id: UserId,
    /// Address, lower case.
    pub email: String,
    /// What others read.
    pub name: String,
    /// Milliseconds since 1970.
    pub created_at: i64,
}

/// A person with the hash of the password, for signing in.
pub struct UserWithPassword {
    /// Who.
    pub user: User,
    /// argon2id in PHC form.
    pub password_hash: String,
}

impl std::fmt::Debug for UserWithPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserWithPassword").field("user", &self.user).finish_non_exhaustive()
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Text<UserId>,
    email: String,
    name: String,
    password_hash: String,
    created_at: i64,
}

impl From<Row> for UserWithPassword {
    fn from(row: Row) -> Self {
        let Row { id, email, name, password_hash, created_at } = row;
        Self { user: User { id: id.0, email, name, created_at }, password_hash }
    }
}

impl SystemStore {
    /// Whether anybody has set this installation up.
    pub async fn has_users(&self) -> Result<bool> {
        let (count,): (i64,) = self.q("SELECT CAST(count(*) AS BIGINT) FROM app_user").one().await?;
        Ok(count > 0)
    }

    /// The person with this address.
    pub async fn user_by_email(&self, email: &str) -> Result<Option<UserWithPassword>> {
        let row: Option<Row> = self
            .q("SELECT id, email, name, password_hash, created_at FROM app_user WHERE email = $1")
            .bind(email.to_lowercase())
            .opt()
            .await?;
        Ok(row.map(UserWithPassword::from))
    }

    /// A person.
    pub async fn user(&self, id: UserId) -> Result<Option<User>> {
        let row: Option<Row> = self
            .q("SELECT id, email, name, password_hash, created_at FROM app_user WHERE id = $1")
            .bind(Text(id))
            .opt()
            .await?;
        Ok(row.map(|row| UserWithPassword::from(row).user))
    }
}

impl SystemTx {
    /// Whether anybody has set this installation up, seen in this transaction.
    pub async fn has_users(&mut self) -> Result<bool> {
        let (count,): (i64,) = self.q("SELECT CAST(count(*) AS BIGINT) FROM app_user").one().await?;
        Ok(count > 0)
    }

    /// Adds a person; `Exists` if the address is taken.
    pub async fn insert_user(&mut self, user: &User, password_hash: &str) -> Result<()> {
        self.q(
            "INSERT INTO app_user (id, email, name, password_hash, created_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(Text(user.id))
        .bind(user.email.to_lowercase())
        .bind(user.name.as_str())
        .bind(password_hash)
        .bind(user.created_at)
        .exec()
        .await
        .map(drop)
    }

    /// Replaces the hash of a password, e.g. when its cost has been raised.
    pub async fn set_password_hash(&mut self, id: UserId, hash: &str) -> Result<()> {
        self.q("UPDATE app_user SET password_hash = $2 WHERE id = $1")
            .bind(Text(id))
            .bind(hash)
            .exec_one("user")
            .await
    }
}
