//! The released coordinator as a process of its own, on SQLite, with an owner who adopts servers.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::json;

use crate::stack::client::Client;
use crate::stack::coordinator::{Coordinator, CoordinatorOptions};
use crate::stack::pipeline::text;
use crate::stack::process::free_port;

/// A coordinator that was set up.
pub(super) struct RealCoordinator {
    coordinator: Coordinator,
    client: Client,
    agents: SocketAddr,
}

impl RealCoordinator {
    /// Starts one with a new database.
    pub(super) async fn start(program: &Path, data_dir: PathBuf) -> anyhow::Result<Self> {
        let loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let agents = loopback(free_port()?);
        let coordinator = Coordinator::start(CoordinatorOptions {
            program: program.to_owned(),
            data_dir,
            api: loopback(free_port()?),
            agents,
            database_url: None,
            source_ca: None,
        })
        .await?;
        let client = coordinator.client()?;
        let (_, token) =
            coordinator.set_up(&client, "owner@bench.localhost", "a long benchmark password").await?;
        let client = client.with_token(&token);
        Ok(Self { coordinator, client, agents })
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
