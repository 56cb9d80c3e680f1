//! What this server knows of its services: which releases it has run, which one is live, which swap is under way.
//!
//! Rule: one file a service, replaced whole and durably, so that every state it can be read in was meant. It names
//! secrets and never holds them. Neighbours: `machine` writes; `route`, `operate` and the executor's admission read.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::PathBuf;

use hydron_proto::ids::{ProjectId, ReleaseId, RunId, ServiceId};
use hydron_proto::names::ResourceName;
use hydron_proto::plan::{RELEASES_KEPT, ReleaseSpec};
use serde::{Deserialize, Serialize};

use crate::record::{self, RecordError};
use crate::root::Root;

/// A service on this server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceRecord {
    /// Which.
    pub service: ServiceId,
    /// Whose.
    pub project: ProjectId,
    /// Its network.
    pub network: ResourceName,
    /// The release that serves; none before the first.
    pub live: Option<ReleaseId>,
    /// Stopped by an operation.
    pub stopped: bool,
    /// In the order in which they were last live, or first tried; newest last.
    pub releases: Vec<ReleaseRecord>,
    /// The swap under way.
    pub swap: Option<Swap>,
}

/// A release that runs or ran here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseRecord {
    /// Its configuration, whole.
    pub spec: ReleaseSpec,
    /// Content id of its image.
    pub image_id: String,
    /// Its container.
    pub container: String,
    /// Last number of its addresses.
    pub host: u8,
    /// Its address on the network of the project.
    pub address: Ipv4Addr,
    /// Whether its pre-deploy command has succeeded.
    pub pre_deployed: bool,
    /// Whether it was ever live: only then may it be rolled back to.
    pub was_live: bool,
}

/// A swap under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swap {
    /// The new release.
    pub release: ReleaseId,
    /// The one it replaces.
    pub previous: Option<ReleaseId>,
    /// The run that does it.
    pub run: RunId,
    /// What comes next.
    pub stage: Stage,
    /// Why it is being taken back.
    pub failure: Option<SwapFailure>,
}

/// Why a swap is being taken back; kept so that a crash in the middle changes nothing about the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwapFailure {
    /// Stable code.
    pub code: String,
    /// Words for a person.
    pub message: String,
}

/// What comes next in a swap. Written before it is done; everything is safe to do twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The one-shot command.
    PreDeploy,
    /// Stop-first only: the old one goes before the new one comes.
    MakeWay,
    /// The candidate is made and started; nobody can find it.
    Start,
    /// The candidate proves itself.
    Health,
    /// Other services find it by name.
    Name,
    /// The proxy sends requests to it.
    Switch,
    /// A request through the proxy reaches it.
    Probe,
    /// It is watched under real traffic.
    Bake,
    /// It is live; the old one finishes its requests.
    Drain,
    /// The old one is stopped.
    StopOld,
    /// The old container goes; its release stays for rollback.
    Retire,
    /// Back to the old one.
    RollBack,
}

impl Stage {
    /// Every stage, for tests that must cover all.
    pub const ALL: [Self; 12] = [
        Self::PreDeploy,
        Self::MakeWay,
        Self::Start,
        Self::Health,
        Self::Name,
        Self::Switch,
        Self::Probe,
        Self::Bake,
        Self::Drain,
        Self::StopOld,
        Self::Retire,
        Self::RollBack,
    ];

    /// From here on there is no way back: the new release is live.
    pub fn is_committed(self) -> bool {
        matches!(self, Self::Drain | Self::StopOld | Self::Retire)
    }
}

impl ServiceRecord {
    /// What is known of a service.
    pub fn read(root: &Root, service: ServiceId) -> Result<Option<Self>, RecordError> {
        record::read_json(&path(root, service))
    }

    /// Every service of this server.
    pub fn all(root: &Root) -> Result<Vec<Self>, RecordError> {
        let entries = std::fs::read_dir(root.steps().join("services")).into_iter().flatten().flatten();
        let ids = entries.filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".json")?.parse().ok());
        let mut records = Vec::new();
        for id in ids {
            records.extend(Self::read(root, id)?);
        }
        records.sort_by_key(|record| record.service);
        Ok(records)
    }

    /// A release by id.
    pub fn release(&self, id: ReleaseId) -> Option<&ReleaseRecord> {
        self.releases.iter().find(|release| release.spec.release == id)
    }

    /// The release that serves.
    pub fn live_release(&self) -> Option<&ReleaseRecord> {
        self.release(self.live?)
    }

    pub(super) fn release_mut(&mut self, id: ReleaseId) -> Option<&mut ReleaseRecord> {
        self.releases.iter_mut().find(|release| release.spec.release == id)
    }

    /// Forgets what is too old to roll back to, and failures that are too old to be tried again, each by itself: however often
    /// a release fails, what served before it can come back. Returns the images that went with them.
    pub(super) fn forget_old(&mut self) -> Vec<String> {
        let live = self.live;
        let mut room = [RELEASES_KEPT; 2];
        let mut gone = Vec::new();
        let mut kept = Vec::new();
        for release in std::mem::take(&mut self.releases).into_iter().rev() {
            let [served, failed] = &mut room;
            let room = if release.was_live { served } else { failed };
            if Some(release.spec.release) == live {
                kept.push(release);
            } else if *room > 0 {
                *room -= 1;
                kept.push(release);
            } else {
                gone.push(release.image_id);
            }
        }
        kept.reverse();
        self.releases = kept;
        gone.retain(|image| !self.releases.iter().any(|release| release.image_id == *image));
        gone
    }
}

impl ReleaseRecord {
    /// Where the proxy finds it; none for a worker.
    pub fn socket(&self) -> Option<SocketAddrV4> {
        Some(SocketAddrV4::new(self.address, self.spec.port?))
    }
}

/// Keeps the record of one service.
pub trait Ledger: Send + Sync {
    /// Makes a record durable.
    fn save(&self, record: &ServiceRecord) -> Result<(), RecordError>;
}

/// The ledger of a server: files below its root.
#[derive(Debug)]
pub struct FileLedger<'a>(pub &'a Root);

impl Ledger for FileLedger<'_> {
    fn save(&self, service: &ServiceRecord) -> Result<(), RecordError> {
        let path = path(self.0, service.service);
        record::directory(&self.0.steps(), 0o700)?;
        record::directory(&self.0.steps().join("services"), 0o700)?;
        record::replace_json(&path, service)
    }
}

/// Whether a service has a live release here.
pub fn is_live(root: &Root, service: ServiceId) -> Result<bool, RecordError> {
    Ok(ServiceRecord::read(root, service)?.is_some_and(|record| record.live.is_some()))
}

/// Whether this agent recorded a release as live: the only ones to which an operation may roll back.
pub fn was_live(root: &Root, service: ServiceId, release: ReleaseId) -> Result<bool, RecordError> {
    let record = ServiceRecord::read(root, service)?;
    Ok(record.is_some_and(|record| record.release(release).is_some_and(|release| release.was_live)))
}

/// Where a service is served now; none while it is stopped or not there.
pub fn serving_address(root: &Root, service: ServiceId) -> Result<Option<SocketAddrV4>, RecordError> {
    let record = ServiceRecord::read(root, service)?.filter(|record| !record.stopped);
    Ok(record.as_ref().and_then(ServiceRecord::live_release).and_then(ReleaseRecord::socket))
}

fn path(root: &Root, service: ServiceId) -> PathBuf {
    root.steps().join("services").join(format!("{service}.json"))
}
