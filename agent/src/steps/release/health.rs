//! Whether a candidate may serve: asked from the host, at its own address, several times in a row.
//!
//! Rule: nothing inside the image is needed; a container that ended or was started again is not well.

use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use hydron_proto::plan::HealthKind;
use tokio::time::Instant;

use super::machine::Machine;
use super::record::ReleaseRecord;
use crate::edge::ask_tcp;
use crate::step_context::StepFailure;
use crate::steps::failure::unless_cancelled;

/// Longest wait for one answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// How long a service without a port has to stay up.
const STAYS_UP: Duration = Duration::from_secs(10);
/// Failed checks in a row that end the watch under real traffic.
const BAKE_FAILURES: u8 = 3;

/// Waits until the candidate is healthy, at most as long as its plan says.
pub(super) async fn wait(machine: &Machine<'_>, new: &ReleaseRecord) -> Result<(), StepFailure> {
    machine.context.doing.set(format!("Waiting for {} to be healthy", new.spec.name));
    unless_cancelled(machine.context, until_healthy(machine, new)).await
}

/// Watches the new release while it serves.
pub(super) async fn bake(machine: &Machine<'_>, new: &ReleaseRecord) -> Result<(), StepFailure> {
    if new.spec.bake_s == 0 {
        return Ok(());
    }
    machine.context.doing.set(format!("Watching {} for {} s", new.spec.name, new.spec.bake_s));
    unless_cancelled(machine.context, async {
        let until = Instant::now() + Duration::from_secs(u64::from(new.spec.bake_s));
        let mut failures = 0;
        while Instant::now() < until {
            still_runs(machine, new).await?;
            failures = if ask(new).await.is_ok() { 0 } else { failures + 1 };
            if failures == BAKE_FAILURES {
                return Err(StepFailure::new(
                    "UNHEALTHY",
                    format!("{} was healthy and then failed {BAKE_FAILURES} checks in a row", new.container),
                ));
            }
            tokio::time::sleep(Duration::from_secs(1).min(until.saturating_duration_since(Instant::now())))
                .await;
        }
        Ok(())
    })
    .await
}

async fn until_healthy(machine: &Machine<'_>, new: &ReleaseRecord) -> Result<(), StepFailure> {
    let health = &new.spec.health;
    let began = Instant::now();
    let deadline = Duration::from_secs(u64::from(health.deadline_s));
    let mut in_a_row = 0;
    let mut last = String::new();
    loop {
        still_runs(machine, new).await?;
        match ask(new).await {
            Ok(()) => in_a_row += 1,
            Err(reason) => {
                in_a_row = 0;
                if reason != last {
                    machine.say(&format!("not healthy yet: {reason}")).await;
                    last = reason;
                }
            }
        }
        let settled = !matches!(health.check, HealthKind::Running {}) || began.elapsed() >= STAYS_UP;
        if in_a_row >= health.successes.max(1) && settled {
            machine
                .say(&format!("{} is healthy after {:.1} s", new.container, began.elapsed().as_secs_f32()))
                .await;
            return Ok(());
        }
        if began.elapsed() >= deadline.max(if settled { Duration::ZERO } else { STAYS_UP }) {
            return Err(StepFailure::new(
                "UNHEALTHY",
                format!("{} was not healthy within {} s: {last}", new.container, health.deadline_s),
            ));
        }
        tokio::time::sleep(Duration::from_millis(u64::from(health.interval_ms.max(50)))).await;
    }
}

async fn still_runs(machine: &Machine<'_>, new: &ReleaseRecord) -> Result<(), StepFailure> {
    let ended = |code: i64, oom: bool| StepFailure {
        exit_code: i32::try_from(code).ok(),
        oom,
        ..StepFailure::new(
            "CONTAINER_ENDED",
            if oom {
                format!("{} used more memory than its limit and was ended", new.container)
            } else {
                format!("{} ended by itself with exit code {code}", new.container)
            },
        )
    };
    match machine.engine.container(&new.container).await? {
        Some(seen) if seen.running && seen.restarts == 0 => Ok(()),
        Some(seen) => Err(ended(seen.exit_code, seen.oom_killed)),
        None => {
            Err(StepFailure::new("CONTAINER_ENDED", format!("{} was removed by somebody", new.container)))
        }
    }
}

/// One check. The error is for a person.
pub(in crate::steps) async fn ask(release: &ReleaseRecord) -> Result<(), String> {
    let address = || release.socket().map(SocketAddr::V4).ok_or_else(|| "the release has no port".to_owned());
    match &release.spec.health.check {
        HealthKind::Running {} => Ok(()),
        HealthKind::Tcp {} => {
            let connect = tokio::net::TcpStream::connect(address()?);
            let connected = tokio::time::timeout(ANSWER_WITHIN, connect).await;
            connected.map_err(|_| "no connection".to_owned())?.map(drop).map_err(|error| error.to_string())
        }
        HealthKind::Http { path } => answers(release, address()?, path, 200..400).await,
        HealthKind::Answers { path } => answers(release, address()?, path, 100..500).await,
    }
}

async fn answers(
    release: &ReleaseRecord,
    address: SocketAddr,
    path: &str,
    well: Range<u16>,
) -> Result<(), String> {
    let answer = ask_tcp(address, release.spec.name.as_str(), path, ANSWER_WITHIN).await?;
    if well.contains(&answer.status) {
        Ok(())
    } else {
        Err(format!("GET {path} answers with status {}", answer.status))
    }
}
