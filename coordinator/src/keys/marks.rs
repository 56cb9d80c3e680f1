//! Whether the key files are those that the database was made with.
//!
//! Rule: a coordinator with other keys does not start: agents would refuse what it signs, nothing it encrypts could be read
//! by the others, and nothing they encrypted by it.

use hydron_store::StoreError;

use super::kek::hex;
use crate::app::AppState;

/// Why the coordinator does not start on this database.
#[derive(Debug, thiserror::Error)]
pub enum MarkError {
    /// One of the keys is another.
    #[error(
        "{file} is not the key this database was made with ({expected}, here it is {here}); every coordinator of one \
         database needs the same keys directory: copy it from the one that made the database, or from its backup"
    )]
    Foreign {
        /// Which file, under the keys directory.
        file: &'static str,
        /// Mark of the key the database was made with.
        expected: String,
        /// Mark of the key that is here.
        here: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Compares the marks, and writes them on the first start.
pub async fn check(app: &AppState) -> Result<(), MarkError> {
    let mut tx = app.store.system().begin(app.now()).await?;
    same(
        tx.key_mark("plan.key", &app.signer.public().key_id).await?,
        "plan.key",
        &app.signer.public().key_id,
    )?;
    let authority = hex(&app.ca.key_sha256());
    same(tx.key_mark("ca.key", &authority).await?, "ca.key", &authority)?;
    let held = tx.key_mark("kek", app.kek.active()).await?;
    if !app.kek.holds(&held) {
        same(held, "kek", app.kek.active())?;
    }
    tx.commit().await?;
    Ok(())
}

fn same(expected: String, file: &'static str, here: &str) -> Result<(), MarkError> {
    if expected == here {
        return Ok(());
    }
    Err(MarkError::Foreign { file, expected, here: here.to_owned() })
}
