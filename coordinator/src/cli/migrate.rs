//! `hydron migrate`

use hydron_store::Store;

use super::say;
use crate::config::Config;

/// Brings the schema up to date and says from where to where.
pub async fn run(config: Config) -> anyhow::Result<()> {
    let store = Store::open(&config.database).await?;
    let before = store.migration_state().await?;
    store.migrate().await?;
    let after = store.migration_state().await?;
    store.close().await;
    let engine = config.database.engine();
    if before.is_behind() {
        say(&format!("{engine}: migrated from {} to {}", before.applied, after.applied))
    } else {
        say(&format!("{engine}: already at {}", after.applied))
    }
}
