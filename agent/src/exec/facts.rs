//! What only the executor can know of its server: the engine, the proxy, the site authority, the policy.
//!
//! Rule: looked at in the background and when a range has ended, at most once a second: asking the engine and the proxy
//! costs more than a short step, and shares the thread with the next permit. Nobody waits for a slow engine.
//! Neighbour: `crate::facts` (what everybody can read).

use std::sync::Arc;
use std::time::Duration;

use hydron_proto::wire::{self, from_executor};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::shared::Shared;
use crate::config::{AgentConfig, Policy};
use crate::facts;
use crate::root::Root;

const AGAIN: Duration = Duration::from_mins(5);
const PAUSE: Duration = Duration::from_secs(1);
const ANSWER: Duration = Duration::from_secs(3);

/// A handle to the newest facts.
#[derive(Debug, Clone)]
pub(super) struct FactsTask(watch::Receiver<Option<wire::Facts>>);

impl FactsTask {
    /// Starts looking.
    pub(super) fn start(shared: Arc<Shared>, config: AgentConfig) -> Self {
        let (sender, receiver) = watch::channel(None);
        tokio::spawn(async move {
            loop {
                let facts = shared.machine.look(&shared.root, &config).await;
                let changed = sender.send_if_modified(|known| {
                    let changed = known.as_ref() != Some(&facts);
                    *known = Some(facts.clone());
                    changed
                });
                if changed {
                    // A link that is just attaching may take this for its answer, so it is a whole one.
                    let runs = shared.outbox.reports();
                    let status = wire::ExecutorStatus { runs, facts: Some(facts) };
                    shared.outbox.say(from_executor::Body::Status(status));
                }
                // A nudge that comes meanwhile is kept.
                sleep(PAUSE).await;
                let _ = timeout(AGAIN, shared.facts_nudged()).await;
            }
        });
        Self(receiver)
    }

    /// The newest facts; waits for the first look.
    pub(super) async fn first(&self) -> wire::Facts {
        let mut receiver = self.0.clone();
        match receiver.wait_for(Option::is_some).await {
            Ok(facts) => facts.clone().unwrap_or_default(),
            Err(_) => wire::Facts::default(),
        }
    }
}

pub(super) async fn look(root: &Root, config: &AgentConfig) -> wire::Facts {
    let mut facts = facts::of_machine(root.path());
    facts.http_port = u32::from(config.steps.http_port);
    facts.https_port = u32::from(config.steps.https_port);
    facts.docker_version = docker_version(config).await.unwrap_or_default();
    facts.proxy_version = proxy_version().await.unwrap_or_default();
    facts.site_ca_pem = std::fs::read_to_string(root.site_ca_pem()).unwrap_or_default();
    let mode = Policy::load(root).map_or("locked", |policy| policy.mode.word());
    mode.clone_into(&mut facts.policy_mode);
    facts
}

async fn docker_version(config: &AgentConfig) -> Option<String> {
    let path = config.steps.docker_socket.to_str()?;
    let docker = bollard::Docker::connect_with_unix(path, 3, bollard::API_DEFAULT_VERSION).ok()?;
    timeout(ANSWER, docker.version()).await.ok()?.ok()?.version
}

async fn proxy_version() -> Option<String> {
    let output = tokio::process::Command::new("nginx").arg("-v").kill_on_drop(true).output();
    let output = timeout(ANSWER, output).await.ok()?.ok()?;
    let text = String::from_utf8(output.stderr).ok()?;
    Some(text.trim().rsplit('/').next()?.to_owned()).filter(|version| !version.is_empty())
}
