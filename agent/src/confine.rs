//! What the link gives up before it opens its first socket: new privileges, files, other ports, other system calls.
//!
//! Rule: best effort, kernel by kernel; what could not be given up is said in the log. It must run before any thread is
//! started, because these rules hold for threads that are started later. Neighbour: `link`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible as _, NetPort, Ruleset, RulesetAttr as _,
    RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope, path_beneath_rules,
};
use nix::libc;
use nix::sys::prctl;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

use crate::link::Target;
use crate::root::Root;

/// Newest kernel interface that was tried.
const LANDLOCK: ABI = ABI::V6;
/// Name service.
const DNS: u16 = 53;

/// Confines this process to what the link needs.
pub fn link(root: &Root, target: &Target) {
    say("no new privileges", prctl::set_no_new_privs());
    say("no core dumps, no debugger", prctl::set_dumpable(false));
    say(
        "file and network rules",
        landlock_rules(root, target)
            .map_err(|error| error.to_string())
            .and_then(|status| enforced(&status).map_err(str::to_owned)),
    );
    say(
        "system call filter",
        system_calls()
            .and_then(|program| seccompiler::apply_filter(&program).map_err(|error| error.to_string())),
    );
}

fn say<T, E: std::fmt::Display>(what: &str, result: Result<T, E>) {
    match result {
        Ok(_) => tracing::debug!("confined: {what}"),
        Err(error) => tracing::warn!("not confined by {what}: {error}"),
    }
}

/// A kernel or a filter that knows no landlock is no error to the library.
fn enforced(status: &RulesetStatus) -> Result<(), &'static str> {
    match status {
        RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced => Ok(()),
        RulesetStatus::NotEnforced => Err("landlock is not available here"),
    }
}

fn landlock_rules(root: &Root, target: &Target) -> Result<RulesetStatus, RulesetError> {
    let read = AccessFs::from_read(LANDLOCK);
    // Directories, not files: a rule holds for what is there now, and a name service's files are replaced at any time.
    let readable: Vec<PathBuf> =
        ["/etc", "/usr/lib/os-release", "/run/systemd/resolve", "/run/resolvconf", "/proc", "/sys"]
            .map(PathBuf::from)
            .into_iter()
            .chain([root.etc(), root.sockets()])
            .collect();
    let ports = [target.address.port(), DNS]
        .into_iter()
        .chain(target.proxy.as_ref().map(super::link::dial::Proxy::port));
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(LANDLOCK))?
        .handle_access(AccessNet::from_all(LANDLOCK))?
        .scope(Scope::from_all(LANDLOCK))?
        .create()?
        .add_rules(path_beneath_rules(readable, read))?
        .add_rules(path_beneath_rules([root.link()], AccessFs::from_all(LANDLOCK)))?;
    for port in ports {
        rules = rules.add_rule(NetPort::new(port, AccessNet::ConnectTcp))?;
    }
    Ok(rules.restrict_self()?.ruleset)
}

/// What a process that only speaks TLS never calls.
const REFUSED: [libc::c_long; 26] = [
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_bpf,
    libc::SYS_io_uring_setup,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_kexec_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_setuid,
    libc::SYS_setgid,
];

fn system_calls() -> Result<BpfProgram, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        REFUSED.into_iter().map(|number| (number, Vec::new())).collect();
    let families = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6];
    let others: Result<Vec<SeccompCondition>, _> = families
        .into_iter()
        .map(|family| {
            let family = u64::from(family.unsigned_abs());
            SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, family)
        })
        .collect();
    let socket = others.and_then(SeccompRule::new).map_err(|error| text(&error))?;
    rules.insert(libc::SYS_socket, vec![socket]);
    let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let arch = std::env::consts::ARCH.try_into().map_err(|error| text(&error))?;
    let filter =
        SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch).map_err(|error| text(&error))?;
    filter.try_into().map_err(|error: seccompiler::BackendError| text(&error))
}
