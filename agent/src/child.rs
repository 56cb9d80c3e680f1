//! One child process, its two outputs merged into one pipe so that their order is true.
//!
//! Rule: argv only; the child lives in the step's cgroup and dies with it. Neighbours: `steps`, `edge`.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe::Receiver;
use tokio::process::{Child, Command};
use tokio::time::Instant;

use crate::step_context::{CgroupSpawner, LogWriter};

/// Most output that is kept of a child whose output is read here.
const MOST_KEPT: usize = 1 << 20;
/// How long output is still read after the child itself has ended.
const AFTER_EXIT: Duration = Duration::from_secs(2);

/// How a child ended, and what it said.
#[derive(Debug)]
pub struct Ended {
    /// Its end.
    pub status: ExitStatus,
    /// The first mebibyte of what it wrote.
    pub output: String,
}

/// Starts a child whose output is read as one stream.
pub fn start_merged(spawner: &dyn CgroupSpawner, mut command: Command) -> io::Result<(Child, Receiver)> {
    let (reader, writer) = io::pipe()?;
    command.stdout(Stdio::from(writer.try_clone()?)).stderr(Stdio::from(writer));
    let child = spawner.spawn(&mut command)?;
    // The parent's copies of the pipe go with the command; else the end would never be seen.
    drop(command);
    Ok((child, Receiver::from_owned_fd(reader.into())?))
}

/// Runs a child to its end and keeps what it says.
pub async fn run_quiet(spawner: &dyn CgroupSpawner, command: Command) -> io::Result<Ended> {
    let mut kept = Vec::new();
    let status = run(spawner, command, Output::Kept(&mut kept)).await?;
    Ok(Ended { status, output: String::from_utf8_lossy(&kept).into_owned() })
}

/// Runs a child to its end; what it says goes to the log.
pub async fn run_logged(
    spawner: &dyn CgroupSpawner,
    command: Command,
    log: &LogWriter,
) -> io::Result<ExitStatus> {
    run(spawner, command, Output::Logged(log)).await
}

/// Where a child's output goes.
enum Output<'a> {
    /// Into memory, up to [`MOST_KEPT`].
    Kept(&'a mut Vec<u8>),
    /// Into the step's log.
    Logged(&'a LogWriter),
}

impl Output<'_> {
    async fn take(&mut self, bytes: &[u8]) {
        match self {
            Self::Kept(kept) => {
                let room = MOST_KEPT.saturating_sub(kept.len());
                kept.extend(bytes.iter().take(room));
            }
            Self::Logged(log) => log.bytes(bytes).await,
        }
    }
}

/// Reads until the end of the output; a process left behind cannot hold the step for longer than [`AFTER_EXIT`].
async fn run(
    spawner: &dyn CgroupSpawner,
    command: Command,
    mut output: Output<'_>,
) -> io::Result<ExitStatus> {
    let (mut child, mut pipe) = start_merged(spawner, command)?;
    let mut buffer = vec![0; 16 * 1024];
    let mut ended: Option<(ExitStatus, Instant)> = None;
    loop {
        let deadline = ended.map_or_else(|| Instant::now() + Duration::from_hours(1), |(_, at)| at);
        tokio::select! {
            read = pipe.read(&mut buffer) => match read? {
                0 => break,
                read => output.take(buffer.get(..read).unwrap_or_default()).await,
            },
            status = child.wait(), if ended.is_none() => ended = Some((status?, Instant::now() + AFTER_EXIT)),
            () = tokio::time::sleep_until(deadline), if ended.is_some() => break,
        }
    }
    match ended {
        Some((status, _)) => Ok(status),
        None => child.wait().await,
    }
}
