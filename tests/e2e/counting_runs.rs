//! Approved runs of steps that count themselves, put into a stopped coordinator's own store by its own signer.
//!
//! No plan of the product has such steps: an image build counts badly, and takes long.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hydron_domain::identity::Actor;
use hydron_proto::ids::{ProjectId, RunId, TeamId};
use hydron_proto::plan::{InterruptPolicy, Step};
use hydron_tests::approved;
use serde_json::json;

use crate::world::World;

/// Steps of each run.
pub(crate) const STEPS: u32 = 12;

/// Lines a step writes before it sleeps.
const LINES: u32 = 2000;

/// An approved run of [`STEPS`] steps.
#[derive(Debug)]
pub(crate) struct CountingRun {
    pub(crate) id: RunId,
    /// Each step appends its number here, once.
    pub(crate) counter: PathBuf,
}

impl CountingRun {
    /// How often a step counted itself.
    pub(crate) fn counted(&self, step: u32) -> usize {
        let counter = std::fs::read_to_string(&self.counter).unwrap_or_default();
        counter.lines().filter(|line| *line == step.to_string()).count()
    }

    /// How often any step counted itself.
    pub(crate) fn counted_in_all(&self) -> usize {
        std::fs::read_to_string(&self.counter).unwrap_or_default().lines().count()
    }

    /// Its step host, which comes when the run was accepted.
    pub(crate) fn host(&self, world: &World) -> u32 {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(host) = self.hosts(world).first() {
                return *host;
            }
            assert!(Instant::now() < deadline, "{} has no step host\n{}", self.id, world.logs());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Its step hosts.
    pub(crate) fn hosts(&self, world: &World) -> Vec<u32> {
        let run = self.id.to_string();
        let of_run = |pid: &u32| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            line.split(|byte| *byte == 0).any(|word| word == run.as_bytes())
        };
        world.agent.pids("step-host").into_iter().filter(of_run).collect()
    }
}

/// Makes so many approved runs that wait to be resumed, one after the other.
pub(crate) async fn waiting(world: &mut World, count: usize) -> Vec<CountingRun> {
    let steps = |counter: &Path| (0..STEPS).map(|index| counting(index, counter)).collect();
    waiting_to(world, count, steps).await
}

/// An approved run of one step that says something.
pub(crate) async fn waiting_to_say(world: &mut World, script: &str) -> RunId {
    waiting_to_do(world, &[vec![script.to_owned()]]).await.remove(0).id
}

/// An approved run for each list of scripts. Every step waits for the permit that follows the end of the one before.
pub(crate) async fn waiting_to_do(world: &mut World, runs: &[Vec<String>]) -> Vec<CountingRun> {
    let mut left = runs.iter();
    let steps = move |_: &Path| {
        let scripts = left.next().unwrap().iter().enumerate();
        scripts.map(|(index, script)| shell(format!("Do {index}"), script)).collect()
    };
    waiting_to(world, runs.len(), steps).await
}

async fn waiting_to(
    world: &mut World,
    count: usize,
    mut steps: impl FnMut(&Path) -> Vec<Step>,
) -> Vec<CountingRun> {
    let me = world.client.get("/me").await.unwrap();
    let team: TeamId = me["team"]["id"].as_str().unwrap().parse().unwrap();
    // One each: only one run at a time changes a project.
    let mut projects: Vec<ProjectId> = Vec::new();
    for number in 0..count {
        projects.push(world.project(&format!("killed {number}")).await.parse().unwrap());
    }
    world.agent.stop().unwrap();
    world.coordinator.stop().unwrap();
    let data_dir = world.coordinator.data_dir();
    let app = approved::opened(data_dir, world.database_url.clone()).await.unwrap();
    let server = world.server.parse().unwrap();
    let mut runs = Vec::new();
    for project in projects {
        let counter = world.dir.join(format!("counter-{project}"));
        let plan = approved::plan(team, project, server, steps(&counter));
        let actor = Actor::System { name: "test" };
        let id = approved::run(&app, &actor, (team, project), ("Count", vec![plan])).await.unwrap();
        runs.push(CountingRun { id, counter });
    }
    app.store.close().await;
    drop(app);
    world.coordinator.restart().await.unwrap();
    for run in &runs {
        world.client.post(&format!("/runs/{}/pause", run.id), json!({})).await.unwrap();
    }
    world.agent.restart().unwrap();
    let path = format!("/servers/{}", world.server);
    world.client.until(&path, Duration::from_secs(30), |body| Ok(body["online"] == true)).await.unwrap();
    runs
}

/// All that a step writes.
pub(crate) fn output(step: u32) -> Vec<u8> {
    let lines = (1..=LINES).map(|line| format!("{line}\n")).collect::<Vec<_>>().concat();
    format!("step {step} begins\n{lines}step {step} ends\n").into_bytes()
}

fn counting(index: u32, counter: &Path) -> Step {
    let script = format!(
        "echo step {index} begins; echo {index} >> {}; seq 1 {LINES}; sleep 0.05; echo step {index} ends",
        counter.display()
    );
    shell(format!("Count {index}"), &script)
}

/// A person decides about each whose outcome is unknown.
fn shell(title: String, script: &str) -> Step {
    Step { title, timeout_s: 60, on_interrupt: InterruptPolicy::Ask, ..approved::shell_step(script) }
}
