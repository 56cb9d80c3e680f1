//! What this server remembers across runs: used nonces, the highest sequence, mandates, services and releases.
//!
//! Rule: replaced whole and durable before an envelope counts as accepted; a damaged ledger refuses all work, because
//! without it a replay could not be told. Neighbours: `admission` (asks), `run_task` (adds releases).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use hydron_proto::envelope::{EnvelopeKind, VerifiedEnvelope};
use hydron_proto::ids::{ReleaseId, ServiceId};
use hydron_proto::names::{ImageRef, ServiceName};
use hydron_proto::plan::{Action, Mandate, ReleaseSpec, SecretRef};
use serde::{Deserialize, Serialize};

use crate::durable;

/// Tags remembered of one service.
const TAGS_KEPT: usize = 50;

/// A ledger that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file system says no.
    #[error("{} cannot be read or written", .0.display())]
    File(PathBuf, #[source] io::Error),
    /// It does not hold a ledger.
    #[error("{} is damaged; nothing can be accepted without it: leave and join again", .0.display())]
    Damaged(PathBuf, #[source] serde_json::Error),
}

/// The open ledger.
#[derive(Debug)]
pub(super) struct Ledger {
    path: PathBuf,
    content: Content,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    highest_sequence: u64,
    /// Nonce (hex) and the end of its envelope's validity: afterwards the envelope is refused as expired.
    nonces: BTreeMap<String, i64>,
    mandates: Vec<Mandate>,
    services: BTreeMap<ServiceId, Service>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Service {
    /// Tags of images that accepted plans build for it.
    tags: Vec<ImageRef>,
    /// Releases that were live, with the secrets of their environment.
    releases: BTreeMap<ReleaseId, BTreeSet<SecretRef>>,
}

impl Ledger {
    /// Reads the ledger; an empty one when there is none yet.
    pub(super) fn open(path: &Path) -> Result<Self, LedgerError> {
        let path = path.to_path_buf();
        let content = match std::fs::read(&path) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map_err(|error| LedgerError::Damaged(path.clone(), error))?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Content::default(),
            Err(error) => return Err(LedgerError::File(path, error)),
        };
        Ok(Self { path, content })
    }

    /// Whether an envelope was used, or an older one than the newest.
    pub(super) fn is_replay(&self, envelope: &VerifiedEnvelope) -> bool {
        envelope.sequence <= self.content.highest_sequence
            || self.content.nonces.contains_key(&hex(&envelope.nonce))
    }

    /// The mandates of all services here.
    pub(super) fn mandates(&self) -> &[Mandate] {
        &self.content.mandates
    }

    /// Whether an accepted plan released this service here.
    pub(super) fn knows_service(&self, service: ServiceId) -> bool {
        self.content.services.contains_key(&service)
    }

    /// The secrets of a release that was live here.
    pub(super) fn release_secrets(
        &self,
        service: ServiceId,
        release: ReleaseId,
    ) -> Option<&BTreeSet<SecretRef>> {
        self.content.services.get(&service)?.releases.get(&release)
    }

    /// Whether an accepted plan builds this tag for this service.
    pub(super) fn knows_tag(&self, service: ServiceId, tag: &ImageRef) -> bool {
        self.content.services.get(&service).is_some_and(|known| known.tags.contains(tag))
    }

    /// Uses up an envelope: durable when this returns.
    pub(super) fn accept(
        &mut self,
        envelope: &VerifiedEnvelope,
        now_unix_ms: i64,
    ) -> Result<(), LedgerError> {
        let mut content = self.content.clone();
        content.nonces.retain(|_, end| *end > now_unix_ms);
        content.nonces.insert(hex(&envelope.nonce), envelope.expires_unix_ms);
        content.highest_sequence = content.highest_sequence.max(envelope.sequence);
        if envelope.kind == EnvelopeKind::Run {
            for mandate in &envelope.plan.mandates {
                content.mandates.retain(|known| known.service != mandate.service);
                content.mandates.push(mandate.clone());
            }
        }
        content.note_plan(envelope);
        self.replace(content)
    }

    /// A release is live: durable when this returns.
    pub(super) fn note_release(&mut self, spec: &ReleaseSpec) -> Result<(), LedgerError> {
        let secrets = spec.env.iter().flat_map(|var| var.secrets().cloned()).collect();
        let mut content = self.content.clone();
        content.services.entry(spec.service).or_default().releases.insert(spec.release, secrets);
        self.replace(content)
    }

    fn replace(&mut self, content: Content) -> Result<(), LedgerError> {
        let bytes =
            serde_json::to_vec(&content).map_err(|error| LedgerError::Damaged(self.path.clone(), error))?;
        durable::write(&self.path, &bytes, 0o600)
            .map_err(|error| LedgerError::File(self.path.clone(), error))?;
        self.content = content;
        Ok(())
    }
}

impl Content {
    #[expect(clippy::wildcard_enum_match_arm, reason = "one kind releases")]
    fn note_plan(&mut self, envelope: &VerifiedEnvelope) {
        let steps = &envelope.plan.steps;
        let names: BTreeMap<ServiceId, ServiceName> = steps
            .iter()
            .filter_map(|step| match &step.action {
                Action::Release(spec) => Some((spec.service, spec.name.clone())),
                _other_kinds => None,
            })
            .collect();
        for (service, name) in names {
            let known = self.services.entry(service).or_default();
            for step in steps {
                if let Action::ImageBuild(build) = &step.action
                    && build.service == name
                    && !known.tags.contains(&build.tag)
                {
                    known.tags.push(build.tag.clone());
                }
            }
            let surplus = known.tags.len().saturating_sub(TAGS_KEPT);
            known.tags.drain(..surplus);
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
pub(super) mod tests;
