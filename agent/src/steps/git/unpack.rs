//! Writes the files of a commit: listed by `ls-tree`, read by one `cat-file --batch`, created one by one.
//!
//! Rule: regular files and links that stay inside, nothing else; no file is ever written through a link.

use std::path::Path;
use std::process::Stdio;

use hydron_proto::names::CommitId;
use hydron_proto::source::{self, CAPS};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{ChildStdin, ChildStdout};

use super::fetch::Repository;
use super::links;
use crate::step_context::{StepContext, StepFailure};
use crate::steps::failure::unless_cancelled;
use crate::steps::place::{Place, refused};

/// One entry of the commit's tree.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    mode: Mode,
    object: String,
    size: u64,
    path: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    File,
    Executable,
    Link,
    Submodule,
}

/// Unpacks a commit into an empty directory; returns how many files there are.
pub(super) async fn unpack(
    repository: &Repository,
    commit: &CommitId,
    into: &Path,
    context: &StepContext<'_>,
) -> Result<u64, StepFailure> {
    context.doing.set("Unpacking the source");
    let entries = list(repository, commit, context).await?;
    check_caps(&entries)?;
    unless_cancelled(context, write_all(repository, &entries, into, context)).await
}

async fn list(
    repository: &Repository,
    commit: &CommitId,
    context: &StepContext<'_>,
) -> Result<Vec<Entry>, StepFailure> {
    let arguments =
        source::local(&repository.git_dir(), &["ls-tree", "-r", "-z", "-l", "--full-tree", commit.as_str()]);
    let mut command = repository.git(arguments, None, context);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = context.cgroup.spawn(&mut command).map_err(broken)?;
    let mut listing = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(CAPS.listing_bytes as u64 * 4).read_to_end(&mut listing).await.map_err(broken)?;
    }
    if !child.wait().await.map_err(broken)?.success() {
        return Err(StepFailure::new("GIT_UNREADABLE", format!("commit {commit} could not be listed")));
    }
    listing.split(|byte| *byte == 0).filter(|line| !line.is_empty()).map(parse).collect()
}

/// `<mode> SP <type> SP <object> SP+ <size> TAB <path>`.
fn parse(line: &[u8]) -> Result<Entry, StepFailure> {
    let text = std::str::from_utf8(line).map_err(|_| {
        let shown = String::from_utf8_lossy(line).into_owned();
        StepFailure::new(
            "GIT_NAME_REFUSED",
            format!("a file name of the repository is not UTF-8: {shown}; rename it"),
        )
    })?;
    let odd = || StepFailure::new("GIT_UNREADABLE", "git listed something that is not a tree entry");
    let (facts, path) = text.split_once('\t').ok_or_else(odd)?;
    let mut facts = facts.split_ascii_whitespace();
    let mode = match facts.next() {
        Some("100644" | "100664") => Mode::File,
        Some("100755") => Mode::Executable,
        Some("120000") => Mode::Link,
        Some("160000") => Mode::Submodule,
        Some(_) | None => return Err(odd()),
    };
    let object = facts.nth(1).ok_or_else(odd)?.to_owned();
    let size = facts.next().and_then(|size| size.parse().ok()).unwrap_or(0);
    if !links::is_plain(path) {
        return Err(StepFailure::new(
            "GIT_NAME_REFUSED",
            format!("the repository has a file named {path:?}, which is not allowed; remove it and retry"),
        ));
    }
    Ok(Entry { mode, object, size, path: path.to_owned() })
}

fn check_caps(entries: &[Entry]) -> Result<(), StepFailure> {
    let bytes = entries.iter().fold(0u64, |sum, entry| sum.saturating_add(entry.size));
    if entries.len() <= CAPS.entries && bytes <= CAPS.disk_bytes {
        return Ok(());
    }
    Err(StepFailure::new(
        "GIT_TOO_LARGE",
        format!(
            "the commit has {} files with {} MiB; at most {} files and {} MiB are unpacked",
            entries.len(),
            bytes >> 20,
            CAPS.entries,
            CAPS.disk_bytes >> 20
        ),
    ))
}

