//! `hydron serve`

use std::sync::Arc;

use super::say;
use crate::clock::{SystemClock, SystemEntropy};
use crate::config::Config;
use crate::lifecycle::Ended;
use crate::serve::Coordinator;

/// Runs the coordinator until a signal.
pub async fn run(config: Config) -> anyhow::Result<()> {
    let engine = config.database.engine();
    let coordinator = Coordinator::start(config, Arc::new(SystemClock), Arc::new(SystemEntropy)).await?;
    tracing::info!(url = coordinator.url, address = %coordinator.address, engine, "the coordinator is up");
    say(&format!("Hydron is at {}", coordinator.url))?;
    if let Some(link) = &coordinator.setup_link {
        say("Nobody has set it up yet. Open this link once to become its owner:")?;
        say(&format!("  {}", link.as_str()))?;
    }
    match coordinator.run().await? {
        Ended::Orderly => tracing::info!("stopped"),
        Ended::CutOff => tracing::warn!("stopped with work cut off; it goes on at the next start"),
        // With a status that makes whoever supervises start it again.
        Ended::Broken => anyhow::bail!("a task ended that should not have; the log above says which"),
    }
    Ok(())
}
