//! Keeps the desired state and changes it: one writer, numbered generations, back when a change does not serve.
//!
//! Rule: the link `current` is the only truth, and it moves once: to a validated generation. The state lies inside the
//! generation's directory, so state and configuration can never disagree.

use std::path::Path;
use std::time::{Duration, SystemTime};

use nix::fcntl::{Flock, FlockArg};

use super::{Authority, EdgeError, EdgePaths, EdgeProxy, EdgeState, Nginx, SiteCertificate};
use crate::config::StepConfig;
use crate::record::{self, RecordError};
use crate::root::Root;
use crate::step_context::CgroupSpawner;

/// Generations that stay on disk, the serving one included.
const KEPT: usize = 5;
/// How long a reload may take to be confirmed (measured: 150 ms; seconds with a thousand sites).
const CONFIRM_WITHIN: Duration = Duration::from_secs(30);

/// The edge of one agent.
#[derive(Debug)]
pub struct Edge<P> {
    paths: EdgePaths,
    ports: [u16; 2],
    proxy: P,
}

/// Whether a change made a new generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The state that serves now.
    pub state: EdgeState,
    /// False when everything was as wanted already.
    pub changed: bool,
}

/// After a reboot or a crash: makes the recorded state serve again. Nothing happens while there are no sites.
/// Certificates that are due are renewed.
pub async fn ensure_running(
    root: &Root,
    config: &StepConfig,
    spawner: &dyn CgroupSpawner,
    now: SystemTime,
) -> Result<(), EdgeError> {
    let paths = EdgePaths::of(root);
    if read_current(&paths)?.is_none_or(|state| state.sites.is_empty()) {
        return Ok(());
    }
    let edge = Edge::open(root, config, spawner).await?;
    if let Err(error) = edge.proxy.rotate_logs() {
        tracing::warn!(%error, "the proxy's log files could not be put aside");
    }
    edge.change(|state| edge.renew_due(state, now)).await?;
    edge.serve().await
}

impl<'a> Edge<Nginx<'a>> {
    /// The edge of a root, driven by nginx.
    pub async fn open(
        root: &Root,
        config: &StepConfig,
        spawner: &'a dyn CgroupSpawner,
    ) -> Result<Self, EdgeError> {
        let paths = EdgePaths::of(root);
        paths.prepare()?;
        let ports = [config.http_port, config.https_port];
        let proxy = Nginx::find(paths.clone(), ports, spawner).await?;
        Ok(Self { paths, ports, proxy })
    }
}

impl<P: EdgeProxy> Edge<P> {
    /// Where things lie.
    pub fn paths(&self) -> &EdgePaths {
        &self.paths
    }

    /// The driver.
    pub fn proxy(&self) -> &P {
        &self.proxy
    }

    /// The state that serves; an empty one before the first.
    pub fn state(&self) -> Result<EdgeState, EdgeError> {
        let token = format!("{:032x}", rand::random::<u128>());
        let [http, https] = self.ports;
        Ok(match read_current(&self.paths)? {
            Some(state) => EdgeState { http_port: http, https_port: https, ..state },
            None => EdgeState::empty(http, https, token),
        })
    }

    /// Changes the state and waits until the change serves. An error means: nothing has changed.
    pub async fn change(
        &self,
        edit: impl FnOnce(&mut EdgeState) -> Result<(), EdgeError>,
    ) -> Result<Changed, EdgeError> {
        let _lock = self.lock().await?;
        let before = self.state()?;
        let mut after = before.clone();
        edit(&mut after)?;
        let answers = self.proxy.status().await.generation == Some(before.generation);
        if before.generation > 0 && answers && after.same_traffic(&before) && self.is_written(&before) {
            return Ok(Changed { state: before, changed: false });
        }
        after.generation = self.next_generation(before.generation);
        self.stage(&after)?;
        self.proxy.validate(after.generation).await?;
        self.switch(&before, &after).await?;
        self.forget_old(after.generation);
        Ok(Changed { state: after, changed: true })
    }

    /// The state, when it serves and an edit would not change it.
    pub async fn serving(
        &self,
        edit: impl FnOnce(&mut EdgeState) -> Result<(), EdgeError>,
    ) -> Result<Option<EdgeState>, EdgeError> {
        let state = self.state()?;
        let mut edited = state.clone();
        edit(&mut edited)?;
        let answers = self.proxy.status().await.generation == Some(state.generation);
        Ok((state.generation > 0 && answers && edited.same_traffic(&state)).then_some(state))
    }

