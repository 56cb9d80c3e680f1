//! The other side of the step benchmark: OpenSSH over a connection that stays open, and Mitogen.
//!
//! Rule: each in the form in which it is fastest (a shared master, a warm far side, a user whose shell reads nothing), and
//! each pays for one durable result, as we do. What they connect to is set up by `tests/bench/image`.

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

/// An OpenSSH client with a master connection.
pub(super) struct Ssh(());

impl Ssh {
    /// Opens the master connection and uses it once.
    pub(super) async fn start() -> anyhow::Result<Self> {
        // What serves a connection inherits it.
        footprint::same_priority(&[footprint::unit_pid(SSH_UNIT)?])?;
        let master = ssh(&["-o", "ControlMaster=yes", "-o", "ControlPersist=yes", "-N", "-f", "peer"]);
        succeed(master).await.context("open the master connection")?;
        succeed(ssh(&["peer", "true"])).await.context("use the master connection")?;
        Ok(Self(()))
    }

    /// Runs `true` and writes the result down.
    pub(super) async fn step(&mut self, log: &mut DurableLog, round: usize) -> anyhow::Result<Duration> {
        let began = Instant::now();
        succeed(ssh(&["peer", "true"])).await?;
        log.write("ssh", round)?;
        Ok(began.elapsed())
    }

    /// Closes the master connection.
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        succeed(ssh(&["-O", "exit", "peer"])).await
    }
}

fn ssh(arguments: &[&str]) -> Command {
    let mut command = Command::new("ssh");
    command.args(["-F", SSH_CONFIG]).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
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
    /// Connects; its script warms the far side up.
    pub(super) async fn start() -> anyhow::Result<Self> {
        let [python, script] = MITOGEN;
        let mut child = Command::new(python)
            .arg(script)
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
