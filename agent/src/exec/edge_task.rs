//! Keeps the public side up without anybody asking: after a reboot, after a crash of the proxy, before certificates end.
//!
//! Rule: traffic comes first, so a failure is a warning and the next try an hour later. Neighbour: `edge`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio_util::task::AbortOnDropHandle;

use crate::clock::Clock;
use crate::config::StepConfig;
use crate::edge::{self, Authority, EdgePaths};
use crate::host::spawner;
use crate::root::Root;

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_hours(1);

/// Makes the site authority, so that the facts can name it, and starts looking after the proxy.
pub(super) fn start(root: Root, config: StepConfig, clock: Clock) -> AbortOnDropHandle<()> {
    if let Err(error) = Authority::open(&EdgePaths::of(&root), now(clock)) {
        tracing::warn!(%error, "the site authority could not be made");
    }
    AbortOnDropHandle::new(tokio::spawn(async move {
        loop {
            if let Err(error) = look(&root, &config, clock).await {
                tracing::warn!(%error, "the public side could not be looked after");
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }))
}

async fn look(root: &Root, config: &StepConfig, clock: Clock) -> Result<(), edge::EdgeError> {
    edge::ensure_running(root, config, &spawner::of_executor(), now(clock)).await
}

fn now(clock: Clock) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(clock.unix_ms()).unwrap_or_default())
}
