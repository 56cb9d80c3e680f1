//! From start to end of the process: which tasks run, and how they stop.
//!
//! Rule: two stages. The first signal asks everything to come to an end; a second one, or thirty seconds, ends it.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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
    broken: Arc<AtomicBool>,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Every task came to its end.
    Orderly,
    /// Some were cut off.
    CutOff,
    /// A task ended that should not have.
    Broken,
}

/// Goes with its task, also by a panic.
struct Guard {
    name: &'static str,
    stopping: CancellationToken,
    broken: Arc<AtomicBool>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.stopping.is_cancelled() {
            tracing::error!(task = self.name, "a task ended that should not; stopping");
            self.broken.store(true, Ordering::Relaxed);
            self.stopping.cancel();
        }
    }
}

impl Lifecycle {
    /// Stops when `stopping` is cancelled.
    pub fn new(stopping: CancellationToken) -> Self {
        Self { stopping, tasks: TaskTracker::new(), broken: Arc::default() }
    }

    /// Runs a task that ends by itself soon after `stopping`. If it ends before, the process stops: half a coordinator
    /// is worse than none, and whoever supervises starts it again.
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let guard = Guard { name, stopping: self.stopping.clone(), broken: self.broken.clone() };
        self.tasks.spawn(async move {
            let _guard = guard;
            task.await;
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
        Ok(if self.broken.load(Ordering::Relaxed) { Ended::Broken } else { ended })
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
        assert_eq!(ended.expect("it stops").unwrap(), Ended::Broken);
    }
}
