//! What these tests share: a project, an enrolled simulated agent, plans of plain steps, and waiting for a state.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hydron_coordinator::app::AppState;
use hydron_coordinator::services::runs::{CreateRunError, NewPart, NewRun, create};
use hydron_domain::run::RunKind;
use hydron_proto::ids::{ProjectId, RunId, ServerId, TeamId};
use hydron_proto::plan::{
    Action, InterruptPolicy, Operation, Phase, PlanDocument, PlanKind, Probe, Risk, Step, Undo,
};
use hydron_tests::approved;
use hydron_tests::sim_agent::{Play, Script, SimAgent};
use serde_json::{Value, json};

use crate::harness::{ACTOR, Caller, World};

/// A world with a project.
pub(crate) struct Bench<'a> {
    pub(crate) world: &'a World,
    pub(crate) project: ProjectId,
}

impl<'a> Bench<'a> {
    pub(crate) async fn start(world: &'a World) -> Self {
        let made = world.owner().post("/projects", json!({ "name": "Runs" })).await.ok(201);
        Self { world, project: made["id"].as_str().unwrap().parse().unwrap() }
    }

    pub(crate) fn app(&self) -> &AppState {
        &self.world.coordinator.app
    }

    pub(crate) fn owner(&self) -> &Caller {
        self.world.owner()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.app().agents.address().unwrap()
    }

    /// Adopts a server; the token.
    pub(crate) async fn adopt(&self, name: &str) -> (String, String) {
        let adopted = self.owner().post("/servers/adopt", json!({ "name": name })).await.ok(201);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&adopted["server"]["id"]), text(&adopted["token"]))
    }

    /// An enrolled agent that follows a script; not connected yet.
    pub(crate) async fn agent(&self, name: &str, script: Script) -> SimAgent {
        let (_, token) = self.adopt(name).await;
        SimAgent::join(self.address(), &token, script).await.unwrap()
    }

    /// An approved run of these steps, one list a server.
    pub(crate) async fn run(&self, parts: Vec<(ServerId, Vec<Step>)>) -> RunId {
        approved_run(self.app(), self.world.ours.team, self.project, parts).await
    }

    /// The same, which may be refused.
    pub(crate) async fn try_run(&self, parts: Vec<(ServerId, Vec<Step>)>) -> Result<RunId, CreateRunError> {
        try_run(self.app(), self.world.ours.team, self.project, parts).await
    }

    /// A run that only reads, here what the server has.
    pub(crate) async fn look(&self, server: ServerId) -> RunId {
        let (app, team) = (self.app(), self.world.ours.team);
        let step =
            Step { action: Action::Operate(Operation::Inventory {}), risk: Risk::R0, ..probe_step("look") };
        let plan = PlanDocument {
            kind: PlanKind::Operation,
            ..approved::plan(team, self.project, server, vec![step])
        };
        let parts = vec![NewPart { server, plan: plan.to_bytes().unwrap(), approval: None }];
        let new = NewRun {
            project: self.project,
            kind: RunKind::Operation,
            title: "Look".to_owned(),
            commit: None,
            parts,
        };
        let mut tx = app.store.team(team).begin(&ACTOR, app.now()).await.unwrap();
        let run = create(&mut tx, &app.signer, &app.ids, new).await.unwrap();
        tx.commit().await.unwrap();
        run
    }

    pub(crate) async fn get(&self, run: RunId) -> Value {
        self.owner().get(&format!("/runs/{run}")).await.ok(200)
    }

    /// Waits until the run is as wanted.
    pub(crate) async fn until(&self, run: RunId, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        for _ in 0..600 {
            last = self.get(run).await;
            if wanted(&last) {
                return last;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("the run never became {what}: {last:#}");
    }

    pub(crate) async fn until_state(&self, run: RunId, state: &str) -> Value {
        self.until(run, state, |seen| seen["state"] == state).await
    }
}

/// A script in which every step succeeds at once.
pub(crate) fn easy() -> Script {
    Arc::new(|step, attempt| Play::done(format!("{} attempt {attempt}\n", step.title)))
}

/// Stores an approved provisioning plan a server, and makes the run.
pub(crate) async fn approved_run(
    app: &AppState,
    team: TeamId,
    project: ProjectId,
    parts: Vec<(ServerId, Vec<Step>)>,
) -> RunId {
    try_run(app, team, project, parts).await.unwrap()
}

/// The same, which may be refused.
pub(crate) async fn try_run(
    app: &AppState,
    team: TeamId,
    project: ProjectId,
    parts: Vec<(ServerId, Vec<Step>)>,
) -> Result<RunId, CreateRunError> {
    let plans =
        parts.into_iter().map(|(server, steps)| approved::plan(team, project, server, steps)).collect();
    let made = approved::run(app, &ACTOR, (team, project), ("Deploy", plans)).await;
    made.map_err(|refused| refused.downcast().unwrap())
}

/// A step that a simulated agent can play.
pub(crate) fn probe_step(title: &str) -> Step {
    Step {
        title: title.to_owned(),
        phase: Phase::PostDeploy,
        service: None,
        action: Action::Probe(Probe {
            host: "app.localhost".parse().unwrap(),
            path: "/".to_owned(),
            status_from: 200,
            status_to: 399,
            tries: 1,
        }),
        risk: Risk::R0,
        timeout_s: 60,
        on_interrupt: InterruptPolicy::Rerun,
        undo: Undo::None,
        after: Vec::new(),
        guarded: false,
        downtime_s: 0,
    }
}

/// So many steps.
pub(crate) fn steps(count: usize) -> Vec<Step> {
    (0..count).map(|index| probe_step(&format!("step {index}"))).collect()
}
