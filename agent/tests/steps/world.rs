//! A server of a test's own: a root directory, free ports, a project with unique names, and a log that can be read.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hydron_agent::config::StepConfig;
use hydron_agent::root::Root;
use hydron_agent::step_context::{
    CgroupSpawner, Check, DoingSender, LogSink, LogWriter, Secrets, StepContext, StepFailure,
};
use hydron_agent::steps::{self, Applied};
use hydron_proto::ids::{ProjectId, RunId, ServerId, ServiceId, TeamId};
use hydron_proto::plan::{
    Action, Certificate, CertificateIssuer, InterruptPolicy, Network, Phase, PlanDocument, PlanKind,
    RepairBounds, Risk, Route, RoutePath, Step, Undo,
};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

/// Starts processes plainly and remembers the daemons, to end them with the world.
#[derive(Default)]
pub(crate) struct PlainSpawner {
    daemons: Mutex<Vec<Child>>,
}

impl CgroupSpawner for PlainSpawner {
    fn spawn(&self, command: &mut Command) -> io::Result<Child> {
        command.spawn()
    }

    fn spawn_daemon(&self, _name: &str, command: &mut Command) -> io::Result<Child> {
        let daemon = command.kill_on_drop(true).spawn()?;
        self.daemons.lock().unwrap().push(daemon);
        // The caller gets a child that is over at once; the daemon stays here.
        Command::new("true").spawn()
    }
}

#[derive(Default)]
struct Memory(Mutex<Vec<u8>>);

impl LogSink for Memory {
    fn write(&self, bytes: &[u8]) {
        self.0.lock().unwrap().extend_from_slice(bytes);
    }
}

/// One server with one project.
pub(crate) struct World {
    directory: tempfile::TempDir,
    pub(crate) root: Root,
    pub(crate) config: StepConfig,
    pub(crate) plan: PlanDocument,
    pub(crate) secrets: Secrets,
    pub(crate) spawner: PlainSpawner,
    pub(crate) cancel: CancellationToken,
    log: Arc<Memory>,
    pub(crate) name: String,
}

impl World {
    /// A fresh server; fails with words when the machine lacks something.
    pub(crate) async fn new() -> Self {
        let answers = Command::new("docker").args(["info", "-f", "{{.ServerVersion}}"]).output().await;
        assert!(
            answers.is_ok_and(|answer| answer.status.success()),
            "no Docker Engine answers: run `tests/lab/docker-engine up` (and `tests/lab/base-images`) first"
        );
        let nginx = Command::new("nginx").arg("-v").output().await;
        assert!(nginx.is_ok(), "nginx is not installed: run `tests/lab/install test` first");
        let directory = tempfile::Builder::new().prefix("hydron-steps-").tempdir().unwrap();
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let [http_port, https_port] = free_ports();
        let config = StepConfig {
            http_port,
            https_port,
            allow_private_sources: true,
            // This test program cannot confine itself and become git; the real one can.
            confiner: Some(env!("CARGO_BIN_EXE_hydron-agent").into()),
            ..StepConfig::default()
        };
        let project = ProjectId::new(1, rand::random());
        let plan = PlanDocument {
            version: 1,
            kind: PlanKind::Provisioning,
            team: TeamId::new(1, [1; 10]),
            project,
            server: ServerId::new(1, [1; 10]),
            steps: Vec::new(),
            mandates: Vec::new(),
            repair: RepairBounds { per_step: 0, per_run: 0 },
        };
        Self {
            root: Root::new(directory.path()),
            directory,
            config,
            plan,
            secrets: BTreeMap::new(),
            spawner: PlainSpawner::default(),
            cancel: CancellationToken::new(),
            log: Arc::default(),
            name: format!("hyt-{}", project.short()),
        }
    }

    /// A fresh server whose project has its network.
    pub(crate) async fn with_network() -> Self {
        let world = Self::new().await;
        world.apply(Action::Network(Network { name: world.name.parse().unwrap() })).await.unwrap();
        world
    }

    pub(crate) fn path(&self) -> &std::path::Path {
        self.directory.path()
    }

    pub(crate) async fn apply(&self, action: Action) -> Result<Applied, StepFailure> {
        steps::apply(&step(action), &self.context()).await
    }

