//! How source code is fetched, by coordinator and agent alike: which addresses may be asked, which flags make `git`
//! safe, and where it must stop.
//!
//! Rule: pure. It builds argv, environment and verdicts; each side starts its own child with them (`confine`).
//! Every value that came from a person stands after `--` and was parsed into a name before (bug classes B5 to B7, B12, B29).

mod address;
#[cfg(feature = "confine")]
pub mod confine;

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::Path;

pub use address::{AddressRefused, HostKind, host_kind, refusal};

use crate::names::{CommitId, GitRef, GitUrl};

/// Where a fetch must stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// Wall clock of everything together, seconds.
    pub wall_s: u64,
    /// Bytes on disk; also the file-size limit of the child, so that one pack cannot pass it.
    pub disk_bytes: u64,
    /// Address space of the child.
    pub memory_bytes: u64,
    /// Processor time of the child, seconds.
    pub cpu_s: u64,
    /// Entries of the commit's tree.
    pub entries: usize,
    /// Largest single file that is read into memory by the coordinator.
    pub blob_bytes: u64,
    /// Largest listing of refs.
    pub listing_bytes: usize,
}

/// The product's caps.
pub const CAPS: Caps = Caps {
    wall_s: 60,
    disk_bytes: 512 << 20,
    memory_bytes: 2 << 30,
    cpu_s: 120,
    entries: 50_000,
    blob_bytes: 1 << 20,
    listing_bytes: 8 << 20,
};

/// The name under which a fetched commit is kept in the bare repository.
pub const FETCHED_REF: &str = "refs/hydron/source";

/// One host, the port, and the addresses that were checked; `git` connects to nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// `host:port:address[,address…]` for `http.curloptResolve`; none when the URL names an address itself.
    resolve: Option<String>,
    /// The port.
    pub port: u16,
}

impl Pin {
    /// Checks every address that the name resolved to; one refused address refuses the name.
    pub fn check(url: &GitUrl, addresses: &[IpAddr], allow_private: bool) -> Result<Self, AddressRefused> {
        let (host, port) = url.host_and_port();
        if addresses.is_empty() {
            return Err(AddressRefused::Unresolved);
        }
        if !allow_private
            && let Some((address, why)) = addresses.iter().find_map(|a| Some((*a, refusal(*a)?)))
        {
            return Err(AddressRefused::Private { address, why });
        }
        let resolve = match host_kind(host)? {
            HostKind::Address(_) => None,
            HostKind::Name => {
                let texts: Vec<String> = addresses.iter().map(bracketed).collect();
                Some(format!("{host}:{port}:{}", texts.join(",")))
            }
        };
        Ok(Self { resolve, port })
    }
}

/// The whole environment of a `git` child; nothing is inherited.
pub fn environment(home: &Path) -> Vec<(&'static str, OsString)> {
    vec![
        ("PATH", "/usr/local/bin:/usr/bin:/bin".into()),
        ("HOME", home.into()),
        ("TMPDIR", home.into()),
        ("LC_ALL", "C".into()),
        ("GIT_CONFIG_NOSYSTEM", "1".into()),
        ("GIT_CONFIG_GLOBAL", "/dev/null".into()),
        ("GIT_ATTR_NOSYSTEM", "1".into()),
        ("GIT_ALLOW_PROTOCOL", "https".into()),
        ("GIT_PROTOCOL_FROM_USER", "0".into()),
        ("GIT_TERMINAL_PROMPT", "0".into()),
        ("GIT_ASKPASS", "/bin/false".into()),
        ("GIT_LFS_SKIP_SMUDGE", "1".into()),
        ("GIT_NO_LAZY_FETCH", "1".into()),
        ("GIT_NO_REPLACE_OBJECTS", "1".into()),
        ("GIT_OPTIONAL_LOCKS", "0".into()),
        ("GIT_ADVICE", "0".into()),
    ]
}

/// `git init` of an empty bare repository at `git_dir`: no template, so no hooks.
pub fn init(git_dir: &Path) -> Vec<OsString> {
    let mut args = options(None, None);
    args.extend(words(&["init", "--bare", "--quiet", "--template=", "--"]));
    args.push(git_dir.into());
    args
}

/// `git ls-remote --symref`: the default branch, and the wanted name as branch, tag or full ref.
pub fn list_refs(url: &GitUrl, wanted: Option<&GitRef>, pin: &Pin, ca: Option<&Path>) -> Vec<OsString> {
    let mut args = options(Some(pin), ca);
    args.extend(words(&["ls-remote", "--quiet", "--symref", "--", url.as_str(), "HEAD"]));
    for name in wanted.into_iter().flat_map(candidates) {
        // An annotated tag is listed a second time with the commit it names.
        let peeled = name.starts_with("refs/tags/").then(|| format!("{name}^{{}}"));
        args.push(name.into());
        args.extend(peeled.map(OsString::from));
    }
    args
}

