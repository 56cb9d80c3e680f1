//! The order of stages, and what failing in each of them means.
//!
//! Rule: `advance` makes the next stage durable before it is done. A failure before the commit point turns the swap
//! around; a record that cannot be saved stops everything as it is, to be resumed.

use hydron_proto::ids::{ReleaseId, ServiceId};
use hydron_proto::names::ResourceName;
use hydron_proto::plan::{ReleaseImage, ReleaseOrder, ReleaseSpec};

use super::record::{Ledger, ReleaseRecord, ServiceRecord, Stage, Swap, SwapFailure};
use super::{candidate, health, traffic};
use crate::docker::{ContainerState, Engine};
use crate::record::RecordError;
use crate::step_context::{StepContext, StepFailure};
use crate::steps::lock;
use crate::steps::network::NetworkRecord;

/// Lines of a failed container that a person sees.
const LAST_LINES: u32 = 100;
/// Most bytes of them.
const LAST_BYTES: usize = 32 * 1024;

/// A swap of one service, at work.
pub(in crate::steps) struct Machine<'a> {
    pub(super) context: &'a StepContext<'a>,
    pub(super) engine: Engine,
    pub(super) network: NetworkRecord,
    ledger: &'a dyn Ledger,
    record: ServiceRecord,
}

/// Why the machine stands still.
enum Halt {
    /// The record could not be saved: nothing more may be done.
    Unsaved(RecordError),
    /// A stage failed.
    Failed(StepFailure),
}

impl From<RecordError> for Halt {
    fn from(error: RecordError) -> Self {
        Self::Unsaved(error)
    }
}

impl From<Halt> for StepFailure {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Unsaved(error) => error.into(),
            Halt::Failed(failure) => failure,
        }
    }
}

/// Finishes or takes back a swap that was left in the middle. The caller holds the service.
pub(in crate::steps) async fn settle(
    service: ServiceId,
    context: &StepContext<'_>,
) -> Result<(), StepFailure> {
    let Some(known) = ServiceRecord::read(context.root, service)? else { return Ok(()) };
    if known.swap.is_none() {
        return Ok(());
    }
    let ledger = super::FileLedger(context.root);
    let mut machine = Machine::open(service, &known.network, context, &ledger).await?;
    machine.settle_other(None).await
}

impl<'a> Machine<'a> {
    pub(in crate::steps) async fn open(
        service: ServiceId,
        network: &ResourceName,
        context: &'a StepContext<'a>,
        ledger: &'a dyn Ledger,
    ) -> Result<Self, StepFailure> {
        let engine = Engine::connect(&context.config.docker_socket).await?;
        let network = NetworkRecord::read(context.root, network)?.ok_or_else(|| {
            StepFailure::new(
                "NETWORK_MISSING",
                format!("network {network} is not known here; put its network step before the release"),
            )
        })?;
        let record = ServiceRecord::read(context.root, service)?.unwrap_or_else(|| ServiceRecord {
            service,
            project: context.plan.project,
            network: network.name.clone(),
            live: None,
            stopped: false,
            releases: Vec::new(),
            swap: None,
        });
        Ok(Self { context, engine, network, ledger, record })
    }

    pub(in crate::steps) fn record(&self) -> &ServiceRecord {
        &self.record
    }

    pub(super) fn release(&self, id: ReleaseId) -> Result<&ReleaseRecord, StepFailure> {
        self.record.release(id).ok_or_else(|| {
            StepFailure::new("RELEASE_UNKNOWN", format!("release {id} is not recorded on this server"))
        })
    }

    /// Changes the record and makes it durable.
    pub(in crate::steps) fn save(
        &mut self,
        edit: impl FnOnce(&mut ServiceRecord),
    ) -> Result<(), RecordError> {
        edit(&mut self.record);
        self.ledger.save(&self.record)
    }

    /// Ends a swap that another run, or an earlier attempt, left in the middle. One of `mine` is gone on with later.
    pub(super) async fn settle_other(&mut self, mine: Option<ReleaseId>) -> Result<(), StepFailure> {
        let Some(swap) = self.record.swap.clone() else { return Ok(()) };
        if swap.stage.is_committed() {
            self.say(&format!("finishing the swap to {} first", swap.release)).await;
            return Ok(self.forward().await?);
        }
        if Some(swap.release) == mine && swap.stage != Stage::RollBack {
            self.say(&format!("going on with the swap to {} at stage {:?}", swap.release, swap.stage)).await;
            return Ok(());
        }
        self.say(&format!("taking back the unfinished swap to {} first", swap.release)).await;
        let failure = StepFailure::new("SUPERSEDED", "the swap was left unfinished");
        self.turn_around(&failure)?;
        Ok(self.roll_back().await?)
    }

