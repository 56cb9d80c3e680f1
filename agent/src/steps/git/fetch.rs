//! The confined `git` child that fetches one commit.
//!
//! Rule: its flags, environment, limits and file and network rules come from `hydron_proto::source`, the same as the
//! coordinator's; it runs as a user that nothing else is, and its directory is watched and removed afterwards.

use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use hydron_proto::plan::GitCheckout;
use hydron_proto::source::confine::Limits;
use hydron_proto::source::{self, CAPS, Pin, Wanted};
use nix::unistd::{Gid, Uid};
use tokio::process::Command;
use zeroize::Zeroizing;

use crate::child;
use crate::step_context::{StepContext, StepFailure};
use crate::steps::failure::{of_exit, unless_cancelled};

/// User and group of the child: no system gives this number to anybody (systemd's table of user ids lists 65520 to 65533 as
/// unused), so that it owns nothing else; the link may be `nobody`.
const FETCHER: u32 = 65_533;

/// A bare repository with one commit; removed when dropped.
pub(super) struct Repository {
    home: PathBuf,
    /// Whether children leave root; they can only when the agent is root.
    unprivileged: bool,
}

impl Drop for Repository {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.home);
    }
}

impl Repository {
    pub(super) fn git_dir(&self) -> PathBuf {
        self.home.join("repository.git")
    }

    /// Confined `git` with these arguments, which may connect to one port.
    pub(super) fn git(
        &self,
        arguments: Vec<std::ffi::OsString>,
        connect: Option<u16>,
        context: &StepContext<'_>,
    ) -> Command {
        let limits = Limits {
            dir: self.home.clone(),
            connect: connect.unwrap_or(0),
            file_bytes: CAPS.disk_bytes,
            memory_bytes: CAPS.memory_bytes,
            cpu_s: CAPS.cpu_s,
        };
        let confiner = context.config.confiner.as_deref().unwrap_or(Path::new("/proc/self/exe"));
        let mut command = context.cgroup.command(&confiner.to_string_lossy());
        command
            .args(limits.to_args())
            .arg("--")
            .args(arguments)
            .env_clear()
            .envs(source::environment(&self.home))
            .current_dir("/");
        if self.unprivileged {
            command.uid(FETCHER).gid(FETCHER);
        }
        command
    }
}

/// Fetches the commit of a step.
pub(super) async fn fetch(
    wanted: &GitCheckout,
    context: &StepContext<'_>,
) -> Result<Repository, StepFailure> {
    let pin = checked_address(wanted, context).await?;
    let repository = prepare(wanted, context)?;
    let authority = readable_authority(&repository, context)?;
    run(repository.git(source::init(&repository.git_dir()), None, context), &repository, context).await?;
    context.doing.set(format!("Fetching {}", wanted.url));
    context.log.line(&format!("fetching {} at {}", wanted.url, wanted.commit)).await;
    let commit = Wanted::Commit(&wanted.commit);
    let arguments =
        source::fetch(&repository.git_dir(), &wanted.url, commit, None, &pin, authority.as_deref());
    let mut command = repository.git(arguments, Some(pin.port), context);
    lend_credential(&mut command, wanted, context)?;
    run(command, &repository, context).await?;
    Ok(repository)
}

/// Every address of the host, checked; git is pinned to them.
async fn checked_address(wanted: &GitCheckout, context: &StepContext<'_>) -> Result<Pin, StepFailure> {
    let (host, port) = wanted.url.host_and_port();
    let found = match tokio::net::lookup_host((host, port)).await {
        Ok(found) => found.map(|address| address.ip()).collect(),
        Err(_) => Vec::<IpAddr>::new(),
    };
    Pin::check(&wanted.url, &found, context.config.allow_private_sources)
        .map_err(|refused| StepFailure::new("SOURCE_ADDRESS_REFUSED", format!("{}: {refused}", wanted.url)))
}

/// A fresh directory that the child owns and can reach.
fn prepare(wanted: &GitCheckout, context: &StepContext<'_>) -> Result<Repository, StepFailure> {
    let io = |error: std::io::Error| StepFailure::new("CHECKOUT_NOT_KEPT", error.to_string());
    let unprivileged = Uid::effective().is_root();
    let above = context.root.fetch();
    crate::record::directory(&above, 0o711)?;
    let home = above.join(wanted.checkout.as_str());
    super::remove(&home).map_err(io)?;
    crate::record::directory(&home, 0o700)?;
    if unprivileged {
        nix::unistd::chown(&home, Some(Uid::from_raw(FETCHER)), Some(Gid::from_raw(FETCHER)))
            .map_err(|error| io(error.into()))?;
        check_searchable(&above)?;
    }
    Ok(Repository { home, unprivileged })
}

