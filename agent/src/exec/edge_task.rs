//! Keeps the public side up without anybody asking: after a reboot, after a crash of the proxy, before certificates end.
//!
//! Rule: traffic comes first, so a failure is a warning and is tried again. Where the units are installed, the executor
//! has no network: systemd starts the proxy again and `hydron-renew.timer` renews. Neighbours: `edge`, `commands` (`edge`).

use std::time::Duration;

use tokio_util::task::AbortOnDropHandle;

use crate::clock::Clock;
use crate::config::StepConfig;
use crate::edge::{self, Authority, EdgePaths};
use crate::host::spawner;
use crate::root::Root;

/// Between two looks at what is due.
const LOOK_EVERY: Duration = Duration::from_hours(1);
/// Between two looks at whether the proxy is there: one small file and one line of /proc.
const ALIVE_EVERY: Duration = Duration::from_secs(2);
/// Longest pause after a failure.
const AFTER_FAILURE: Duration = Duration::from_mins(5);

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
        let mut again = ALIVE_EVERY;
        loop {
            match edge::ensure_running(&root, &config, &spawner::outside_runs(), clock.now()).await {
                Ok(()) => {
                    again = ALIVE_EVERY;
                    let _looked_in_time = tokio::time::timeout(LOOK_EVERY, gone(&paths)).await;
                }
                Err(error) => {
                    tracing::warn!(%error, "the public side could not be looked after");
                    tokio::time::sleep(again).await;
                    again = (again * 2).min(AFTER_FAILURE);
                }
            }
        }
    }))
}

/// Waits until there should be a proxy, and is none.
async fn gone(paths: &EdgePaths) {
    loop {
        tokio::time::sleep(ALIVE_EVERY).await;
        if !edge::is_running(paths) && paths.current().exists() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_proxy_is_missed_only_where_there_should_be_one() {
        let directory = tempfile::tempdir().unwrap();
        let paths = EdgePaths::of(&Root::new(directory.path()));
        let missed = || tokio::time::timeout(LOOK_EVERY, gone(&paths));
        assert!(missed().await.is_err());
        std::fs::create_dir_all(paths.current().parent().unwrap()).unwrap();
        std::fs::write(paths.current(), "").unwrap();
        assert!(missed().await.is_ok());
    }
}