    /// Makes the current generation serve, whatever runs now.
    async fn serve(&self) -> Result<(), EdgeError> {
        let _lock = self.lock().await?;
        let state = self.state()?;
        if state.generation == 0 || self.proxy.status().await.generation == Some(state.generation) {
            return Ok(());
        }
        tracing::warn!(
            generation = state.generation,
            "the proxy does not serve what it should; it is made to"
        );
        self.proxy.apply().await?;
        self.proxy.confirm(state.generation, CONFIRM_WITHIN).await
    }

    async fn switch(&self, before: &EdgeState, after: &EdgeState) -> Result<(), EdgeError> {
        self.point(after.generation)?;
        let served = match self.proxy.apply().await {
            Ok(()) => self.proxy.confirm(after.generation, CONFIRM_WITHIN).await,
            Err(error) => Err(error),
        };
        let Err(failure) = served else { return Ok(()) };
        if before.generation > 0 {
            self.point(before.generation)?;
            self.proxy.rollback().await?;
        } else {
            let _ = std::fs::remove_file(self.paths.current());
        }
        Err(failure)
    }

    fn point(&self, generation: u64) -> Result<(), RecordError> {
        record::point(&self.paths.current(), Path::new(&format!("generations/{generation}")))
    }

    fn stage(&self, state: &EdgeState) -> Result<(), RecordError> {
        let directory = self.paths.generation(state.generation);
        // Remains of a change that never served.
        let _ = std::fs::remove_dir_all(&directory);
        record::directory(&directory.join("sites"), 0o700)?;
        for (name, content) in self.proxy.render(state) {
            record::replace(&directory.join(name), content.as_bytes(), 0o600)?;
        }
        record::replace_json(&directory.join("state.json"), state)
    }

    /// Whether the serving files are what this version of the agent would write.
    fn is_written(&self, state: &EdgeState) -> bool {
        let directory = self.paths.generation(state.generation);
        self.proxy.render(state).iter().all(|(name, content)| {
            std::fs::read_to_string(directory.join(name)).is_ok_and(|found| found == *content)
        })
    }

    fn generations(&self) -> Vec<u64> {
        let entries = std::fs::read_dir(self.paths.generations()).into_iter().flatten().flatten();
        let mut numbers: Vec<u64> = entries.filter_map(|e| e.file_name().to_str()?.parse().ok()).collect();
        numbers.sort_unstable();
        numbers
    }

    fn next_generation(&self, current: u64) -> u64 {
        self.generations().last().copied().unwrap_or(0).max(current) + 1
    }

    fn forget_old(&self, current: u64) {
        let old: Vec<u64> = self.generations().into_iter().filter(|number| *number != current).collect();
        for number in old.iter().rev().skip(KEPT - 1) {
            let _ = std::fs::remove_dir_all(self.paths.generation(*number));
        }
    }

    /// Waits for the lock without blocking the thread.
    async fn lock(&self) -> Result<Flock<std::fs::File>, EdgeError> {
        let path = self.paths.lock();
        let io = |reason| EdgeError::Record(RecordError::Io { path: path.clone(), reason });
        loop {
            let file = std::fs::File::create(&path).map_err(io)?;
            match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                Ok(lock) => return Ok(lock),
                Err((_, nix::errno::Errno::EWOULDBLOCK)) => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                Err((_, error)) => return Err(io(error.into())),
            }
        }
    }

    fn renew_due(&self, state: &mut EdgeState, now: SystemTime) -> Result<(), EdgeError> {
        let authority = Authority::open(&self.paths, now)?;
        for (name, site) in &mut state.sites {
            let current = SiteCertificate::of_site(&self.paths, name)?;
            if !current.is_some_and(|certificate| certificate.serves(&site.hosts, now)) {
                site.certificate = authority.issue(&self.paths, name, &site.hosts, now)?.paths;
            }
        }
        Ok(())
    }
}

fn read_current(paths: &EdgePaths) -> Result<Option<EdgeState>, RecordError> {
    record::read_json(&paths.current().join("state.json"))
}
