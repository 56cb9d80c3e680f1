//! Starting the confined child, collecting what it writes under caps, and ending it with everything it started.
//!
//! Rule: argv and a fixed environment, never a shell; a process group of its own, killed as one.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use hydron_proto::source::confine::Limits;
use hydron_proto::source::{Caps, environment};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;
use tokio::time::Instant;

use super::FetchError;

const SYSTEM_BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";
const STDERR_LIMIT: usize = 64 * 1024;

/// A directory and the way to run `git` in it.
#[derive(Debug, Clone)]
pub(super) struct Confined {
    confiner: PathBuf,
    dir: PathBuf,
    ca: Option<PathBuf>,
    caps: Caps,
}

/// What a child left.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) success: bool,
    pub(super) code: Option<i32>,
    /// Ended by a resource limit.
    pub(super) over_limit: bool,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
}

impl Confined {
    pub(super) fn new(
        confiner: &Path,
        dir: &Path,
        extra_ca: Option<&Path>,
        caps: Caps,
    ) -> Result<Self, FetchError> {
        let ca = extra_ca.map(|extra| bundle(dir, extra)).transpose().map_err(FetchError::Directory)?;
        Ok(Self { confiner: confiner.to_owned(), dir: dir.to_owned(), ca, caps })
    }

    pub(super) fn git_dir(&self) -> PathBuf {
        self.dir.join("git")
    }

    pub(super) fn ca(&self) -> Option<&Path> {
        self.ca.as_deref()
    }

    /// Runs `git` with these arguments. `connect` is the only port it may reach; none for local work.
    pub(super) async fn run(
        &self,
        args: Vec<OsString>,
        connect: Option<u16>,
        stdout_limit: usize,
        deadline: Instant,
    ) -> Result<Output, FetchError> {
        let mut command = Command::from(self.command(args, connect));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(FetchError::Start)?;
        let group = Group::of(child.id());
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let work = async {
            let (out, err) = tokio::join!(collect(stdout, stdout_limit), collect(stderr, STDERR_LIMIT));
            (out, err, child.wait().await)
        };
        let finished = tokio::time::timeout_at(deadline, work).await;
        drop(group);
        let (out, err, status) =
            finished.map_err(|_| FetchError::OverCaps("it takes longer than 60 seconds"))?;
        let status = status.map_err(FetchError::Start)?;
        let stdout = out.ok_or(FetchError::OverCaps("its listing is too long"))?;
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        let over_limit =
            signal.is_some_and(|signal| [Signal::SIGXFSZ as i32, Signal::SIGXCPU as i32].contains(&signal));
        let stderr = err.unwrap_or_default();
        Ok(Output { success: status.success(), code: status.code(), over_limit, stdout, stderr })
    }

    /// Starts a local `git` whose pipes are read by a blocking thread.
    pub(super) fn start_blocking(&self, args: Vec<OsString>) -> Result<std::process::Child, FetchError> {
        let mut command = self.command(args, None);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        command.spawn().map_err(FetchError::Start)
    }

    /// Refuses a directory that grew beyond its cap.
    pub(super) fn check_disk(&self, cap: u64) -> Result<(), FetchError> {
        let used = size_of_dir(&self.dir).map_err(FetchError::Directory)?;
        if used > cap { Err(FetchError::OverCaps("it needs more than 512 MiB of disk")) } else { Ok(()) }
    }

    fn command(&self, args: Vec<OsString>, connect: Option<u16>) -> std::process::Command {
        let limits = Limits {
            dir: self.dir.clone(),
            connect: connect.unwrap_or(0),
            file_bytes: self.caps.disk_bytes,
            memory_bytes: self.caps.memory_bytes,
            cpu_s: self.caps.cpu_s,
        };
        let mut command = std::process::Command::new(&self.confiner);
        command.env_clear().envs(environment(&self.dir)).current_dir(&self.dir).process_group(0);
        command.args(limits.to_args()).arg("--").args(args);
        command
    }
}

/// Kills the child's whole group when dropped.
struct Group(Option<Pid>);

impl Group {
    fn of(id: Option<u32>) -> Self {
        Self(id.and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            let _ = killpg(group, Signal::SIGKILL);
        }
    }
}

/// Everything a pipe gives, or none when it is more than `limit`.
async fn collect(pipe: Option<impl AsyncRead + Unpin>, limit: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut pipe = pipe?.take(u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1));
    pipe.read_to_end(&mut bytes).await.ok()?;
    (bytes.len() <= limit).then_some(bytes)
}

/// The system's authorities and one more, in the child's own directory.
fn bundle(dir: &Path, extra: &Path) -> std::io::Result<PathBuf> {
    let mut pem = std::fs::read(SYSTEM_BUNDLE).unwrap_or_default();
    pem.push(b'\n');
    pem.extend(std::fs::read(extra)?);
    let path = dir.join("ca.pem");
    std::fs::write(&path, pem)?;
    Ok(path)
}

fn size_of_dir(dir: &Path) -> std::io::Result<u64> {
    let mut total = 0;
    let mut open = vec![dir.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next)? {
            let entry = entry?;
            let meta = entry.metadata()?;
            if meta.is_dir() {
                open.push(entry.path());
            } else {
                total += meta.len();
            }
        }
    }
    Ok(total)
}
