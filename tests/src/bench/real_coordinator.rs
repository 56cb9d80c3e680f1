//! The released coordinator as a process of its own, with an owner who adopts servers.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use hydron_proto::ids::{ProjectId, TeamId};
use serde_json::json;

use super::deposit::Deposit;
use crate::stack::client::Client;
use crate::stack::coordinator::{Coordinator, CoordinatorOptions};
use crate::stack::pipeline::{create_project, text};
use crate::stack::process::free_port;

/// A coordinator that was set up.
pub(super) struct RealCoordinator {
    coordinator: Coordinator,
    client: Client,
    agents: SocketAddr,
    team: TeamId,
    database_url: Option<String>,
}

impl RealCoordinator {
    /// Starts one with a new database of SQLite.
    pub(super) async fn start(program: &Path, data_dir: PathBuf) -> anyhow::Result<Self> {
        Self::start_on(program, data_dir, None).await
    }

    /// Starts one with an empty database of PostgreSQL, or a new one of SQLite.
    pub(super) async fn start_on(
        program: &Path,
        data_dir: PathBuf,
        database_url: Option<String>,
    ) -> anyhow::Result<Self> {
        let loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let agents = loopback(free_port()?);
        let coordinator = Coordinator::start(CoordinatorOptions {
            program: program.to_owned(),
            data_dir,
            api: loopback(free_port()?),
            agents,
            database_url: database_url.clone(),
            source_ca: None,
        })
        .await?;
        let client = coordinator.client()?;
        let (team, token) =
            coordinator.set_up(&client, "owner@bench.localhost", "a long benchmark password").await?;
        let client = client.with_token(&token);
        Ok(Self { coordinator, client, agents, team: team.parse()?, database_url })
    }

    /// The agents' port.
    pub(super) fn agents(&self) -> SocketAddr {
        self.agents
    }

    /// The owner.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Its pid.
    pub(super) fn pid(&mut self) -> u32 {
        self.coordinator.process_mut().pid()
    }

    /// Makes a server; gives its id and the token to join with.
    pub(super) async fn adopt(&self, name: &str) -> anyhow::Result<(String, String)> {
        let adopted = self.client.post("/servers/adopt", json!({ "name": name })).await?;
        let server = adopted.get("server").context("no server in the answer")?;
        Ok((text(server, "id")?, text(&adopted, "token")?))
    }

    /// Makes a project.
    pub(super) async fn project(&self, name: &str) -> anyhow::Result<ProjectId> {
        Ok(create_project(&self.client, name).await?.parse()?)
    }

    /// The team.
    pub(super) fn team(&self) -> TeamId {
        self.team
    }

    /// Its database and keys.
    pub(super) fn data_dir(&self) -> &Path {
        self.coordinator.data_dir()
    }

    /// Its files, while it is stopped.
    pub(super) async fn deposit(&self) -> anyhow::Result<Deposit> {
        Deposit::open(self.data_dir(), self.database_url.clone(), self.team).await
    }

    /// Takes its life, as a crash would.
    pub(super) fn kill(&mut self) -> anyhow::Result<()> {
        self.coordinator.process_mut().kill()
    }

    /// A new process on the same database: nothing of the work before is in its memory.
    pub(super) async fn restart(&mut self) -> anyhow::Result<()> {
        self.stop()?;
        self.coordinator.restart().await
    }

    /// Ends it.
    pub(super) fn stop(&mut self) -> anyhow::Result<()> {
        self.coordinator.stop()
    }
}
