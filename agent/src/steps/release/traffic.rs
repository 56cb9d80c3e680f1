//! Where visitors' requests go during a swap. A service that no site routes to is left alone here.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::{Duration, SystemTime};

use hydron_proto::plan::{HealthKind, ReleaseOrder};

use super::machine::Machine;
use super::record::ReleaseRecord;
use super::{candidate, health};
use crate::edge::{Authority, Edge, EdgePaths, EdgeState, ask_tls, drained};
use crate::record::read_json;
use crate::step_context::StepFailure;

/// Tries of the request through the proxy, half a second apart.
const PROBE_TRIES: usize = 10;
const PROBE_WITHIN: Duration = Duration::from_secs(10);
/// How long the old release may take to be healthy again, in checks a second apart.
const RESTART_CHECKS: usize = 60;

/// Stop-first: visitors get "back in a moment", the old one finishes its requests and stops.
pub(super) async fn make_way(
    machine: &Machine<'_>,
    new: &ReleaseRecord,
    old: Option<&ReleaseRecord>,
) -> Result<(), StepFailure> {
    machine.say("one replica with a volume: the old release stops before the new one starts").await;
    point(machine, new, None).await?;
    drain(machine, old).await?;
    candidate::stop_old(machine, old).await
}

/// The proxy sends new requests to the candidate, confirmed.
pub(super) async fn switch(machine: &Machine<'_>, new: &ReleaseRecord) -> Result<(), StepFailure> {
    machine.context.doing.set(format!("Switching traffic to {}", new.container));
    health::ask(new).await.map_err(|reason| {
        StepFailure::new(
            "UNHEALTHY",
            format!("{} stopped being healthy before the switch: {reason}", new.container),
        )
    })?;
    point(machine, new, new.socket()).await.map(drop)
}

