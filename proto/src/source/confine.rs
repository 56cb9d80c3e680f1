//! The other side of the fork: `<program> fetch-child` takes rights away from itself and becomes `git`. The coordinator and
//! the agent fetch under the same rules.
//!
//! Rule: nothing is parsed or decided here; limits come as numbers, everything after `--` goes to `git` untouched.
//! Runs before any thread or runtime exists, because landlock and the limits bind the calling thread and its children.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible as _, NetPort, Ruleset, RulesetAttr as _,
    RulesetCreatedAttr as _, path_beneath_rules,
};
use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal;

/// The hidden subcommand's name.
pub const COMMAND: &str = "fetch-child";
/// Programs, libraries, certificates: read and run, never written.
const READABLE: [&str; 11] = [
    "/usr",
    "/bin",
    "/lib",
    "/lib64",
    "/etc/ssl",
    "/etc/ca-certificates",
    "/etc/ld.so.cache",
    "/etc/gitconfig",
    "/dev/urandom",
    "/dev/null",
    "/etc/resolv.conf",
];
const MAX_PROCESSES_NOFILE: u64 = 256;

/// What the child may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The only directory it may write.
    pub dir: PathBuf,
    /// The only TCP port it may connect to; 0 for none.
    pub connect: u16,
    /// Largest file.
    pub file_bytes: u64,
    /// Address space.
    pub memory_bytes: u64,
    /// Processor time, seconds.
    pub cpu_s: u64,
}

/// A child that could not give up its rights does not start.
#[derive(Debug, thiserror::Error)]
pub enum ConfineError {
    /// The command line is not ours.
    #[error("fetch-child is started by the program itself")]
    Arguments,
    /// A limit could not be set.
    #[error("a resource limit could not be set")]
    Limit(#[from] nix::Error),
    /// Landlock failed, although the kernel has it.
    #[error("the file and network rules could not be set")]
    Landlock(#[from] landlock::RulesetError),
    /// `git` is not there.
    #[error("git could not be started")]
    Exec(#[source] std::io::Error),
}

impl Limits {
    /// The arguments in front of `--`.
    pub fn to_args(&self) -> Vec<OsString> {
        vec![
            COMMAND.into(),
            self.dir.clone().into(),
            self.connect.to_string().into(),
            self.file_bytes.to_string().into(),
            self.memory_bytes.to_string().into(),
            self.cpu_s.to_string().into(),
        ]
    }

    fn parse(args: &[OsString]) -> Option<Self> {
        let [dir, connect, file_bytes, memory_bytes, cpu_s] = args else { return None };
        let number = |text: &OsString| text.to_str()?.parse::<u64>().ok();
        Some(Self {
            dir: dir.into(),
            connect: u16::try_from(number(connect)?).ok()?,
            file_bytes: number(file_bytes)?,
            memory_bytes: number(memory_bytes)?,
            cpu_s: number(cpu_s)?,
        })
    }
}

/// Becomes `git` when the process was started as the child; returns only if it was not, or if it cannot.
pub fn become_git_if_asked(args: &[OsString]) -> Result<(), ConfineError> {
    let Some((command, rest)) = args.get(1..).and_then(<[OsString]>::split_first) else { return Ok(()) };
    if command != COMMAND {
        return Ok(());
    }
    let at = rest.iter().position(|arg| arg == "--").ok_or(ConfineError::Arguments)?;
    let (limits, git) = rest.split_at(at);
    let limits = Limits::parse(limits).ok_or(ConfineError::Arguments)?;
    confine(&limits)?;
    let git = git.iter().skip(1);
    Err(ConfineError::Exec(Command::new("git").args(git).exec()))
}

fn confine(limits: &Limits) -> Result<(), ConfineError> {
    for (resource, value) in [
        (Resource::RLIMIT_CORE, 0),
        (Resource::RLIMIT_FSIZE, limits.file_bytes),
        (Resource::RLIMIT_AS, limits.memory_bytes),
        (Resource::RLIMIT_CPU, limits.cpu_s),
        (Resource::RLIMIT_NOFILE, MAX_PROCESSES_NOFILE),
    ] {
        setrlimit(resource, value, value)?;
    }
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    prctl::set_no_new_privs()?;
    let readable: Vec<&str> =
        READABLE.into_iter().filter(|path| std::path::Path::new(path).exists()).collect();
    let abi = ABI::V6;
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))?
        .handle_access(AccessNet::from_all(abi))?
        .create()?
        .add_rules(path_beneath_rules(readable, AccessFs::from_read(abi)))?
        .add_rules(path_beneath_rules([&limits.dir], AccessFs::from_all(abi)))?
        .add_rules(path_beneath_rules(["/dev/null"], AccessFs::from_file(abi)))?;
    if limits.connect != 0 {
        rules = rules.add_rule(NetPort::new(limits.connect, AccessNet::ConnectTcp))?;
    }
    rules.restrict_self()?;
    Ok(())
}

#[cfg(test)]
mod tests;
