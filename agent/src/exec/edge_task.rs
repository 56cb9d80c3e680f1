//! Keeps the public side up without anybody asking: after a reboot, after a crash of the proxy, before certificates end.
//!
//! Rule: traffic comes first, so a failure is a warning and the next try an hour later. Where the units are installed,
//! the executor has no network and `hydron-renew.timer` does this instead. Neighbours: `edge`, `commands` (`edge`).

use std::time::Duration;

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
    let paths = EdgePaths::of(&root);
    if let Err(error) = Authority::open(&paths, clock.now()) {
        tracing::warn!(%error, "the site authority could not be made");
    }
    let somebody_else_does = edge::has_unit(&paths);
    AbortOnDropHandle::new(tokio::spawn(async move {
        if somebody_else_does {
            return;
        }
        loop {
            if let Err(error) =
                edge::ensure_running(&root, &config, &spawner::outside_runs(), clock.now()).await
            {
                tracing::warn!(%error, "the public side could not be looked after");
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }))
}