    pub(crate) async fn check(&self, action: Action) -> Check {
        steps::check(&step(action), &self.context()).await.unwrap()
    }

    pub(crate) async fn undo(&self, action: Action) {
        steps::undo(&step(action), &self.context()).await.unwrap();
    }

    pub(crate) fn context(&self) -> StepContext<'_> {
        StepContext {
            root: &self.root,
            plan: &self.plan,
            step_index: 0,
            attempt: 1,
            run: RunId::new(1, rand::random()),
            secrets: &self.secrets,
            log: LogWriter::new(Arc::<Memory>::clone(&self.log)),
            doing: DoingSender::new(tokio::sync::watch::Sender::new(String::new())),
            cgroup: &self.spawner,
            cancel: self.cancel.clone(),
            config: &self.config,
        }
    }

    /// Everything that was logged since the last call.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut *self.log.0.lock().unwrap())).into_owned()
    }

    pub(crate) fn host(&self) -> String {
        format!("{}.localhost", self.name)
    }

    /// Certificate and route of a site with these paths.
    pub(crate) async fn publish(&self, paths: &[(&str, ServiceId)]) -> Result<Applied, StepFailure> {
        let site: hydron_proto::names::ResourceName = self.name.parse().unwrap();
        let hosts = vec![self.host().parse().unwrap()];
        self.apply(Action::Certificate(Certificate {
            site: site.clone(),
            hosts: hosts.clone(),
            issuer: CertificateIssuer::ServerAuthority,
        }))
        .await?;
        let paths = paths
            .iter()
            .map(|(prefix, service)| RoutePath {
                prefix: (*prefix).into(),
                service: *service,
                streaming: false,
            })
            .collect();
        self.apply(Action::Route(Route { site, hosts, paths, max_body_mb: 20 })).await
    }

    /// Containers of this project: name and whether it runs.
    pub(crate) async fn containers(&self) -> Vec<(String, bool)> {
        let filter = format!("label=hydron.project={}", self.plan.project);
        let text = docker(&["ps", "-a", "--filter", &filter, "--format", "{{.Names}} {{.State}}"]).await;
        let mut all: Vec<_> = text
            .lines()
            .map(|line| line.split_once(' ').unwrap())
            .map(|(name, state)| (name.to_owned(), state == "running"))
            .collect();
        all.sort();
        all
    }

    pub(crate) async fn running(&self) -> Vec<String> {
        self.containers().await.into_iter().filter(|(_, runs)| *runs).map(|(name, _)| name).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let label = format!("label=hydron.project={}", self.plan.project);
        for (list, remove) in [
            (&["ps", "-aq"][..], &["rm", "-fv"][..]),
            (&["network", "ls", "-q"], &["network", "rm"]),
            (&["volume", "ls", "-q"], &["volume", "rm", "-f"]),
            (&["images", "-q"], &["rmi", "-f"]),
        ] {
            let ids =
                std::process::Command::new("docker").args(list).args(["--filter", &label]).output().unwrap();
            let ids = String::from_utf8_lossy(&ids.stdout).into_owned();
            let ids: Vec<&str> = ids.split_whitespace().collect();
            if !ids.is_empty() {
                let _ = std::process::Command::new("docker").args(remove).args(ids).output();
            }
        }
        if let Ok(pid) = std::fs::read_to_string(self.root.edge().join("run/nginx.pid")) {
            let _ = std::process::Command::new("kill").args(["-TERM", pid.trim()]).output();
        }
    }
}

pub(crate) fn step(action: Action) -> Step {
    Step {
        title: format!("{:?}", action.kind()),
        phase: Phase::Deploy,
        service: None,
        risk: Risk::R3,
        timeout_s: 600,
        on_interrupt: InterruptPolicy::CheckThenRerun,
        undo: Undo::Own,
        after: Vec::new(),
        guarded: false,
        downtime_s: 0,
        action,
    }
}

pub(crate) async fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output().await.unwrap();
    assert!(output.status.success(), "docker {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Waits until a condition holds.
pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..400 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never: {what}");
}

fn free_ports() -> [u16; 2] {
    let sockets = [0; 2].map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    sockets.map(|socket| socket.local_addr().unwrap().port())
}
