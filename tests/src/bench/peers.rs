//! The other side of the step and plan benchmarks: OpenSSH, Mitogen, pyinfra.
//!
//! Rule: each in the form in which it is fastest (a shared master, a warm far side, a user whose shell reads nothing), and
//! each pays for one durable result, as we do. What they connect to is set up by `tests/bench/image`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::durable_log::DurableLog;
use super::footprint;

const SSH_CONFIG: &str = "/opt/peer/ssh/ssh_config";
const SSH_UNIT: &str = "peer-sshd";
const MITOGEN: [&str; 2] = ["/opt/mitogen/bin/python", "/opt/peer/mitogen_peer.py"];
const PYINFRA: [&str; 2] = ["/opt/pyinfra/bin/pyinfra", "/opt/peer/pyinfra_plan.py"];

/// Where the peers' sshd listens.
pub(super) const SSHD: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 22_022);

/// An OpenSSH client with a master connection.
pub(super) struct Ssh {
    port: String,
}

impl Ssh {
    /// Opens the master connection through `port` and uses it once.
    pub(super) async fn start(port: u16) -> anyhow::Result<Self> {
        // What serves a connection inherits it.
        footprint::same_priority(&[footprint::unit_pid(SSH_UNIT)?])?;
        let ssh = Self { port: port.to_string() };
        let master =
            ssh.command(&["-o", "ControlMaster=yes", "-o", "ControlPersist=yes", "-N", "-f", "peer"]);
        succeed(master).await.context("open the master connection")?;
        succeed(ssh.command(&["peer", "true"])).await.context("use the master connection")?;
        Ok(ssh)
    }

    /// Runs `true` and writes the result down.
    pub(super) async fn step(&mut self, log: &mut DurableLog, round: usize) -> anyhow::Result<Duration> {
        let began = Instant::now();
        succeed(self.command(&["peer", "true"])).await?;
        log.write("ssh", round)?;
        Ok(began.elapsed())
    }

    /// A script as one command: over a connection of its own when `fresh`. One result is written down for all of it.
    pub(super) async fn script(
        &mut self,
        log: &mut DurableLog,
        script: &str,
        fresh: bool,
    ) -> anyhow::Result<Duration> {
        let began = Instant::now();
        let control: &[&str] = if fresh { &["-o", "ControlPath=none"] } else { &[] };
        let mut child =
            self.command(&[control, &["peer", "sh", "-s"]].concat()).stdin(Stdio::piped()).spawn()?;
        let mut input = child.stdin.take().context("its input")?;
        input.write_all(script.as_bytes()).await?;
        drop(input);
        let status = child.wait().await?;
        anyhow::ensure!(status.success(), "ssh: {status}");
        log.write("script", 0)?;
        Ok(began.elapsed())
    }

    /// A command over the master connection whose output can be read.
    pub(super) fn reading(&self, arguments: &[&str]) -> anyhow::Result<Child> {
        let mut command = self.command(&[["peer"].as_slice(), arguments].concat());
        command.stdout(Stdio::piped()).kill_on_drop(true).spawn().context("start ssh")
    }

    /// Closes the master connection.
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        succeed(self.command(&["-O", "exit", "peer"])).await
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("ssh");
        command.args(["-F", SSH_CONFIG, "-p", &self.port]).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}

/// A whole run of pyinfra with its hundred operations; none where it is not installed.
pub(super) async fn pyinfra(log: &mut DurableLog, port: u16) -> anyhow::Result<Option<Duration>> {
    let [program, plan] = PYINFRA;
    if !Path::new(program).exists() {
        return Ok(None);
    }
    let began = Instant::now();
    let mut command = Command::new(program);
    command.args(["--yes", "--port", &port.to_string(), "--user", "hbench", "--key", "/opt/peer/ssh/id"]);
    command.args(["127.0.0.1", plan]).stdin(Stdio::null());
    let output = command.output().await.context("start pyinfra")?;
    anyhow::ensure!(output.status.success(), "pyinfra: {}", String::from_utf8_lossy(&output.stderr));
    log.write("pyinfra", 0)?;
    Ok(Some(began.elapsed()))
}

async fn succeed(mut command: Command) -> anyhow::Result<()> {
    let status = command.status().await.context("start ssh")?;
    anyhow::ensure!(status.success(), "ssh: {status}");
    Ok(())
}

/// A Mitogen connection that runs what it is told.
pub(super) struct Mitogen {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Mitogen {
    /// Connects through `port`; its script warms the far side up.
    pub(super) async fn start(port: u16) -> anyhow::Result<Self> {
        let [python, script] = MITOGEN;
        let mut child = Command::new(python)
            .arg(script)
            .arg(port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .context("start Mitogen")?;
        let input = child.stdin.take().context("its input")?;
        let output = BufReader::new(child.stdout.take().context("its output")?).lines();
        let mut mitogen = Self { child, input, output };
        let ready = mitogen.line().await?;
        anyhow::ensure!(ready == "ready", "Mitogen said {ready:?}");
        Ok(mitogen)
    }

    /// Runs `sh -c true` and writes the result down. Mitogen's own watch counts, so that asking it costs it nothing.
    pub(super) async fn step(&mut self, log: &mut DurableLog, round: usize) -> anyhow::Result<Duration> {
        self.input.write_all(b"\n").await?;
        let took = Duration::from_nanos(self.line().await?.parse()?);
        let began = Instant::now();
        log.write("mitogen", round)?;
        Ok(took + began.elapsed())
    }

    /// Ends it.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        drop(self.input);
        let ended = tokio::time::timeout(Duration::from_secs(10), self.child.wait()).await;
        if ended.is_err() {
            self.child.kill().await?;
        }
        Ok(())
    }

    async fn line(&mut self) -> anyhow::Result<String> {
        let line = tokio::time::timeout(Duration::from_mins(1), self.output.next_line()).await;
        line.context("Mitogen says nothing")??.context("Mitogen ended")
    }
}
