//! Approved runs of a measurement, put into its stopped coordinator's store.
//!
//! Neighbours: `approved` (how), `real_coordinator` (whose files these are), `product` (which has them carried out).

use std::path::Path;

use hydron_coordinator::app::AppState;
use hydron_domain::identity::Actor;
use hydron_proto::ids::{ProjectId, RunId, ServerId, TeamId};
use hydron_proto::plan::Step;

use crate::approved;

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
        Ok(Self { app: approved::opened(data_dir, database_url).await?, team })
    }

    /// An approved run of these steps on a server.
    pub(super) async fn run(
        &self,
        project: ProjectId,
        server: ServerId,
        steps: Vec<Step>,
    ) -> anyhow::Result<RunId> {
        let plan = approved::plan(self.team, project, server, steps);
        let actor = Actor::System { name: "bench" };
        approved::run(&self.app, &actor, (self.team, project), ("Measured", vec![plan])).await
    }

    /// Lets the files go.
    pub(super) async fn close(self) {
        self.app.store.close().await;
    }
}
