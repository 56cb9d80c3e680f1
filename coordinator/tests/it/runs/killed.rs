//! The real coordinator, killed with SIGKILL in the middle of a run, again and again: nothing is lost, nothing runs twice.

use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use hydron_coordinator::app::AppState;
use hydron_coordinator::clock::{SystemClock, SystemEntropy};
use hydron_coordinator::config::Settings;
use hydron_proto::ids::{ProjectId, RunId, TeamId};
use hydron_store::Store;
use hydron_tests::sim_agent::{Play, SimAgent};
use tempfile::TempDir;

use super::bench::{approved_run, steps};
use crate::harness::Caller;

struct Serving {
    child: Child,
    base: String,
}

impl Serving {
    fn start(data: &Path, agents: SocketAddr) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_hydron"))
            .env_clear()
            .env("HYDRON_DATA_DIR", data)
            .env("HYDRON_LISTEN", "127.0.0.1:0")
            .env("HYDRON_AGENTS_LISTEN", agents.to_string())
            .env("HYDRON_PASSWORD_COST", "floor")
            .arg("serve")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let base = lines.next().expect("a first line").strip_prefix("Hydron is at ").unwrap().to_owned();
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, base }
    }

    /// SIGKILL: nothing is said, nothing is flushed.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn admin(data: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_hydron"))
        .env_clear()
        .env("HYDRON_DATA_DIR", data)
        .arg("admin")
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// What the script writes. The agent may have forgotten the run by the time it is compared.
fn output_of(step: u32) -> String {
    format!("step {step}\n").repeat(2000)
}

/// The files of a stopped coordinator, opened to put a run in.
async fn state(data: &Path) -> AppState {
    let settings = Settings { data_dir: Some(data.to_owned()), ..Settings::default() };
    let config = settings.check(None).unwrap();
    let store = Store::open(&config.database).await.unwrap();
    AppState::build(config, store, Arc::new(SystemClock), Arc::new(SystemEntropy)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coordinator_that_is_killed_six_times_finishes_the_run_with_every_step_started_once() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let agents = free_port();
    let serving = Serving::start(&data, agents);
    let token = admin(&data, &["create-token", "--team", "Demo", "--create-team", "--role", "admin"]);
    let ca = std::fs::read_to_string(data.join("keys/ca.pem")).unwrap();
    let caller = |serving: &Serving| Caller::new(&serving.base, &ca).with_token(&token);
    let owner = caller(&serving);
    let me = owner.get("/me").await.ok(200);
    let team: TeamId = me["team"]["id"].as_str().unwrap().parse().unwrap();
    let project = owner.post("/projects", serde_json::json!({ "name": "Killed" })).await.ok(201);
    let project: ProjectId = project["id"].as_str().unwrap().parse().unwrap();
    let adopted = owner.post("/servers/adopt", serde_json::json!({ "name": "alpha" })).await.ok(201);
    let script = Arc::new(|step: &hydron_proto::plan::Step, _| Play::Succeed {
        output: format!("{}\n", step.title).repeat(2000).into_bytes(),
        takes: Duration::from_millis(120),
        result: hydron_proto::plan::StepResult::Done {},
    });
    let agent = SimAgent::join(agents, adopted["token"].as_str().unwrap(), script).await.unwrap();
    let server = agent.identity.server;
    serving.kill();

    let app = state(&data).await;
    let run: RunId = approved_run(&app, team, project, vec![(server, steps(12))]).await;
    app.store.close().await;
    drop(app);

    for round in 0u64..6 {
        let serving = Serving::start(&data, agents);
        let link = agent.connect().await.unwrap();
        tokio::time::sleep(Duration::from_millis(60 + 70 * round)).await;
        serving.kill();
        drop(link.ended().await);
    }

    let serving = Serving::start(&data, agents);
    let _link = agent.connect().await.unwrap();
    let owner = caller(&serving);
    let mut seen = serde_json::Value::Null;
    for _ in 0..600 {
        seen = owner.get(&format!("/runs/{run}")).await.ok(200);
        let stored = |step: usize| seen["servers"][0]["steps"][step]["log_length"].as_u64().unwrap_or(0);
        let whole = (0..12u32).all(|step| stored(step as usize) == output_of(step).len() as u64);
        if seen["state"] == "completed" && whole {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(seen["state"], "completed", "{seen:#}");
    assert_eq!(agent.executor.starts(), (0..12).map(|step| (run, step, 1)).collect::<Vec<_>>());
    for step in 0..12u32 {
        let page = owner.get(&format!("/runs/{run}/logs?step={step}")).await.ok(200);
        assert!(page["text"].as_str().unwrap() == output_of(step), "step {step}");
        assert_eq!(page["end"], true);
    }
}
