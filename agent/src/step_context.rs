//! What a step gets and what it gives back: the seam between `host` (which runs steps) and `steps` (which know how).
//!
//! Rule: a step touches the world only through what stands here; it never sees the journal, the link or a key.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use hydron_proto::ids::RunId;
use hydron_proto::plan::{PlanDocument, SecretRef, StepResult};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::config::StepConfig;
use crate::root::Root;

/// Clear values of the secrets that a step names. Never printed.
pub type Secrets = BTreeMap<SecretRef, Zeroizing<Vec<u8>>>;

/// Everything one attempt of one step works with.
#[derive(Clone)]
pub struct StepContext<'a> {
    /// Paths.
    pub root: &'a Root,
    /// The whole plan, for what earlier steps made.
    pub plan: &'a PlanDocument,
    /// Which step of it.
    pub step_index: u32,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// The run.
    pub run: RunId,
    /// Clear secrets, only those that the step names.
    pub secrets: &'a Secrets,
    /// The step's log: redacted, then spooled.
    pub log: LogWriter,
    /// What the step is doing now, for a person.
    pub doing: DoingSender,
    /// The only way to start a process.
    pub cgroup: &'a dyn CgroupSpawner,
    /// Fires when the step is to end early; everything in its cgroup gets TERM at the same time.
    pub cancel: CancellationToken,
    /// Ports, sockets and allowances.
    pub config: &'a StepConfig,
}

impl StepContext<'_> {
    /// Labels of everything that a step makes in Docker: whose it is, and which server's agent made it.
    pub(crate) fn labels(&self) -> [(String, String); 2] {
        [
            ("hydron.project".to_owned(), self.plan.project.to_string()),
            ("hydron.server".to_owned(), self.plan.server.to_string()),
        ]
    }
}

impl std::fmt::Debug for StepContext<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StepContext")
            .field("run", &self.run)
            .field("step", &self.step_index)
            .finish_non_exhaustive()
    }
}

/// Why a step did not succeed. The message is redacted before it leaves the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepFailure {
    /// Stable code, `UPPER_SNAKE`.
    pub code: &'static str,
    /// What happened and what to do, for a person.
    pub message: String,
    /// When a process decided.
    pub exit_code: Option<i32>,
    /// When a signal ended it.
    pub signal: Option<i32>,
    /// When the kernel ended it for memory.
    pub oom: bool,
}

impl StepFailure {
    /// A failure that no process decided.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), exit_code: None, signal: None, oom: false }
    }
}

/// What a look at the world says before a step is repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// It is all there already.
    AlreadyDone(StepResult),
    /// It has to be applied.
    Needed,
}

/// Starts processes inside the step's own cgroup, so that cancelling and timing out reach all of them.
pub trait CgroupSpawner: Send + Sync {
    /// Starts a command. It should come from [`CgroupSpawner::command`].
    fn spawn(&self, command: &mut Command) -> io::Result<Child>;

    /// Starts a command that outlives the step and the run (a daemon): outside the step's cgroup, in one named after it.
    /// Under systemd it becomes the transient unit `hydron-<name>.service`.
    fn spawn_daemon(&self, name: &str, command: &mut Command) -> io::Result<Child>;

    /// A command with an empty environment but `PATH`, `LANG` and what keeps programs from asking questions;
    /// standard input is empty.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .env("LANG", "C.UTF-8")
            .env("HOME", "/root")
            .env("TERM", "dumb")
            .env("NO_COLOR", "1")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("NEEDRESTART_MODE", "l")
            .stdin(std::process::Stdio::null())
            .kill_on_drop(true);
        command
    }
}

/// Where log bytes go. The host redacts and spools; a log never blocks or fails a step.
pub trait LogSink: Send + Sync {
    /// Takes some bytes of the merged output.
    fn write(&self, bytes: &[u8]);
}

/// The step's log; clones write into the same one.
#[derive(Clone)]
pub struct LogWriter(Arc<dyn LogSink>);

impl std::fmt::Debug for LogWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LogWriter")
    }
}

impl LogWriter {
    /// A log that ends in `sink`.
    pub fn new(sink: Arc<dyn LogSink>) -> Self {
        Self(sink)
    }

    /// One line; the line end is added.
    pub async fn line(&self, text: &str) {
        self.bytes(format!("{text}\n").as_bytes()).await;
    }

    /// Bytes as they come from a process.
    pub async fn bytes(&self, bytes: &[u8]) {
        self.0.write(bytes);
        // A flood of lines must not keep timers and cancellation from running.
        tokio::task::yield_now().await;
    }
}

/// Says what a long step is doing; the newest word wins.
#[derive(Debug, Clone)]
pub struct DoingSender(tokio::sync::watch::Sender<String>);

impl DoingSender {
    /// A sender whose words `sender`'s receivers see.
    pub fn new(sender: tokio::sync::watch::Sender<String>) -> Self {
        Self(sender)
    }

    /// Says it.
    pub fn set(&self, text: impl Into<String>) {
        self.0.send_replace(text.into());
    }
}
