//! How often somebody tried to sign in, and from where somebody did: in rows, so that neither a restart nor a second
//! coordinator forgets.
//!
//! Rule: an attempt is counted and committed before the password is looked at; a later rollback cannot undo it.

use crate::{Result, SystemTx};

impl SystemTx {
    /// Counts one more attempt for `subject`; how many there were in the window that holds now, this one included.
    pub async fn count_login_attempt(&mut self, subject: &str, window_ms: i64) -> Result<i64> {
        let now = self.now();
        let (attempts,): (i64,) = self
            .q("INSERT INTO login_attempt (subject, window_start, attempts) VALUES ($1, $2, 1) \
                ON CONFLICT (subject) DO UPDATE SET \
                attempts = CASE WHEN login_attempt.window_start > $3 THEN login_attempt.attempts + 1 ELSE 1 END, \
                window_start = CASE WHEN login_attempt.window_start > $3 THEN login_attempt.window_start ELSE $2 END \
                RETURNING attempts")
            .bind(subject)
            .bind(now)
            .bind(now - window_ms)
            .one()
            .await?;
        Ok(attempts)
    }

    /// Forgets the attempts of `subject` after it proved itself.
    pub async fn clear_login_attempts(&mut self, subject: &str) -> Result<()> {
        self.q("DELETE FROM login_attempt WHERE subject = $1").bind(subject).exec().await.map(drop)
    }

    /// Takes one attempt for `subject` back: it was a success.
    pub async fn uncount_login_attempt(&mut self, subject: &str) -> Result<()> {
        self.q("UPDATE login_attempt SET attempts = attempts - 1 WHERE subject = $1 AND attempts > 0")
            .bind(subject)
            .exec()
            .await
            .map(drop)
    }

    /// Remembers that `account` signed in from `address`.
    pub async fn remember_login_address(&mut self, account: &str, address: &str) -> Result<()> {
        let now = self.now();
        self.q("INSERT INTO login_address (account, address, last_at) VALUES ($1, $2, $3) \
                ON CONFLICT (account, address) DO UPDATE SET last_at = excluded.last_at")
            .bind(account)
            .bind(address)
            .bind(now)
            .exec()
            .await
            .map(drop)
    }

    /// Whether `account` signed in from `address` after `since`.
    pub async fn knows_login_address(&mut self, account: &str, address: &str, since: i64) -> Result<bool> {
        let row: Option<(i64,)> = self
            .q("SELECT last_at FROM login_address WHERE account = $1 AND address = $2 AND last_at > $3")
            .bind(account)
            .bind(address)
            .bind(since)
            .opt()
            .await?;
        Ok(row.is_some())
    }

    /// Forgets addresses from which nobody signed in since `before`.
    pub async fn delete_old_login_addresses(&mut self, before: i64) -> Result<u64> {
        self.q("DELETE FROM login_address WHERE last_at <= $1").bind(before).exec().await
    }

    /// Removes windows that began before `before`.
    pub async fn delete_old_login_attempts(&mut self, before: i64) -> Result<u64> {
        self.q("DELETE FROM login_attempt WHERE window_start <= $1").bind(before).exec().await
    }
}
