//! Which keys a database was made with, as public digests.
//!
//! Rule: the first coordinator that starts on a database writes its marks, and nobody changes them after.

use crate::{Result, SystemTx};

impl SystemTx {
    /// The mark that this database holds under a name; `mine` becomes it when there is none yet.
    pub async fn key_mark(&mut self, name: &str, mine: &str) -> Result<String> {
        self.q("INSERT INTO key_mark (name, mark) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
            .bind(name)
            .bind(mine)
            .exec()
            .await?;
        let row: (String,) = self.q("SELECT mark FROM key_mark WHERE name = $1").bind(name).one().await?;
        Ok(row.0)
    }
}
