//! Operations on what runs: the closed list of the plan, nothing else.
//!
//! Rule: only services and releases that this server has recorded; what changes a service holds it, and ends an unfinished
//! swap first.

use hydron_proto::ids::{ReleaseId, ServiceId};
use hydron_proto::names::Hostname;
use hydron_proto::plan::{EnvVar, Operation, ReleaseSpec, StepResult};

use super::release::record::{FileLedger, ReleaseRecord, ServiceRecord};
use super::release::{Machine, point, settle, start_again, swap};
use super::{Applied, lock, release};
use crate::docker::Engine;
use crate::edge::EdgePaths;
use crate::step_context::{StepContext, StepFailure};

/// Most lines of a container that are shown.
const MOST_LINES: u32 = 10_000;
/// Most bytes of them.
const MOST_BYTES: usize = 8 << 20;

pub(super) async fn apply(wanted: &Operation, context: &StepContext<'_>) -> Result<Applied, StepFailure> {
    match wanted {
        // Stop-first for all: the same container, the same address, "back in a moment" in between.
        Operation::Restart { service } => {
            let _held = lock::service(*service, context).await?;
            stop(*service, context).await?;
            start(*service, context).await
        }
        Operation::Stop { service } => {
            let _held = lock::service(*service, context).await?;
            stop(*service, context).await
        }
        Operation::Start { service } => {
            let _held = lock::service(*service, context).await?;
            start(*service, context).await
        }
        Operation::Rollback { service, release, secrets: _ } => roll_back(*service, *release, context).await,
        // Which secrets they are, `logs` compares; their values are in the context, whose log takes them out.
        Operation::Logs { service, lines, secrets: _ } => logs(*service, *lines, context).await,
        Operation::Inventory {} => inventory(context).await,
    }
}

async fn stop(service: ServiceId, context: &StepContext<'_>) -> Result<Applied, StepFailure> {
    settle(service, context).await?;
    let live = live(service, context)?;
    let ledger = FileLedger(context.root);
    let mut machine = Machine::open(service, &live.spec.network, context, &ledger).await?;
    let noted = machine.record().stopped;
    let runs = machine.container_of(&live).await?.is_some_and(|container| container.running);
    // Written first: after a crash the service is stopped for good, never half. So the note alone says nothing yet about
    // the container and the route: both are looked at, however often this is repeated.
    if !noted {
        machine.save(|record| record.stopped = true)?;
    }
    let pointed = point(&machine, &live, None).await?;
    if noted && !runs && !pointed {
        return Ok(Applied::unchanged(StepResult::Done {}));
    }
    context.doing.set(format!("Stopping {}", live.spec.name));
    if runs {
        release::drain(&machine, Some(&live)).await?;
        machine.stop(&live).await?;
    }
    context.log.line(&format!("{} is stopped; its routes answer 503", live.spec.name)).await;
    Ok(Applied::changed(StepResult::Done {}))
}

async fn start(service: ServiceId, context: &StepContext<'_>) -> Result<Applied, StepFailure> {
    settle(service, context).await?;
    let live = live(service, context)?;
    let ledger = FileLedger(context.root);
    let mut machine = Machine::open(service, &live.spec.network, context, &ledger).await?;
    context.doing.set(format!("Starting {}", live.spec.name));
    if machine.container_of(&live).await?.is_none() {
        return Err(StepFailure::new(
            "CONTAINER_MISSING",
            format!("the container of {} is gone; redeploy the service", live.spec.name),
        ));
    }
    start_again(&machine, &live).await?;
    machine.save(|record| record.stopped = false)?;
    point(&machine, &live, live.socket()).await?;
    Ok(Applied::changed(StepResult::Done {}))
}

/// The same swap as a release, from the recorded configuration and the recorded image.
async fn roll_back(
    service: ServiceId,
    target: ReleaseId,
    context: &StepContext<'_>,
) -> Result<Applied, StepFailure> {
    let record = ServiceRecord::read(context.root, service)?;
    let known = record.as_ref().and_then(|record| record.release(target)).filter(|release| release.was_live);
    let spec: ReleaseSpec = known.map(|release| release.spec.clone()).ok_or_else(|| {
        StepFailure::new(
            "RELEASE_UNKNOWN",
            format!(
                "release {target} was never live here, or is too old to be kept; redeploy its commit instead"
            ),
        )
    })?;
    swap(&spec, context, &FileLedger(context.root)).await
}

async fn logs(service: ServiceId, lines: u32, context: &StepContext<'_>) -> Result<Applied, StepFailure> {
    let live = live(service, context)?;
    let mut printed = live.spec.env.iter().flat_map(EnvVar::secrets);
    // A release came in between. Without its secrets what it printed could not be told from them.
    if printed.any(|secret| !context.secrets.contains_key(secret)) {
        return Err(StepFailure::new(
            "SECRETS_CHANGED",
            format!("{} has other secrets by now; ask for its output again", live.spec.name),
        ));
    }
    let engine = Engine::connect(&context.config.docker_socket).await?;
    let output = engine.container_log(&live.container, lines.min(MOST_LINES), MOST_BYTES).await?;
    context.log.bytes(&output).await;
    Ok(Applied::changed(StepResult::Done {}))
}

async fn inventory(context: &StepContext<'_>) -> Result<Applied, StepFailure> {
    let engine = Engine::connect(&context.config.docker_socket).await?;
    let mut items = Vec::new();
    for record in ServiceRecord::all(context.root)? {
        let state = match (&record.swap, record.stopped, record.live) {
            (Some(swap), _, _) => format!("swapping to {}", swap.release),
            (None, true, _) => "stopped".to_owned(),
            (None, false, Some(live)) => format!("live {live}"),
            (None, false, None) => "not live".to_owned(),
        };
        items.push(format!("service {} {state}", record.service));
    }
    for (name, _, state) in engine.containers_with_label("hydron.service").await? {
        items.push(format!("container {name} {state}"));
    }
    for image in engine.images_with_label("hydron.project").await? {
        items.push(format!("image {image} present"));
    }
    let state: Option<crate::edge::EdgeState> =
        crate::record::read_json(&EdgePaths::of(context.root).current().join("state.json"))?;
    for (name, site) in state.into_iter().flat_map(|state| state.sites) {
        let hosts: Vec<&str> = site.hosts.iter().map(Hostname::as_str).collect();
        items.push(format!("site {name} {}", hosts.join(",")));
    }
    Ok(Applied::changed(StepResult::Inventory { items }))
}

fn live(service: ServiceId, context: &StepContext<'_>) -> Result<ReleaseRecord, StepFailure> {
    let record = ServiceRecord::read(context.root, service)?;
    record.as_ref().and_then(ServiceRecord::live_release).cloned().ok_or_else(|| {
        StepFailure::new("SERVICE_UNKNOWN", format!("service {service} has no live release on this server"))
    })
}
