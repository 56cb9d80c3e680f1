//! The coordinator as a process: started on given ports with its own data directory, set up through its one-time link.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::json;

use super::client::Client;
use super::pipeline::text;
use super::process::Process;

/// How a coordinator is started.
#[derive(Debug, Clone)]
pub struct CoordinatorOptions {
    /// The program.
    pub program: PathBuf,
    /// Database and keys.
    pub data_dir: PathBuf,
    /// UI and API.
    pub api: SocketAddr,
    /// Agents.
    pub agents: SocketAddr,
    /// PostgreSQL, or SQLite when unset.
    pub database_url: Option<String>,
    /// Authority of a git host on this machine; also allows private source addresses.
    pub source_ca: Option<PathBuf>,
}

/// A coordinator that answers.
#[derive(Debug)]
pub struct Coordinator {
    options: CoordinatorOptions,
    process: Process,
}

impl Coordinator {
    /// Starts it and waits until it is ready.
    pub async fn start(options: CoordinatorOptions) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&options.data_dir)?;
        let process = Self::process(&options)?;
        let mut coordinator = Self { options, process };
        coordinator.wait_ready().await?;
        Ok(coordinator)
    }

    /// Starts it again after it was killed or stopped.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.process = Self::process(&self.options)?;
        self.wait_ready().await
    }

    /// Address of UI and API.
    pub fn base(&self) -> String {
        format!("https://localhost:{}", self.options.api.port())
    }

    /// `host:port` for agents.
    pub fn agents_address(&self) -> String {
        self.options.agents.to_string()
    }

    /// Database and keys.
    pub fn data_dir(&self) -> &Path {
        &self.options.data_dir
    }

    /// The running program.
    pub fn process_mut(&mut self) -> &mut Process {
        &mut self.process
    }

    /// A client without a token.
    pub fn client(&self) -> anyhow::Result<Client> {
        Client::new(&self.base(), &self.ca_file())
    }

    /// The authority behind its certificate.
    pub fn ca_file(&self) -> PathBuf {
        self.options.data_dir.join("keys/ca.pem")
    }

    /// The one-time link, as long as it was not used.
    ///
    /// The file appears a moment after the first answer; this waits for it.
    pub fn setup_link(&self) -> anyhow::Result<String> {
        let file = self.options.data_dir.join("setup-link");
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            match std::fs::read_to_string(&file) {
                Ok(link) if link.contains("#token=") => return Ok(link.trim().to_owned()),
                Ok(_) | Err(_) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(20)),
                Ok(_) => anyhow::bail!("{} is not complete", file.display()),
                Err(error) => return Err(error).with_context(|| format!("read {}", file.display())),
            }
        }
    }

    /// Makes the owner through the one-time link; gives the team and an API token of the owner.
    pub async fn set_up(
        &self,
        client: &Client,
        email: &str,
        password: &str,
    ) -> anyhow::Result<(String, String)> {
        let link = self.setup_link()?;
        let (_, token) = link.split_once("#token=").context("a set-up link with a token")?;
        let me = client
            .post(
                "/setup",
                json!({ "token": token, "email": email, "name": "Owner", "password": password, "team_name": "Team" }),
            )
            .await?;
        let token = client.post("/tokens", json!({ "name": "first" })).await?;
        Ok((text(&me["team"], "id")?, text(&token, "token")?))
    }

    /// SIGTERM and wait.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        self.process.stop(Duration::from_secs(15)).map(|_| ())
    }

    fn process(options: &CoordinatorOptions) -> anyhow::Result<Process> {
        let mut command = Command::new(&options.program);
        command.arg("serve").arg("--data-dir").arg(&options.data_dir);
        command.arg("--listen").arg(options.api.to_string());
        command.arg("--agents-listen").arg(options.agents.to_string());
        command.arg("--setup-link-file").arg(options.data_dir.join("setup-link"));
        command.args(["--password-cost", "floor"]);
        if let Some(url) = &options.database_url {
            command.env("HYDRON_DATABASE_URL", url);
        }
        if let Some(ca) = &options.source_ca {
            command.arg("--allow-private-sources").arg("--sources-ca").arg(ca);
            // The lab has these base images and no registry.
            command.args(["--base-versions", "python=3.11,node=22,nginx=1.22"]);
        }
        Process::start("coordinator", command, &options.data_dir.join("coordinator.log"))
    }

    async fn wait_ready(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            self.process.must_run()?;
            if self.ca_file().exists() && self.client()?.ready().await {
                return Ok(());
            }
            anyhow::ensure!(
                Instant::now() < deadline,
                "the coordinator is not ready:\n{}",
                self.process.output()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
