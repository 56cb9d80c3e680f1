//! From start to end of the process: which tasks run, and how they stop.
//!
//! Rule: two stages. The first signal asks everything to come to an end; a second one, or thirty seconds, ends it.

use std::future::Future;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long an orderly end may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The tasks of the process.
#[derive(Debug, Clone)]
pub struct Lifecycle {
    stopping: CancellationToken,
    tasks: TaskTracker,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Every task came to its end.
    Orderly,
    /// Some were cut off.
    CutOff,
}

impl Lifecycle {
    /// Stops when `stopping` is cancelled.
    pub fn new(stopping: CancellationToken) -> Self {
        Self { stopping, tasks: TaskTracker::new() }
    }

    /// Runs a task that ends by itself soon after `stopping`. If it ends before, the process stops: half a coordinator
    /// is worse than none, and whoever supervises starts it again.
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let stopping = self.stopping.clone();
        // Also when it ends by a panic.
        let ended = stopping.clone().drop_guard();
        self.tasks.spawn(async move {
            let _ended = ended;
            task.await;
            if !stopping.is_cancelled() {
                tracing::error!(task = name, "a task ended that should not; stopping");
            }
        });
    }

    /// Waits for SIGTERM, SIGINT or a task's end; then for the tasks.
    pub async fn run(self) -> std::io::Result<Ended> {
        let (mut terminate, mut interrupt) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        tokio::select! {
            _ = terminate.recv() => tracing::info!("SIGTERM: stopping"),
            _ = interrupt.recv() => tracing::info!("SIGINT: stopping"),
            () = self.stopping.cancelled() => {}
        }
        self.stopping.cancel();
        self.tasks.close();
        let ended = tokio::select! {
            () = self.tasks.wait() => Ended::Orderly,
            _ = terminate.recv() => Ended::CutOff,
            _ = interrupt.recv() => Ended::CutOff,
            () = tokio::time::sleep(PATIENCE) => Ended::CutOff,
        };
        Ok(ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_panics_stops_the_process() {
        let lifecycle = Lifecycle::new(CancellationToken::new());
        lifecycle.spawn("broken", async { panic!("as a bug would") });
        let stopping = lifecycle.stopping.clone();
        lifecycle.spawn("well", async move { stopping.cancelled().await });
        let ended = tokio::time::timeout(Duration::from_secs(10), lifecycle.run()).await;
        assert_eq!(ended.expect("it stops").unwrap(), Ended::Orderly);
    }
}
