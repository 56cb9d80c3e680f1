//! The agent as a process: joined by a token in a file, run under its own root.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;

use super::process::Process;

/// What an agent of this machine is given.
#[derive(Debug, Clone)]
pub struct AgentOptions {
    /// The program.
    pub program: PathBuf,
    /// Its root directory; others must be able to enter it.
    pub root: PathBuf,
    /// `host:port` of the coordinator's agent port.
    pub coordinator: String,
    /// Ports of its reverse proxy.
    pub ports: Ports,
    /// Authority of the git host, when sources come from this machine.
    pub source_ca: Option<PathBuf>,
    /// First two numbers of its address pool.
    pub address_pool: String,
}

/// Ports of a reverse proxy.
#[derive(Debug, Clone, Copy)]
pub struct Ports {
    /// Plain HTTP.
    pub http: u16,
    /// TLS.
    pub https: u16,
}

/// A joined agent that runs.
#[derive(Debug)]
pub struct Agent {
    options: AgentOptions,
    supervisor: Process,
}

impl Agent {
    /// Writes the configuration of a new agent.
    pub fn configure(options: &AgentOptions) -> anyhow::Result<()> {
        let etc = options.root.join("etc/hydron");
        std::fs::create_dir_all(&etc)?;
        let source_ca = options.source_ca.as_ref();
        let extra = source_ca
            .map_or(String::new(), |path| format!("extra_source_ca = {:?}\n", path.display().to_string()));
        let text = format!(
            "coordinator = {:?}\n\n[link]\nretry_min_ms = 200\nretry_max_ms = 2000\nrefused_min_ms = 2000\n\
             refused_max_ms = 4000\n\n[steps]\nhttp_port = {}\nhttps_port = {}\nallow_private_sources = {}\n\
             address_pool = {:?}\n{extra}",
            options.coordinator,
            options.ports.http,
            options.ports.https,
            source_ca.is_some(),
            options.address_pool,
        );
        std::fs::write(etc.join("agent.toml"), text)?;
        Ok(())
    }

    /// Joins with a token; safe to repeat.
    pub fn join(options: &AgentOptions, token: &str) -> anyhow::Result<()> {
        let file = options.root.join("token");
        std::fs::write(&file, token)?;
        let output = Command::new(&options.program)
            .arg("--root")
            .arg(&options.root)
            .args(["join", "--coordinator", &options.coordinator, "--token-file"])
            .arg(&file)
            .output()
            .context("start the agent's join")?;
        let _ = std::fs::remove_file(&file);
        anyhow::ensure!(
            output.status.success(),
            "join: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }

    /// Starts a joined agent.
    pub fn start(options: AgentOptions) -> anyhow::Result<Self> {
        let supervisor = Self::supervisor(&options)?;
        Ok(Self { options, supervisor })
    }

    /// Starts it again after its supervisor was ended.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.supervisor = Self::supervisor(&self.options)?;
        Ok(())
    }

    /// The root directory.
    pub fn root(&self) -> &Path {
        &self.options.root
    }

    /// What it was started with.
    pub fn options(&self) -> &AgentOptions {
        &self.options
    }

    /// Its supervisor.
    pub fn supervisor_mut(&mut self) -> &mut Process {
        &mut self.supervisor
    }

    /// Pids of its processes of one role (`link`, `exec`, `step-host`), found by their argv and this root.
    pub fn pids(&self, role: &str) -> Vec<u32> {
        let root = self.options.root.as_os_str().as_encoded_bytes();
        let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
        processes
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
            .filter(|pid| {
                let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
                let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
                words.iter().any(|word| word == &root) && words.iter().any(|word| word == &role.as_bytes())
            })
            .collect()
    }

    /// Ends supervisor, link and executor; step hosts and the site go on.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        self.supervisor.stop(Duration::from_secs(10)).map(|_| ())
    }

    fn supervisor(options: &AgentOptions) -> anyhow::Result<Process> {
        let mut command = Command::new(&options.program);
        command.arg("--root").arg(&options.root).arg("run");
        Process::start("agent", command, &options.root.join("agent.log"))
    }
}
