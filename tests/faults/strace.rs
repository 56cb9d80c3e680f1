//! strace on a process of the product: it counts system calls, ends the process at the N-th one, or lets calls fail.
//!
//! Rule: the process is killed before the call happens, so that N and N + 1 are the two sides of one write; a call that
//! fails has not happened. strace counts a thread's calls of one name (only those on the watched files, when there are such);
//! a process whose threads share the work is struck at the first thread that gets so far.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hydron_tests::stack::process::signal;

/// Calls that put something on a disk.
pub(super) const DISK: &str =
    "write,pwrite64,writev,fsync,fdatasync,ftruncate,rename,renameat2,unlink,unlinkat,mkdir,mkdirat";
/// Calls that put something on a disk or tell it to somebody.
pub(super) const DISK_AND_SOCKET: &str = "write,pwrite64,writev,fsync,fdatasync,ftruncate,rename,renameat2,\
    unlink,unlinkat,mkdir,mkdirat,sendto,sendmsg";
/// Calls that tell somebody something.
pub(super) const SOCKET: &str = "sendto,sendmsg,writev";

/// How long attaching may take.
const ATTACHING: Duration = Duration::from_secs(10);
/// How long detaching may take.
const DETACHING: Duration = Duration::from_secs(2);

/// What is watched.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watch {
    /// Calls, comma between them.
    pub(super) calls: &'static str,
    /// All threads; else only the first one, which in the agent does everything.
    pub(super) threads: bool,
}

/// What happens to calls.
#[derive(Debug, Clone, Copy)]
pub(super) enum Injection<'a> {
    /// The process dies at its N-th call of this name.
    Kill(&'a str, u32),
    /// The N-th call of this name fails as on a broken disk, and later ones work.
    FailOnce(&'a str, u32),
    /// All calls of these names fail, as long as this lasts.
    Fail(&'a str),
}

impl Injection<'_> {
    fn expression(self) -> String {
        match self {
            Self::Kill(call, number) => format!("inject={call}:signal=KILL:when={number}"),
            Self::FailOnce(call, number) => format!("inject={call}:error=EIO:when={number}"),
            Self::Fail(calls) => format!("inject={calls}:error=EIO"),
        }
    }
}

/// A process that is traced until this is dropped.
#[derive(Debug)]
pub(super) struct Strace {
    child: Child,
    trace: PathBuf,
}

impl Strace {
    /// Attaches to a process.
    pub(super) fn attach(pid: u32, watch: Watch, injection: Option<Injection<'_>>, trace: &Path) -> Self {
        Self::attach_to_files(pid, watch, &[], injection, trace)
    }

    /// Attaches to a process, for calls on these files only.
    pub(super) fn attach_to_files(
        pid: u32,
        watch: Watch,
        files: &[PathBuf],
        injection: Option<Injection<'_>>,
        trace: &Path,
    ) -> Self {
        let _ = std::fs::remove_file(trace);
        let mut command = Command::new("strace");
        command.args(["-q", "-s", "0", "-o"]).arg(trace).args(["-p", &pid.to_string()]);
        command.args(["-e", &format!("trace={}", watch.calls), "-e", "signal=SIGKILL"]);
        if watch.threads {
            command.arg("-f");
        }
        for file in files {
            command.arg("-P").arg(file);
        }
        if let Some(injection) = injection {
            command.args(["-e", &injection.expression()]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().expect("strace is installed (tests/lab/install test)");
        let strace = Self { child, trace: trace.to_owned() };
        let deadline = Instant::now() + ATTACHING;
        // A thread that is attached already may make the call that ends all of them.
        while !is_traced(pid, watch.threads) && !strace.has_killed() {
            assert!(Instant::now() < deadline, "strace did not attach to {pid}");
            std::thread::sleep(Duration::from_millis(5));
        }
        strace
    }

    /// Whether the process was killed.
    pub(super) fn has_killed(&self) -> bool {
        self.text().contains("+++ killed by SIGKILL")
    }

    /// How many calls have failed.
    pub(super) fn failed(&self) -> usize {
        self.text().matches("(INJECTED)").count()
    }

    /// Lets go of what still lives; how often each call was made, by the thread that made it most often.
    pub(super) fn detach(mut self) -> BTreeMap<String, u32> {
        self.end();
        counted(&self.text())
    }

    fn text(&self) -> String {
        std::fs::read(&self.trace)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    fn end(&mut self) {
        // Asked to end, strace detaches; it may have ended with the process.
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = signal(self.child.id(), "TERM");
        }
        let deadline = Instant::now() + DETACHING;
        while Instant::now() < deadline && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(5));
        }
        // It can miss the end of a thread and wait for it for ever; without a tracer the thread ends.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Strace {
    fn drop(&mut self) {
        self.end();
    }
}

fn counted(trace: &str) -> BTreeMap<String, u32> {
    let mut threads = BTreeMap::<(&str, &str), u32>::new();
    for line in trace.lines() {
        // With -f a line begins with its thread.
        let (thread, rest) = match line.split_once(' ') {
            Some((first, rest)) if first.bytes().all(|byte| byte.is_ascii_digit()) => {
                (first, rest.trim_start())
            }
            _ => ("", line),
        };
        if let Some((call, _)) = rest.split_once('(')
            && !call.is_empty()
            && call.bytes().all(|byte| byte.is_ascii_alphanumeric())
        {
            *threads.entry((thread, call)).or_default() += 1;
        }
    }
    let mut most = BTreeMap::new();
    for ((_, call), count) in threads {
        let known = most.entry(call.to_owned()).or_default();
        *known = count.max(*known);
    }
    most
}

fn is_traced(pid: u32, threads: bool) -> bool {
    let traced = |status: PathBuf| {
        std::fs::read_to_string(status).is_ok_and(|text| {
            text.lines()
                .any(|line| line.strip_prefix("TracerPid:").is_some_and(|tracer| tracer.trim() != "0"))
        })
    };
    if !threads {
        return traced(PathBuf::from(format!("/proc/{pid}/status")));
    }
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return false };
    tasks.flatten().all(|task| traced(task.path().join("status")))
}