fn check_searchable(path: &Path) -> Result<(), StepFailure> {
    let closed = path.ancestors().find(|directory| {
        std::fs::metadata(directory).is_ok_and(|data| data.permissions().mode() & 0o001 == 0)
    });
    closed.map_or(Ok(()), |directory| {
        Err(StepFailure::new(
            "FETCH_PATH_PRIVATE",
            format!(
                "{} must be searchable by other users (mode 0711): git runs without root",
                directory.display()
            ),
        ))
    })
}

/// The extra authority of demonstrations and tests, where the child can read it.
fn readable_authority(
    repository: &Repository,
    context: &StepContext<'_>,
) -> Result<Option<PathBuf>, StepFailure> {
    let Some(given) = &context.config.extra_source_ca else { return Ok(None) };
    let copy = repository.home.join("authority.pem");
    let unreadable = |error| {
        StepFailure::new("SOURCE_CA_UNREADABLE", format!("{}: {error}; set extra_source_ca", given.display()))
    };
    std::fs::copy(given, &copy).map_err(unreadable)?;
    std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(0o644)).map_err(unreadable)?;
    Ok(Some(copy))
}

/// By environment: a header in argv could be read by every user of the machine. The secret is a token, or `user:token`.
fn lend_credential(
    command: &mut Command,
    wanted: &GitCheckout,
    context: &StepContext<'_>,
) -> Result<(), StepFailure> {
    let Some(secret) = &wanted.credential else { return Ok(()) };
    let missing = || StepFailure::new("SECRET_MISSING", format!("the token {} was not given", secret.name));
    let value = context.secrets.get(secret).ok_or_else(missing)?;
    let mut pair = Zeroizing::new(Vec::new());
    if !value.contains(&b':') {
        pair.extend_from_slice(b"x-access-token:");
    }
    pair.extend_from_slice(value);
    let encoded = Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(pair.as_slice()));
    let header = Zeroizing::new(format!("Authorization: Basic {}", encoded.as_str()));
    command
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "http.extraHeader")
        .env("GIT_CONFIG_VALUE_0", &*header);
    Ok(())
}

async fn run(
    command: Command,
    repository: &Repository,
    context: &StepContext<'_>,
) -> Result<(), StepFailure> {
    let failed = |error: std::io::Error| {
        StepFailure::new("GIT_MISSING", format!("git could not be run ({error}); install git and retry"))
    };
    let work = async {
        tokio::select! {
            ended = child::run_quiet(context.cgroup, command) => ended.map_err(failed),
            too_large = watch_size(repository) => Err(too_large),
            () = tokio::time::sleep(Duration::from_secs(CAPS.wall_s)) => Err(StepFailure::new(
                "GIT_TOO_SLOW",
                format!("the fetch took longer than {} s; try again, or use a smaller repository", CAPS.wall_s),
            )),
        }
    };
    let ended = unless_cancelled(context, work).await?;
    context.log.bytes(ended.output.as_bytes()).await;
    if ended.status.success() {
        return Ok(());
    }
    if ended.status.code() == Some(127) {
        return Err(failed(std::io::Error::from(std::io::ErrorKind::NotFound)));
    }
    let last = ended.output.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no output");
    let failure = of_exit("GIT_FETCH_FAILED", "git", ended.status);
    Err(StepFailure { message: format!("the source could not be fetched: {last}"), ..failure })
}

/// Ends when the directory has grown over the cap.
async fn watch_size(repository: &Repository) -> StepFailure {
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        if size(&repository.home) > CAPS.disk_bytes {
            return StepFailure::new(
                "GIT_TOO_LARGE",
                format!("the repository is larger than {} MiB; use a smaller one", CAPS.disk_bytes >> 20),
            );
        }
    }
}

fn size(directory: &Path) -> u64 {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(data) if data.is_dir() => size(&entry.path()),
            Ok(data) => data.len(),
            Err(_) => 0,
        })
        .sum()
}