    /// Writes down a new swap, or finds the one that is to be gone on with. Returns the release it replaces.
    pub(super) async fn begin(&mut self, wanted: &ReleaseSpec) -> Result<Option<ReleaseId>, StepFailure> {
        if let Some(swap) = &self.record.swap {
            return Ok(swap.previous);
        }
        let image_id = self.image_id(wanted).await?;
        let previous = self.record.live.filter(|live| *live != wanted.release);
        let _lock = lock::assignments(self.context).await?;
        let known = self.record.release(wanted.release);
        let host = match (wanted.order, previous.and_then(|id| self.record.release(id)), known) {
            // Clients of a service with a volume keep their address; the old one has stopped before the new one starts.
            (ReleaseOrder::StopFirst, Some(old), _) => old.host,
            // A release that is known keeps the address it has.
            (ReleaseOrder::StopFirst, None, Some(known)) | (ReleaseOrder::StartFirst, _, Some(known)) => {
                known.host
            }
            (ReleaseOrder::StopFirst | ReleaseOrder::StartFirst, _, None) => {
                candidate::free_host(self).await?
            }
        };
        let release = ReleaseRecord {
            spec: wanted.clone(),
            image_id,
            container: candidate::container_name(self.context.plan.project, wanted),
            host,
            address: self.network.addresses(host).0,
            pre_deployed: known.is_some_and(|known| known.pre_deployed),
            was_live: known.is_some_and(|known| known.was_live),
        };
        let run = self.context.run;
        let swap = Swap { release: wanted.release, previous, run, stage: Stage::PreDeploy, failure: None };
        self.save(|record| {
            // Its place changes when it is live: a rollback that fails makes nothing newer.
            match record.release_mut(wanted.release) {
                Some(known) => *known = release,
                None => record.releases.push(release),
            }
            record.swap = Some(swap);
            record.network.clone_from(&wanted.network);
        })?;
        candidate::clear_leftovers(self).await?;
        Ok(previous)
    }

    /// Walks the stages to the end; on failure back to the old release.
    pub(super) async fn run(&mut self) -> Result<(), StepFailure> {
        let failure = match self.forward().await {
            Ok(()) => return Ok(()),
            Err(Halt::Unsaved(error)) => return Err(error.into()),
            Err(Halt::Failed(failure)) => failure,
        };
        if self.record.swap.as_ref().is_none_or(|swap| swap.stage.is_committed()) {
            return Err(failure);
        }
        self.say(&format!("{}: {}", failure.code, failure.message)).await;
        let failure = self.with_last_lines(failure).await;
        self.turn_around(&failure)?;
        match self.roll_back().await {
            Ok(()) => Err(failure),
            Err(Halt::Unsaved(error)) => Err(error.into()),
            Err(Halt::Failed(second)) => Err(StepFailure {
                message: format!(
                    "{}; taking it back failed too and is tried again with the next step of this service: {}",
                    failure.message, second.message
                ),
                ..failure
            }),
        }
    }

    async fn forward(&mut self) -> Result<(), Halt> {
        while let Some(swap) = self.record.swap.clone() {
            if self.context.cancel.is_cancelled() && !swap.stage.is_committed() {
                return Err(Halt::Failed(crate::steps::failure::cancelled()));
            }
            let next = self.stage(&swap).await?;
            self.advance(next)?;
        }
        Ok(())
    }

    /// Does what a stage says; returns the next one, or none at the end.
    async fn stage(&mut self, swap: &Swap) -> Result<Option<Stage>, Halt> {
        let new = self.release(swap.release).map_err(Halt::Failed)?.clone();
        let old = swap.previous.and_then(|id| self.record.release(id)).cloned();
        let old = old.as_ref();
        let stop_first = new.spec.order == ReleaseOrder::StopFirst;
        let done = match swap.stage {
            Stage::PreDeploy => {
                if !new.pre_deployed {
                    candidate::pre_deploy(self, &new).await.map_err(Halt::Failed)?;
                    self.save(|record| {
                        if let Some(release) = record.release_mut(swap.release) {
                            release.pre_deployed = true;
                        }
                    })?;
                }
                return Ok(Some(if stop_first && old.is_some() { Stage::MakeWay } else { Stage::Start }));
            }
            Stage::MakeWay => traffic::make_way(self, &new, old).await.map(|()| Some(Stage::Start)),
            Stage::Start => candidate::start(self, &new).await.map(|()| Some(Stage::Health)),
            Stage::Health => health::wait(self, &new).await.map(|()| Some(Stage::Name)),
            Stage::Name => candidate::name(self, &new).await.map(|()| Some(Stage::Switch)),
            Stage::Switch => traffic::switch(self, &new).await.map(|()| Some(Stage::Probe)),
            Stage::Probe => traffic::probe(self, &new).await.map(|()| Some(Stage::Bake)),
            Stage::Bake => health::bake(self, &new).await.map(|()| Some(Stage::Drain)),
            Stage::Drain => traffic::drain(self, old).await.map(|()| Some(Stage::StopOld)),
            Stage::StopOld => candidate::stop_old(self, old).await.map(|()| Some(Stage::Retire)),
            Stage::Retire => candidate::retire(self, old).await.map(|()| None),
            Stage::RollBack => return self.roll_back().await.map(|()| None),
        };
        done.map_err(Halt::Failed)
    }

