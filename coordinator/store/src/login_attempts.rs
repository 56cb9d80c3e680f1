//! How often somebody tried to sign in: counted in rows, so that neither a restart nor a second coordinator forgets.
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

    /// Removes windows that began before `before`.
    pub async fn delete_old_login_attempts(&mut self, before: i64) -> Result<u64> {
        self.q("DELETE FROM login_attempt WHERE window_start <= $1").bind(before).exec().await
    }
}
