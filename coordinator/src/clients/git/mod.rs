//! Reading a stranger's repository: one commit, bare and shallow, fetched by a confined `git` under caps.
//!
//! Rule: no work tree, no hooks, no code of the repository runs here; links are listed and never followed. The flags and
//! the address rules are `hydron_proto::source`, the same that the agent uses.

mod child;
mod error;
mod listing;
mod refs;
mod tree;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hydron_proto::names::{CommitId, GitRef, GitUrl};
use hydron_proto::source::{self, CAPS, Caps, Pin, Wanted};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::config::Sources;
use child::{Confined, Output};
pub use error::FetchError;
pub use listing::{Listing, Tree};
pub use tree::GitTree;

const RESOLVE_PATIENCE: Duration = Duration::from_secs(5);

/// Fetches commits.
#[derive(Debug, Clone)]
pub struct GitClient {
    sources: Sources,
    /// The `hydron` binary, which confines itself before it becomes `git`.
    confiner: PathBuf,
    work_dir: PathBuf,
    caps: Caps,
}

/// Which commit to fetch.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// Repository.
    pub url: &'a GitUrl,
    /// Branch or tag; the default branch when absent.
    pub reference: Option<&'a GitRef>,
    /// Exactly this commit of it; the newest when absent.
    pub commit: Option<&'a CommitId>,
}

/// A ref that was looked up.
#[derive(Debug, Clone)]
pub struct Resolved {
    pin: Pin,
    deadline: Instant,
    /// Its full name.
    pub reference: GitRef,
    /// The commit to fetch.
    pub commit: CommitId,
    exact: bool,
}

/// A fetched commit. Its directory goes with the value.
#[derive(Debug)]
pub struct Checkout {
    dir: TempDir,
    confined: Confined,
    /// The commit that is there.
    pub commit: CommitId,
    /// Full name of the ref it was found under.
    pub reference: GitRef,
    /// Its files and directories.
    pub listing: Listing,
}

impl GitClient {
    /// A client that keeps its directories under `data_dir`.
    pub fn new(sources: Sources, data_dir: &Path) -> std::io::Result<Self> {
        let work_dir = data_dir.join("fetch");
        std::fs::create_dir_all(&work_dir)?;
        let confiner = match &sources.confiner {
            Some(path) => path.clone(),
            None => std::env::current_exe()?,
        };
        Ok(Self { sources, confiner, work_dir: work_dir.canonicalize()?, caps: CAPS })
    }

    /// Removes what an earlier process left behind; only before the first fetch.
    pub fn clean(&self) -> std::io::Result<()> {
        std::fs::remove_dir_all(&self.work_dir)?;
        std::fs::create_dir_all(&self.work_dir)
    }

    /// The same client with other caps.
    pub fn with_caps(self, caps: Caps) -> Self {
        Self { caps, ..self }
    }

    /// Whether the URL may be asked at all: its host resolves, to public addresses only.
    pub async fn check(&self, url: &GitUrl) -> Result<Pin, FetchError> {
        let (host, port) = url.host_and_port();
        source::host_kind(host)?;
        let lookup = tokio::net::lookup_host((host, port));
        let found = tokio::time::timeout(RESOLVE_PATIENCE, lookup).await;
        let addresses: Vec<IpAddr> = match found {
            Ok(Ok(addresses)) => addresses.map(|address| address.ip()).collect(),
            Ok(Err(_)) | Err(_) => Vec::new(),
        };
        Ok(Pin::check(url, &addresses, self.sources.allow_private)?)
    }

    /// Finds the ref and its commit.
    pub async fn resolve(&self, request: &Request<'_>) -> Result<Resolved, FetchError> {
        let deadline = Instant::now() + Duration::from_secs(self.caps.wall_s);
        let pin = self.check(request.url).await?;
        let dir = self.new_dir()?;
        let confined = self.confined(&dir)?;
        let args = source::list_refs(request.url, request.reference, &pin, confined.ca());
        let listed = confined.run(args, Some(pin.port), self.caps.listing_bytes, deadline).await;
        let listed = expect_success(listed.map_err(FetchError::while_connecting)?)?;
        let (reference, newest) = refs::choose(&listed.stdout, request.reference)?;
        let commit = request.commit.cloned().unwrap_or_else(|| newest.clone());
        Ok(Resolved { pin, deadline, reference, exact: commit != newest, commit })
    }

    /// Fetches what was found, and lists it.
    pub async fn fetch(&self, url: &GitUrl, resolved: &Resolved) -> Result<Checkout, FetchError> {
        let dir = self.new_dir()?;
        let confined = self.confined(&dir)?;
        let git_dir = confined.git_dir();
        let (deadline, limit) = (resolved.deadline, 64 * 1024);
        expect_success(confined.run(source::init(&git_dir), None, limit, deadline).await?)?;
        let wanted = if resolved.exact {
            Wanted::Commit(&resolved.commit)
        } else {
            Wanted::Reference(&resolved.reference)
        };
        let args =
            source::fetch(&git_dir, url, wanted, Some(self.caps.blob_bytes), &resolved.pin, confined.ca());
        let fetched = confined.run(args, Some(resolved.pin.port), limit, deadline).await?;
        expect_success(fetched)?;
        confined.check_disk(self.caps.disk_bytes)?;
        let peeled = format!("{}^{{commit}}", source::FETCHED_REF);
        let parse = source::local(&git_dir, &["rev-parse", "--verify", "--end-of-options", &peeled]);
        let parsed = expect_success(confined.run(parse, None, limit, deadline).await?)?;
        let text = String::from_utf8_lossy(&parsed.stdout).trim().to_owned();
        let commit: CommitId = text.parse().map_err(|_| FetchError::NotARepository)?;
        let list = source::local(
            &git_dir,
            &["ls-tree", "-r", "-t", "-z", "--full-tree", "--long", "--end-of-options", commit.as_str()],
        );
        let listed = expect_success(confined.run(list, None, self.caps.entries * 512, deadline).await?)?;
        let listing = Listing::parse(&listed.stdout, self.caps.entries)?;
        Ok(Checkout { dir, confined, commit, reference: resolved.reference.clone(), listing })
    }

    fn new_dir(&self) -> Result<TempDir, FetchError> {
        tempfile::Builder::new().prefix("commit-").tempdir_in(&self.work_dir).map_err(FetchError::Directory)
    }

    fn confined(&self, dir: &TempDir) -> Result<Confined, FetchError> {
        Confined::new(&self.confiner, dir.path(), self.sources.extra_ca.as_deref(), self.caps)
    }
}

impl Checkout {
    /// The files, for reading; `subdir` narrows them. Reads block: use it on a thread that may.
    pub fn tree(&self, subdir: &str) -> Result<GitTree, FetchError> {
        let args = source::local(&self.confined.git_dir(), &["cat-file", "--batch"]);
        GitTree::start(&self.confined, args, self.listing.under(subdir), CAPS.blob_bytes)
    }

    /// Where it is kept.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }
}

fn expect_success(output: Output) -> Result<Output, FetchError> {
    if output.success { Ok(output) } else { Err(FetchError::from_git(&output)) }
}
