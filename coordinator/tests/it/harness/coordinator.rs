//! A coordinator in this process, on port 0, with its own directory and database, gone when dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use hydron_coordinator::app::AppState;
use hydron_coordinator::clock::{Clock, SystemClock, SystemEntropy};
use hydron_coordinator::config::{Config, PasswordCost, Settings};
use hydron_coordinator::serve::Coordinator;
use hydron_store::Location;
use hydron_store::testing::{Engine, fresh_location};
use tempfile::TempDir;

use super::Caller;

/// A clock that tests move.
#[derive(Debug)]
pub(crate) struct ManualClock(AtomicI64);

impl ManualClock {
    pub(crate) fn advance(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// A running coordinator.
pub(crate) struct TestCoordinator {
    pub(crate) app: AppState,
    pub(crate) base: String,
    pub(crate) setup_link: Option<String>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) config: Config,
    pub(crate) dir: Arc<TempDir>,
    running: Option<tokio::task::JoinHandle<()>>,
}

impl TestCoordinator {
    /// Starts one on a fresh database; none if the engine is not there to be tested.
    pub(crate) async fn start(engine: Engine) -> Option<Self> {
        let (location, dir) = fresh_location(engine).await?;
        let clock = Arc::new(ManualClock(AtomicI64::new(SystemClock.now_ms())));
        Some(Self::start_with(config(&location, &dir), clock, Arc::new(dir)).await)
    }

    /// Starts one with these settings: a second replica, or the same one again.
    pub(crate) async fn start_with(config: Config, clock: Arc<ManualClock>, dir: Arc<TempDir>) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let started = Coordinator::start(config.clone(), clock.clone(), Arc::new(SystemEntropy)).await;
        let coordinator = started.expect("the coordinator starts");
        let app = coordinator.app.clone();
        let base = format!("https://localhost:{}", coordinator.address.port());
        let setup_link = coordinator.setup_link.as_ref().map(|link| link.as_str().to_owned());
        let running = tokio::spawn(async move {
            coordinator.run().await.expect("the coordinator runs");
        });
        Self { app, base, setup_link, clock, config, dir, running: Some(running) }
    }

    /// Somebody who has not signed in.
    pub(crate) fn nobody(&self) -> Caller {
        Caller::new(&self.base, self.app.ca.pem())
    }

    /// Stops in an orderly way and waits for it.
    pub(crate) async fn stop(mut self) {
        self.app.stopping.cancel();
        if let Some(running) = self.running.take() {
            running.await.expect("the coordinator ends in an orderly way");
        }
    }
}

impl Drop for TestCoordinator {
    fn drop(&mut self) {
        self.app.stopping.cancel();
    }
}

fn config(location: &Location, dir: &TempDir) -> Config {
    let settings = Settings {
        data_dir: Some(dir.path().to_owned()),
        database_url: match location {
            Location::Sqlite(_) => None,
            Location::Postgres(url) => Some(url.clone()),
        },
        listen: Some("127.0.0.1:0".parse().unwrap()),
        agents_listen: Some("127.0.0.1:0".parse().unwrap()),
        allow_private_sources: Some(true),
        password_cost: Some(PasswordCost::Floor),
        ..Settings::default()
    };
    let mut config = settings.check(None).expect("the tests' settings are right");
    // This test program cannot confine itself and become git; the real binary can.
    config.sources.confiner = Some(env!("CARGO_BIN_EXE_hydron").into());
    config.sources.extra_ca = Some(dir.path().join("git/ca.pem"));
    config
}
