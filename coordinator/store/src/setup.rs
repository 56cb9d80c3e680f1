//! The one-time link by which the first owner sets an installation up.
//!
//! Rule: stored as a hash, used once by compare-and-set, and worthless as soon as there is a user.

use crate::{Result, SystemTx};

impl SystemTx {
    /// Replaces whatever link there was.
    pub async fn replace_setup_link(&mut self, secret_hash: &str) -> Result<()> {
        self.q("DELETE FROM setup_link").exec().await?;
        let now = self.now();
        self.q("INSERT INTO setup_link (secret_hash, created_at) VALUES ($1, $2)")
            .bind(secret_hash)
            .bind(now)
            .exec()
            .await
            .map(drop)
    }

    /// Uses the link; false if it is unknown or was used before.
    pub async fn use_setup_link(&mut self, secret_hash: &str) -> Result<bool> {
        let now = self.now();
        let used = self
            .q("UPDATE setup_link SET used_at = $2 WHERE secret_hash = $1 AND used_at IS NULL")
            .bind(secret_hash)
            .bind(now)
            .exec()
            .await?;
        Ok(used > 0)
    }
}