async fn write_all(
    repository: &Repository,
    entries: &[Entry],
    into: &Path,
    context: &StepContext<'_>,
) -> Result<u64, StepFailure> {
    let mut command =
        repository.git(source::local(&repository.git_dir(), &["cat-file", "--batch"]), None, context);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = context.cgroup.spawn(&mut command).map_err(broken)?;
    let pipes = child.stdin.take().zip(child.stdout.take());
    let (mut asks, answers) = pipes.ok_or_else(|| StepFailure::new("GIT_UNREADABLE", "git has no pipes"))?;
    let mut answers = BufReader::new(answers);
    let mut files = 0;
    let mut link_targets = Vec::new();
    for entry in entries {
        match entry.mode {
            Mode::File | Mode::Executable => {
                let mut file = create(into, entry)?;
                copy_object(&mut asks, &mut answers, entry, |bytes| {
                    std::io::Write::write_all(&mut file, bytes)
                })
                .await?;
                files += 1;
            }
            Mode::Link => {
                let mut target = Vec::new();
                copy_object(&mut asks, &mut answers, entry, |bytes| {
                    target.extend_from_slice(bytes);
                    Ok(())
                })
                .await?;
                link_targets.push((entry, target));
            }
            Mode::Submodule => context.log.line(&format!("submodule {} is not fetched", entry.path)).await,
        }
    }
    drop(asks);
    child.wait().await.map_err(broken)?;
    // Links last, so that no file could have been written through one.
    for (entry, target) in link_targets {
        make_link(into, entry, &target, context).await?;
    }
    Ok(files)
}

async fn copy_object(
    asks: &mut ChildStdin,
    answers: &mut BufReader<ChildStdout>,
    entry: &Entry,
    mut take: impl FnMut(&[u8]) -> std::io::Result<()>,
) -> Result<(), StepFailure> {
    asks.write_all(format!("{}\n", entry.object).as_bytes()).await.map_err(broken)?;
    asks.flush().await.map_err(broken)?;
    let mut header = String::new();
    answers.read_line(&mut header).await.map_err(broken)?;
    if header.trim_end() != format!("{} blob {}", entry.object, entry.size) {
        let said = header.trim_end();
        return Err(StepFailure::new("GIT_UNREADABLE", format!("{} could not be read: {said}", entry.path)));
    }
    let mut left = usize::try_from(entry.size).unwrap_or(usize::MAX);
    let mut buffer = vec![0; 64 * 1024];
    while left > 0 {
        let most = left.min(buffer.len());
        let read = answers.read(buffer.get_mut(..most).unwrap_or_default()).await.map_err(broken)?;
        if read == 0 {
            return Err(StepFailure::new("GIT_UNREADABLE", format!("{} ended early", entry.path)));
        }
        take(buffer.get(..read).unwrap_or_default())
            .map_err(|error| refused(Path::new(&entry.path), error))?;
        left -= read;
    }
    answers.read_u8().await.map_err(broken)?;
    Ok(())
}

fn create(into: &Path, entry: &Entry) -> Result<std::fs::File, StepFailure> {
    let mode = if entry.mode == Mode::Executable { 0o755 } else { 0o644 };
    let (parent, name) = split(&entry.path);
    let place =
        Place::walk(into, parent, Some(0o755)).map_err(|error| refused(Path::new(&entry.path), error))?;
    place.create(name, mode).map_err(|error| refused(Path::new(&entry.path), error))
}

async fn make_link(
    into: &Path,
    entry: &Entry,
    target: &[u8],
    context: &StepContext<'_>,
) -> Result<(), StepFailure> {
    let target = std::str::from_utf8(target).unwrap_or_default();
    if !links::stays_inside(&entry.path, target) {
        context.log.line(&format!("link {} leads out of the repository and is left out", entry.path)).await;
        return Ok(());
    }
    let (parent, name) = split(&entry.path);
    Place::walk(into, parent, Some(0o755))
        .and_then(|place| place.link(name, Path::new(target)))
        .map_err(|error| refused(Path::new(&entry.path), error))
}

fn split(path: &str) -> (&Path, &Path) {
    let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
    (Path::new(parent), Path::new(name))
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn broken(error: std::io::Error) -> StepFailure {
    StepFailure::new("GIT_UNREADABLE", format!("git could not be read: {error}"))
}
