//! The rolling swap of one service: candidate beside old, health, switch, confirm, probe, bake, drain, stop.
//!
//! Rule: until the new release is live, the old one can serve at any moment; from then on there is only forward.
//! Every stage is written down before it is done, so that a crash anywhere ends in one of the two.
//! Neighbours: `record` (what is kept), `machine` (the order of stages), `candidate`, `health`, `traffic` (the hands).

mod candidate;
mod health;
mod machine;
pub mod record;
mod traffic;

use hydron_proto::plan::{ReleaseSpec, StepResult};

pub(super) use self::machine::{Machine, settle};
use self::record::{FileLedger, Ledger, ReleaseRecord, ServiceRecord};
pub(super) use self::traffic::{drain, point, start_again};
use super::{Applied, lock};
use crate::docker::Engine;
use crate::step_context::{Check, StepContext, StepFailure};

pub(super) async fn check(wanted: &ReleaseSpec, context: &StepContext<'_>) -> Result<Check, StepFailure> {
    let Some(known) = ServiceRecord::read(context.root, wanted.service)? else { return Ok(Check::Needed) };
    if known.swap.is_some() || known.live != Some(wanted.release) {
        return Ok(Check::Needed);
    }
    let Some(live) = known.live_release() else { return Ok(Check::Needed) };
    let engine = Engine::connect(&context.config.docker_socket).await?;
    let runs = engine.container(&live.container).await?.is_some_and(|container| container.running);
    Ok(if runs { Check::AlreadyDone(released(live, None)) } else { Check::Needed })
}

pub(super) async fn apply(wanted: &ReleaseSpec, context: &StepContext<'_>) -> Result<Applied, StepFailure> {
    swap(wanted, context, &FileLedger(context.root)).await
}

/// Brings a release live, its stages kept in `ledger`.
pub async fn swap(
    wanted: &ReleaseSpec,
    context: &StepContext<'_>,
    ledger: &dyn Ledger,
) -> Result<Applied, StepFailure> {
    let _held = lock::service(wanted.service, context).await?;
    if let Check::AlreadyDone(result) = check(wanted, context).await? {
        context.log.line(&format!("{} already runs release {}", wanted.name, wanted.release)).await;
        return Ok(Applied::unchanged(result));
    }
    let mut machine = Machine::open(wanted.service, &wanted.network, context, ledger).await?;
    let left = machine.record().swap.clone();
    machine.settle_other(Some(wanted.release)).await?;
    if let (Some(left), Check::AlreadyDone(_)) = (left, check(wanted, context).await?) {
        let live = machine.record().live_release().ok_or_else(|| lost(wanted))?;
        return Ok(Applied::changed(released(live, left.previous)));
    }
    let previous = machine.begin(wanted).await?;
    machine.run().await?;
    let live = machine.record().live_release().ok_or_else(|| lost(wanted))?;
    Ok(Applied::changed(released(live, previous)))
}

pub(super) async fn undo(wanted: &ReleaseSpec, context: &StepContext<'_>) -> Result<(), StepFailure> {
    let _held = lock::service(wanted.service, context).await?;
    settle(wanted.service, context).await
}

/// What the coordinator records about a live release.
pub(super) fn released(live: &ReleaseRecord, previous: Option<hydron_proto::ids::ReleaseId>) -> StepResult {
    StepResult::Released {
        service: live.spec.service,
        release: live.spec.release,
        previous,
        image_id: live.image_id.clone(),
        container: live.container.clone(),
        address: live.address.to_string(),
    }
}

fn lost(wanted: &ReleaseSpec) -> StepFailure {
    StepFailure::new("RELEASE_LOST", format!("release {} is not recorded after its swap", wanted.release))
}
