//! The nginx driver: an instance of our own, beside whatever else the machine runs.
//!
//! Rule: exit codes are not believed. `nginx -t` and a reload both return 0 while the new configuration does not
//! serve (measured: a port taken by somebody else); only the control socket and the old workers' state count.

mod process;
mod render;
mod version;

use std::net::SocketAddrV4;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::unistd::{Gid, Group, Uid, User};

use self::process::Master;
use self::render::RenderSettings;
use self::version::NginxVersion;
use super::{Drained, EdgeError, EdgePaths, EdgeProxy, EdgeState, EdgeStatus, FileSet, ask, sockets, unit};
use crate::child;
use crate::step_context::CgroupSpawner;

/// How long a fresh start may take.
const START_WITHIN: Duration = Duration::from_secs(10);
/// How long dismissed workers may take to give their ports back.
const PORTS_WITHIN: Duration = Duration::from_secs(1);
/// A log file that is larger is put aside at the next look, bytes.
const MAX_LOG: u64 = 64 * 1024 * 1024;
/// Between two looks at something that is about to happen.
const LOOK_AGAIN: Duration = Duration::from_millis(25);
/// Distribution users under which workers run, in order of preference.
const WORKER_USERS: [&str; 3] = ["www-data", "nginx", "nobody"];

/// The installed nginx, ready to drive.
pub struct Nginx<'a> {
    settings: RenderSettings,
    ports: [u16; 2],
    spawner: &'a dyn CgroupSpawner,
    /// Workers that served before the last reload.
    replaced: std::sync::Mutex<Vec<u32>>,
}

