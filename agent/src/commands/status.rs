//! `hydron-agent status`: what this server is and does, from its own files and its executor.

use tokio::runtime::Runtime;

use super::say;
use crate::config::{AgentConfig, Policy};
use crate::identity::ExecIdentity;
use crate::link;
use crate::link::identity::LinkFiles;
use crate::root::Root;

/// Prints it.
pub(super) fn run(root: &Root, runtime: &Runtime) -> anyhow::Result<()> {
    let config = AgentConfig::load(root)?;
    let policy = Policy::load(root)?;
    match ExecIdentity::load(root) {
        Ok(identity) => say(&format!("server       {} of {}", identity.server, identity.team))?,
        Err(error) => say(&format!("server       {error}"))?,
    }
    say(&format!("coordinator  {}", config.coordinator.as_deref().unwrap_or("none")))?;
    say(&format!("policy       {}", policy.mode.word()))?;
    if let Ok(identity) = LinkFiles::new(root.link()).load() {
        let days = (identity.validity.not_after - crate::clock::Clock::system().unix_ms() / 1000) / 86_400;
        say(&format!("certificate  {days} days left"))?;
    }
    match runtime.block_on(async { link::ask_executor(root).await }) {
        Err(error) => say(&format!("executor     does not answer: {error}"))?,
        Ok(status) => {
            let facts = status.facts.unwrap_or_default();
            let or_none = |text: String| if text.is_empty() { "not found".to_owned() } else { text };
            say("executor     running")?;
            say(&format!("docker       {}", or_none(facts.docker_version)))?;
            say(&format!("proxy        {}", or_none(facts.proxy_version)))?;
            say(&format!("runs         {}", status.runs.len()))?;
            for run in status.runs {
                say(&format!("  {}  events {}  spools {}", run.run_id, run.last_seq, run.logs.len()))?;
            }
        }
    }
    Ok(())
}
