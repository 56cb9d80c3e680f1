//! The person in front of a coordinator: answers whatever a run asks, truthfully, and while things go wrong stops and pauses.

use std::sync::Arc;
use std::time::Duration;

use hydron_coordinator::app::AppState;
use hydron_coordinator::services::principal::{Credential, Principal};
use hydron_coordinator::services::runs::steer;
use hydron_domain::identity::{Actor, Role};
use hydron_domain::run::{Resolution, RunState, StepState};
use hydron_proto::ids::RunId;
use hydron_store::runs::StepDetail;

use crate::world::World;

/// How often somebody looks at every run.
const LOOK: Duration = Duration::from_millis(2500);

struct Person {
    world: Arc<World>,
    app: AppState,
    principal: Principal,
}

pub(crate) async fn act(world: Arc<World>, app: AppState) {
    let principal = Principal {
        actor: Actor::System { name: "person" },
        credential: Credential::Console,
        team: world.template.team,
        role: Role::Owner,
    };
    let person = Person { world, app, principal };
    loop {
        tokio::time::sleep(LOOK).await;
        for run in person.world.template.runs.clone() {
            person.look(run).await;
        }
    }
}

impl Person {
    async fn look(&self, run: RunId) {
        let Ok(Some(stored)) = self.app.store.team(self.principal.team).run(run).await else { return };
        let whim = if self.world.is_calm() { 1000 } else { self.world.dice().below(1000) };
        match stored.head.state {
            RunState::Started | RunState::InProgress | RunState::Paused if whim < 40 => self.stop(run).await,
            RunState::Started | RunState::InProgress if whim < 120 => {
                if steer::pause(&self.app, &self.principal, run).await.is_ok() {
                    self.world.witness().told.pauses += 1;
                }
            }
            RunState::Paused => {
                self.answer(run).await;
                let _ = steer::resume(&self.app, &self.principal, run).await;
            }
            RunState::Failed(failure) => {
                self.world.witness().note_failure(&failure.code);
                self.retry(run).await;
            }
            RunState::Started | RunState::InProgress | RunState::Completed | RunState::Stopped => {}
        }
    }

    async fn stop(&self, run: RunId) {
        self.world.witness().persons.may_stop(run);
        if steer::stop(&self.app, &self.principal, run).await.is_ok() {
            let mut witness = self.world.witness();
            witness.persons.stop(run);
            witness.told.stops += 1;
        }
    }

    async fn retry(&self, run: RunId) {
        let Some(steps) = self.steps(run).await else { return };
        {
            let mut witness = self.world.witness();
            witness.persons.doubt_stop(run);
            for step in steps.iter().filter(|step| step.state == StepState::Failed) {
                witness.persons.want_again(run, step.index, step.attempt + 1);
            }
        }
        if steer::retry(&self.app, &self.principal, run, None).await.is_ok() {
            self.world.witness().told.retries += 1;
        }
    }

    async fn answer(&self, run: RunId) {
        let Some(steps) = self.steps(run).await else { return };
        let Some(step) = steps.iter().find(|step| step.state == StepState::Unknown) else { return };
        let resolution = {
            let mut witness = self.world.witness();
            if witness.has_worked(run, step.index) {
                witness.persons.adopt(run, step.index);
                Resolution::AdoptResult
            } else {
                witness.persons.want_again(run, step.index, step.attempt + 1);
                Resolution::Rerun
            }
        };
        let server = self.world.template.server;
        let resolved = steer::resolve(&self.app, &self.principal, run, server, step.index, resolution).await;
        if resolved.is_ok() {
            self.world.witness().told.unknown += 1;
        }
    }

    async fn steps(&self, run: RunId) -> Option<Vec<StepDetail>> {
        let detail = self.app.store.team(self.principal.team).run_detail(run).await.ok()??;
        Some(detail.parts.into_iter().flat_map(|part| part.steps).collect())
    }
}