impl std::fmt::Debug for Nginx<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Nginx").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl<'a> Nginx<'a> {
    /// Looks at what is installed.
    pub async fn find(
        paths: EdgePaths,
        ports: [u16; 2],
        spawner: &'a dyn CgroupSpawner,
    ) -> Result<Self, EdgeError> {
        let version = installed_version(spawner).await?.ok_or(EdgeError::NotInstalled)?;
        let as_root = Uid::effective().is_root();
        let worker = if as_root { worker_user() } else { None };
        if worker.is_some() {
            check_searchable(&paths)?;
        }
        if !render::path_is_plain(paths.prefix()) || !render::path_is_plain(paths.certs()) {
            return Err(EdgeError::Refused(format!(
                "the directory {} has characters that do not fit its configuration; choose another --root",
                paths.prefix().display()
            )));
        }
        let settings = RenderSettings { version, worker, ipv6: has_ipv6(), paths };
        Ok(Self { settings, ports, spawner, replaced: std::sync::Mutex::default() })
    }

    fn paths(&self) -> &EdgePaths {
        &self.settings.paths
    }

    fn arguments(&self, configuration: PathBuf) -> [std::ffi::OsString; 4] {
        ["-c".into(), configuration.into(), "-p".into(), self.paths().prefix().into()]
    }

    /// Starts it in its own unit or cgroup, where nothing that ends a run or the agent reaches it.
    async fn start(&self) -> Result<(), EdgeError> {
        process::dismiss_orphans(self.paths());
        self.wait_for_ports().await?;
        // Left behind by a crash, it would keep the new master from binding.
        let _ = std::fs::remove_file(self.paths().control_socket());
        let mut command = if unit::has_unit(self.paths()) {
            let mut systemctl = self.spawner.command("systemctl");
            systemctl.args(["start", unit::UNIT_NAME]);
            let ended = child::run_quiet(self.spawner, systemctl).await.map_err(EdgeError::Run)?;
            if !ended.status.success() {
                return Err(EdgeError::Refused(ended.output));
            }
            return Ok(());
        } else {
            self.spawner.command("nginx")
        };
        command
            .args(self.arguments(self.paths().configuration()))
            .args(["-g", "daemon off;"])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .kill_on_drop(false);
        self.spawner.spawn_daemon(&unit::daemon_name(self.paths()), &mut command).map_err(EdgeError::Run)?;
        Ok(())
    }

    /// Ports of workers that were just dismissed are free in a moment; those of others are not.
    async fn wait_for_ports(&self) -> Result<(), EdgeError> {
        let deadline = Instant::now() + PORTS_WITHIN;
        for port in self.ports {
            while let Some(by) = sockets::taken_by(port) {
                if Instant::now() > deadline {
                    return Err(EdgeError::PortInUse { port, by });
                }
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        }
        Ok(())
    }

    /// Puts log files aside that have grown large, so that visitors cannot fill the disk: one older file of each stays.
    /// (Debian's logrotate knows only the distribution's own nginx.) New workers get the new files from their master; asked by
    /// USR1, workers would open them themselves, and may not enter the directory.
    pub(in crate::edge) fn rotate_logs(&self) -> std::io::Result<()> {
        let mut moved = false;
        for path in [self.paths().access_log(), self.paths().error_log()] {
            if std::fs::metadata(&path).is_ok_and(|data| data.len() > MAX_LOG) {
                let mut older = path.clone().into_os_string();
                older.push(".1");
                std::fs::rename(&path, older)?;
                moved = true;
            }
        }
        match Master::running(self.paths()).filter(|_| moved) {
            Some(master) => Ok(master.reload()?),
            None => Ok(()),
        }
    }

    async fn answering_generation(&self) -> Option<u64> {
        let answer = ask::ask_unix(&self.paths().control_socket(), "/generation").await.ok()?;
        answer.text().trim().parse().ok()
    }

    fn last_errors(&self) -> String {
        let text = std::fs::read_to_string(self.paths().error_log()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().rev().take(3).collect();
        if lines.is_empty() {
            return format!("it does not answer; see {}", self.paths().error_log().display());
        }
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    fn remember_workers(&self, workers: Vec<u32>) {
        if let Ok(mut replaced) = self.replaced.lock() {
            *replaced = workers;
        }
    }

    fn workers_that_still_accept(&self) -> usize {
        let replaced = self.replaced.lock().map(|workers| workers.clone()).unwrap_or_default();
        replaced.into_iter().filter(|pid| process::accepts_connections(*pid)).count()
    }
}

impl EdgeProxy for Nginx<'_> {
    fn render(&self, state: &EdgeState) -> FileSet {
        render::render(&self.settings, state)
    }

    async fn validate(&self, generation: u64) -> Result<(), EdgeError> {
        let mut command = self.spawner.command("nginx");
        let configuration = self.paths().generation(generation).join("nginx.conf");
        command.arg("-t").arg("-q").args(self.arguments(configuration));
        let ended = child::run_quiet(self.spawner, command).await.map_err(EdgeError::Run)?;
        if ended.status.success() && !ended.output.contains("[warn]") {
            return Ok(());
        }
        Err(EdgeError::Refused(ended.output.trim().to_owned()))
    }

    async fn apply(&self) -> Result<(), EdgeError> {
        if let Some(master) = Master::running(self.paths()) {
            self.remember_workers(master.workers());
            return master.reload().map_err(|error| EdgeError::Run(error.into()));
        }
        self.remember_workers(Vec::new());
        self.start().await
    }

    async fn confirm(&self, generation: u64, within: Duration) -> Result<(), EdgeError> {
        let deadline = Instant::now() + within.max(START_WITHIN);
        loop {
            if self.answering_generation().await == Some(generation) && self.workers_that_still_accept() == 0
            {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(EdgeError::NotConfirmed { generation, reason: self.last_errors() });
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    async fn drain(&self, addresses: &[SocketAddrV4], within: Duration) -> Drained {
        sockets::drained(addresses, within).await
    }

    async fn rollback(&self) -> Result<(), EdgeError> {
        Master::running(self.paths())
            .map_or(Ok(()), |master| master.reload().map_err(|error| EdgeError::Run(error.into())))
    }

    async fn status(&self) -> EdgeStatus {
        let master = Master::running(self.paths());
        // Workers without a master still answer, but nothing could be changed any more: they do not count.
        let generation = if master.is_some() { self.answering_generation().await } else { None };
        EdgeStatus {
            version: Some(self.settings.version.to_string()),
            generation,
            draining: master.map_or(0, Master::draining_workers),
        }
    }
}

/// Whether the master of these paths is there. Cheap enough to be asked again and again.
pub fn is_running(paths: &EdgePaths) -> bool {
    Master::running(paths).is_some()
}

/// None when nginx is not installed.
async fn installed_version(spawner: &dyn CgroupSpawner) -> Result<Option<NginxVersion>, EdgeError> {
    let mut command = spawner.command("nginx");
    command.arg("-v");
    match child::run_quiet(spawner, command).await {
        Ok(ended) => Ok(NginxVersion::parse(&ended.output)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(EdgeError::Run(error)),
    }
}

fn worker_user() -> Option<(String, String)> {
    WORKER_USERS.iter().find_map(|name| {
        let user = User::from_name(name).ok()??;
        let group = Group::from_gid(Gid::from_raw(user.gid.as_raw())).ok()??;
        Some((user.name, group.name))
    })
}

/// Workers write large bodies below the prefix; a private directory above it would turn uploads into errors.
fn check_searchable(paths: &EdgePaths) -> Result<(), EdgeError> {
    use std::os::unix::fs::PermissionsExt as _;
    let closed = paths.prefix().ancestors().find(|directory| {
        std::fs::metadata(directory).is_ok_and(|data| data.permissions().mode() & 0o001 == 0)
    });
    closed.map_or(Ok(()), |directory| Err(EdgeError::Unreachable(directory.display().to_string())))
}

fn has_ipv6() -> bool {
    std::fs::read_to_string("/proc/net/if_inet6").is_ok_and(|text| !text.trim().is_empty())
}