/// The full names a short name may mean, in the order in which they are tried.
pub fn candidates(wanted: &GitRef) -> Vec<String> {
    if wanted.as_str().starts_with("refs/") {
        vec![wanted.to_string()]
    } else {
        vec![format!("refs/heads/{wanted}"), format!("refs/tags/{wanted}")]
    }
}

/// What to fetch.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    /// The newest commit of a full ref name.
    Reference(&'a GitRef),
    /// Exactly this commit.
    Commit(&'a CommitId),
}

/// `git fetch` of one commit without history, tags, submodules or hooks, into [`FETCHED_REF`].
///
/// `largest_blob` leaves bigger files on the other side; the agent, which builds from them, passes none.
pub fn fetch(
    git_dir: &Path,
    url: &GitUrl,
    wanted: Wanted<'_>,
    largest_blob: Option<u64>,
    pin: &Pin,
    ca: Option<&Path>,
) -> Vec<OsString> {
    let mut args = options(Some(pin), ca);
    args.push(git_dir_option(git_dir));
    args.extend(words(&[
        "fetch",
        "--quiet",
        "--depth=1",
        "--no-tags",
        "--no-recurse-submodules",
        "--no-write-fetch-head",
        "--no-auto-maintenance",
        "--no-show-forced-updates",
        "--force",
    ]));
    args.extend(largest_blob.map(|bytes| OsString::from(format!("--filter=blob:limit={bytes}"))));
    let name = match wanted {
        Wanted::Reference(reference) => reference.as_str(),
        Wanted::Commit(commit) => commit.as_str(),
    };
    args.extend(words(&["--", url.as_str(), &format!("+{name}:{FETCHED_REF}")]));
    args
}

/// A local, read-only `git` command on a bare repository. `arguments` are ours; names from outside come as parsed types.
pub fn local(git_dir: &Path, arguments: &[&str]) -> Vec<OsString> {
    let mut args = options(None, None);
    args.push(git_dir_option(git_dir));
    args.extend(words(arguments));
    args
}

/// Options in front of every verb. The protocol list, hooks, redirects and checks never depend on a repository.
fn options(pin: Option<&Pin>, ca: Option<&Path>) -> Vec<OsString> {
    let mut settings: Vec<OsString> = [
        "protocol.allow=never",
        "protocol.https.allow=always",
        "http.followRedirects=false",
        "http.sslVerify=true",
        "http.lowSpeedLimit=1000",
        "http.lowSpeedTime=20",
        "http.proxy=",
        "core.hooksPath=/dev/null",
        "core.fsmonitor=false",
        "core.symlinks=false",
        "core.protectHFS=true",
        "core.protectNTFS=true",
        "core.bigFileThreshold=1m",
        "core.deltaBaseCacheLimit=16m",
        "core.askPass=/bin/false",
        "credential.helper=",
        "filter.lfs.smudge=",
        "filter.lfs.process=",
        "filter.lfs.required=false",
        "submodule.recurse=false",
        "fetch.recurseSubmodules=false",
        "transfer.fsckObjects=true",
        "fetch.fsckObjects=true",
        "transfer.unpackLimit=1",
        "fetch.unpackLimit=1",
        "transfer.bundleURI=false",
        "pack.threads=1",
        "gc.auto=0",
        "maintenance.auto=false",
        "safe.bareRepository=explicit",
        "init.defaultBranch=hydron",
    ]
    .map(OsString::from)
    .to_vec();
    settings.extend(
        pin.and_then(|pin| pin.resolve.as_ref()).map(|text| format!("http.curloptResolve={text}").into()),
    );
    settings.extend(ca.map(|path| joined("http.sslCAInfo=", path)));
    settings.into_iter().flat_map(|setting| [OsString::from("-c"), setting]).collect()
}

fn git_dir_option(git_dir: &Path) -> OsString {
    joined("--git-dir=", git_dir)
}

fn joined(prefix: &str, path: &Path) -> OsString {
    let mut text = OsString::from(prefix);
    text.push(path);
    text
}

fn words(texts: &[&str]) -> Vec<OsString> {
    texts.iter().map(OsString::from).collect()
}

fn bracketed(address: &IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
    }
}

#[cfg(test)]
mod tests;
