//! Approved runs, put into a stopped coordinator's own store by its own signer.
//!
//! Rule: what is put in is what an approval through the interface leaves behind: an approval of the very bytes, a signed
//! envelope, a run. No plan of the product has trivial steps, so no request could ask for these.
//! Neighbours: `real_coordinator` (whose files these are), `product` (which has them carried out).

use std::path::Path;
use std::sync::Arc;

use hydron_coordinator::app::AppState;
use hydron_coordinator::clock::{SystemClock, SystemEntropy};
use hydron_coordinator::config::Settings;
use hydron_coordinator::services::runs::{NewPart, NewRun, create};
use hydron_domain::approval::{Approval, ApprovalState, ApprovalSubject};
use hydron_domain::identity::Actor;
use hydron_domain::run::RunKind;
use hydron_proto::envelope::PlanDigest;
use hydron_proto::ids::{ApprovalId, ProjectId, ProvisioningPlanId, RunId, ServerId, TeamId};
use hydron_proto::plan::{
    Action, InterruptPolicy, Phase, PlanDocument, PlanKind, RepairBounds, Risk, Shell, Step, Undo,
};
use hydron_store::Store;

/// The files of a stopped coordinator.
pub(super) struct Deposit {
    /// Its store and keys.
    pub app: AppState,
    team: TeamId,
}

impl Deposit {
    /// Opens them; the coordinator must be stopped.
    pub(super) async fn open(
        data_dir: &Path,
        database_url: Option<String>,
        team: TeamId,
    ) -> anyhow::Result<Self> {
        let settings = Settings { data_dir: Some(data_dir.to_owned()), database_url, ..Settings::default() };
        let config = settings.check(None)?;
        let store = Store::open(&config.database).await?;
        let app = AppState::build(config, store, Arc::new(SystemClock), Arc::new(SystemEntropy))?;
        Ok(Self { app, team })
    }

    /// An approved run of these steps on a server.
    pub(super) async fn run(
        &self,
        project: ProjectId,
        server: ServerId,
        steps: Vec<Step>,
    ) -> anyhow::Result<RunId> {
        let app = &self.app;
        let plan = PlanDocument {
            version: 1,
            kind: PlanKind::Provisioning,
            team: self.team,
            project,
            server,
            steps,
            mandates: vec![],
            repair: RepairBounds { per_step: 0, per_run: 0 },
        }
        .to_bytes()?;
        let approval = Approval {
            id: app.ids.next(ApprovalId::new),
            project,
            subject: ApprovalSubject::Provisioning(app.ids.next(ProvisioningPlanId::new)),
            digest: PlanDigest::of(&plan),
            risk: Risk::R3,
            state: ApprovalState::Pending,
            requested_at: app.now(),
            decided_at: None,
            decided_by: None,
        };
        let mut tx = app.store.team(self.team).begin(&Actor::System { name: "bench" }, app.now()).await?;
        tx.insert_approval(&approval).await?;
        tx.decide_approval(approval.id, ApprovalState::Approved).await?;
        let parts = vec![NewPart { server, plan, approval: Some(approval.id) }];
        let title = "Measured".to_owned();
        let new = NewRun { project, kind: RunKind::Deploy, title, commit: None, parts };
        let run = create(&mut tx, &app.signer, &app.ids, new).await?;
        tx.commit().await?;
        Ok(run)
    }

    /// Lets the files go.
    pub(super) async fn close(self) {
        self.app.store.close().await;
    }
}

/// A step that runs a script and may be begun again, so that a range of such steps needs one permit.
pub(super) fn shell_step(script: &str) -> Step {
    let action = Action::Shell(Shell { script: script.to_owned(), env: vec![], expect: vec![0] });
    Step {
        title: "Measured".to_owned(),
        phase: Phase::Provisioning,
        service: None,
        risk: action.risk(),
        action,
        timeout_s: 300,
        on_interrupt: InterruptPolicy::Rerun,
        undo: Undo::None,
        after: vec![],
        guarded: false,
        downtime_s: 0,
    }
}