/// A request through the proxy must be answered by the candidate.
pub(super) async fn probe(machine: &Machine<'_>, new: &ReleaseRecord) -> Result<(), StepFailure> {
    let (Some(state), Some(address)) = (routed(machine, new)?, new.socket()) else { return Ok(()) };
    let Some((host, prefix)) = state.public_place(new.spec.service) else { return Ok(()) };
    let authority = Authority::open(&EdgePaths::of(machine.context.root), SystemTime::now())?;
    let proxy = SocketAddr::from((Ipv4Addr::LOCALHOST, state.https_port));
    let (path, strict) = public_check(new, prefix);
    let mut last = String::new();
    for _ in 0..PROBE_TRIES {
        let token = Some(state.probe_token.as_str());
        let asked = ask_tls(proxy, host.as_str(), path, authority.pem(), token, PROBE_WITHIN).await;
        last = match asked {
            Ok(answer) => {
                let right_one =
                    answer.answered_by.as_deref().is_some_and(|by| by.ends_with(&address.to_string()));
                let well = if strict { (200..400).contains(&answer.status) } else { answer.status < 500 };
                if right_one && well {
                    machine.say(&format!("https://{host}{path} answers with status {}", answer.status)).await;
                    return Ok(());
                }
                format!("status {} from {}", answer.status, answer.answered_by.as_deref().unwrap_or("nobody"))
            }
            Err(reason) => reason,
        };
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Err(StepFailure::new(
        "PROBE_FAILED",
        format!("{} is healthy by itself, but https://{host}{path} does not reach it: {last}", new.container),
    ))
}

/// Waits until the proxy has no connection to the old release, at most as long as its plan says.
pub(in crate::steps) async fn drain(
    machine: &Machine<'_>,
    old: Option<&ReleaseRecord>,
) -> Result<(), StepFailure> {
    let Some((old, address)) = old.and_then(|old| Some((old, old.socket()?))) else { return Ok(()) };
    machine.context.doing.set(format!("Letting {} finish its requests", old.container));
    let drained = drained(&[address], Duration::from_secs(u64::from(old.spec.drain_s))).await;
    let took = drained.took.as_millis();
    let said = match drained.left {
        0 => format!("{} has no connections left after {took} ms", old.container),
        left => format!("{} still has {left} connections after {took} ms; its time is over", old.container),
    };
    machine.say(&said).await;
    Ok(())
}

/// Back: the old release serves again, the candidate stops.
pub(super) async fn put_back(
    machine: &Machine<'_>,
    new: &ReleaseRecord,
    old: Option<&ReleaseRecord>,
) -> Result<(), StepFailure> {
    if new.spec.order == ReleaseOrder::StopFirst {
        stop_candidate(machine, new).await?;
        if let Some(old) = old {
            start_again(machine, old).await?;
        }
        return point(machine, new, old.and_then(ReleaseRecord::socket)).await.map(drop);
    }
    point(machine, new, old.and_then(ReleaseRecord::socket)).await?;
    drain(machine, Some(new)).await?;
    stop_candidate(machine, new).await
}

/// Starts the container of a release that was stopped, under its name, and waits for its health.
pub(in crate::steps) async fn start_again(
    machine: &Machine<'_>,
    release: &ReleaseRecord,
) -> Result<(), StepFailure> {
    machine.engine.run_container(&release.container).await?;
    candidate::name(machine, release).await?;
    let mut last = String::new();
    for _ in 0..RESTART_CHECKS {
        match health::ask(release).await {
            Ok(()) => {
                machine.say(&format!("{} serves again", release.container)).await;
                return Ok(());
            }
            Err(reason) => last = reason,
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Err(StepFailure::new(
        "UNHEALTHY",
        format!("{} was started again but is not healthy: {last}", release.container),
    ))
}

/// Points a routed service to an address, or to nobody. Says whether requests went elsewhere before.
pub(in crate::steps) async fn point(
    machine: &Machine<'_>,
    release: &ReleaseRecord,
    address: Option<SocketAddrV4>,
) -> Result<bool, StepFailure> {
    if routed(machine, release)?.is_none() {
        return Ok(false);
    }
    let service = release.spec.service;
    let edge = Edge::open(machine.context.root, machine.context.config, machine.context.cgroup).await?;
    let changed = edge
        .change(|state| {
            state.set_upstream(service, address);
            Ok(())
        })
        .await?;
    if changed.changed {
        let target = address.map_or_else(|| "nobody".to_owned(), |address| address.to_string());
        machine.say(&format!("generation {} sends requests to {target}", changed.state.generation)).await;
    }
    Ok(changed.changed)
}

async fn stop_candidate(machine: &Machine<'_>, new: &ReleaseRecord) -> Result<(), StepFailure> {
    if machine.engine.container(&new.container).await?.is_some() {
        machine.engine.detach(&machine.network.names(), &new.container).await?;
        machine.engine.stop_container(&new.container, new.spec.stop_grace_s).await?;
    }
    Ok(())
}

/// The proxy's state, when some site routes to the service of this release.
fn routed(machine: &Machine<'_>, release: &ReleaseRecord) -> Result<Option<EdgeState>, StepFailure> {
    let paths = EdgePaths::of(machine.context.root);
    let state: Option<EdgeState> = read_json(&paths.current().join("state.json"))?;
    Ok(state.filter(|state| state.public_place(release.spec.service).is_some()))
}

/// What to ask through the proxy: the health path where it is public, and then it must be well there too.
fn public_check<'r>(new: &'r ReleaseRecord, prefix: &'r str) -> (&'r str, bool) {
    match &new.spec.health.check {
        HealthKind::Http { path } if is_below(path, prefix) => (path, true),
        HealthKind::Http { .. }
        | HealthKind::Answers { .. }
        | HealthKind::Tcp {}
        | HealthKind::Running {} => (prefix, false),
    }
}

fn is_below(path: &str, prefix: &str) -> bool {
    prefix == "/"
        || path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
}