    /// Makes the next stage durable. The step to [`Stage::Drain`] is the commit point: the new release is live.
    fn advance(&mut self, next: Option<Stage>) -> Result<(), RecordError> {
        let Some(release) = self.record.swap.as_ref().map(|swap| swap.release) else { return Ok(()) };
        self.save(|record| match next {
            Some(stage) => {
                if stage == Stage::Drain {
                    commit(record, release);
                }
                if let Some(swap) = &mut record.swap {
                    swap.stage = stage;
                }
            }
            None => record.swap = None,
        })
    }

    fn turn_around(&mut self, failure: &StepFailure) -> Result<(), RecordError> {
        let kept = SwapFailure { code: failure.code.to_owned(), message: failure.message.clone() };
        self.save(|record| {
            if let Some(swap) = &mut record.swap {
                swap.stage = Stage::RollBack;
                swap.failure.get_or_insert(kept);
            }
        })
    }

    /// The old release serves, the candidate is stopped and kept for inspection, the swap is over.
    async fn roll_back(&mut self) -> Result<(), Halt> {
        let Some(swap) = self.record.swap.clone() else { return Ok(()) };
        self.context.doing.set("Putting the old release back");
        let new = self.release(swap.release).map_err(Halt::Failed)?.clone();
        let old = swap.previous.and_then(|id| self.record.release(id)).cloned();
        traffic::put_back(self, &new, old.as_ref()).await.map_err(Halt::Failed)?;
        let serving = old.map_or_else(|| "nothing".to_owned(), |old| old.container);
        self.say(&format!("{serving} serves; {} is stopped and kept for inspection", new.container)).await;
        self.save(|record| {
            record.swap = None;
            // Forgotten unless it was live before or its pre-deploy command must not run again.
            record.releases.retain(|r| r.spec.release != swap.release || r.was_live || r.pre_deployed);
        })?;
        Ok(())
    }

    async fn with_last_lines(&self, failure: StepFailure) -> StepFailure {
        let Some(release) = self.record.swap.as_ref().and_then(|swap| self.record.release(swap.release))
        else {
            return failure;
        };
        let lines =
            self.engine.container_log(&release.container, LAST_LINES, LAST_BYTES).await.unwrap_or_default();
        if lines.is_empty() {
            return failure;
        }
        self.say(&format!("the last lines of {}:", release.container)).await;
        self.context.log.bytes(&lines).await;
        let text = String::from_utf8_lossy(&lines);
        StepFailure {
            message: format!("{}; its last lines:\n{}", failure.message, text.trim_end()),
            ..failure
        }
    }

    async fn image_id(&self, wanted: &ReleaseSpec) -> Result<String, StepFailure> {
        // A release that ran here comes back with the image it had, whatever its tag means by now.
        if let Some(known) = self.record.release(wanted.release).filter(|known| known.was_live)
            && self.engine.image(&known.image_id).await?.is_some()
        {
            return Ok(known.image_id.clone());
        }
        let reference = match &wanted.image {
            ReleaseImage::Built { tag } => tag,
            ReleaseImage::Pulled { image } => image,
        };
        let image = self.engine.image(reference.as_str()).await?;
        image.map(|image| image.id).ok_or_else(|| {
            StepFailure::new(
                "IMAGE_MISSING",
                format!("image {reference} is not on this server; its build or pull step must come first"),
            )
        })
    }

    /// What the container of a release does now.
    pub(in crate::steps) async fn container_of(
        &self,
        release: &ReleaseRecord,
    ) -> Result<Option<ContainerState>, StepFailure> {
        Ok(self.engine.container(&release.container).await?)
    }

    /// Stops the container of a release.
    pub(in crate::steps) async fn stop(&self, release: &ReleaseRecord) -> Result<(), StepFailure> {
        candidate::stop_old(self, Some(release)).await
    }

    pub(super) async fn say(&self, text: &str) {
        self.context.log.line(text).await;
    }
}

fn commit(record: &mut ServiceRecord, release: ReleaseId) {
    record.live = Some(release);
    record.stopped = false;
    if let Some(at) = record.releases.iter().position(|known| known.spec.release == release) {
        let mut known = record.releases.remove(at);
        known.was_live = true;
        record.releases.push(known);
    }
}
