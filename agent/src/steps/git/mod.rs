//! Source code at a commit: fetched bare and shallow by a confined child, unpacked file by file, never checked out.
//!
//! Rule: the address was checked before git starts and git can reach no other (`hydron_proto::source`); nothing of the
//! repository runs, and nothing of it decides where a file is written. Neighbours: `fetch`, `unpack`, `links`.

mod fetch;
mod links;
mod unpack;

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use hydron_proto::names::{CommitId, ResourceName};
use hydron_proto::plan::{GitCheckout, StepResult};
use serde::{Deserialize, Serialize};

use super::Applied;
use crate::record;
use crate::root::Root;
use crate::step_context::{Check, StepContext, StepFailure};

/// Commits of a project whose trees stay, whatever their age.
const KEPT: usize = 3;
/// How long every tree stays.
const KEPT_FOR: Duration = Duration::from_hours(24);

/// Where a checkout lies on this server.
#[derive(Debug, Clone)]
pub(super) struct Checkout(PathBuf);

/// Written when the tree is complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Complete {
    commit: CommitId,
    files: u64,
}

impl Checkout {
    /// By the name that its step gave.
    pub(super) fn of(root: &Root, name: &ResourceName) -> Self {
        Self(root.steps().join("checkouts").join(name.as_str()))
    }

    /// The files.
    pub(super) fn tree(&self) -> PathBuf {
        self.0.join("tree")
    }

    /// The commit that is there, complete.
    pub(super) fn commit(&self) -> Result<Option<CommitId>, StepFailure> {
        Ok(self.complete()?.map(|complete| complete.commit))
    }

    fn complete(&self) -> Result<Option<Complete>, StepFailure> {
        let complete = record::read_json(&self.0.join("complete.json"))?;
        Ok(complete.filter(|_| self.tree().is_dir()))
    }

    /// Removes older commits of the same project: a retry or another service may still need the newest ones, and those of
    /// the last day. Names end in their commit.
    fn forget_older(&self, now: SystemTime) {
        let (Some(all), Some(prefix)) =
            (self.0.parent(), self.0.to_str().and_then(|path| path.rsplit_once('-')))
        else {
            return;
        };
        let entries = std::fs::read_dir(all).into_iter().flatten().flatten().map(|entry| entry.path());
        let same = entries.filter(|path| {
            path.to_str().and_then(|path| path.rsplit_once('-')).map(|at| at.0) == Some(prefix.0)
        });
        let dated = same.filter_map(|path| {
            Some((std::fs::metadata(path.join("complete.json")).ok()?.modified().ok()?, path))
        });
        let mut dated: Vec<(SystemTime, PathBuf)> = dated.collect();
        dated.sort_unstable();
        for (at, path) in dated.into_iter().rev().skip(KEPT) {
            if now.duration_since(at).is_ok_and(|age| age > KEPT_FOR)
                && let Err(error) = remove(&path)
            {
                tracing::warn!(%error, path = %path.display(), "an old checkout could not be removed");
            }
        }
    }

    /// Puts a fresh tree in place of the old one.
    fn replace_tree(&self, fresh: &std::path::Path, complete: &Complete) -> Result<(), StepFailure> {
        let io = |error: std::io::Error| StepFailure::new("CHECKOUT_NOT_KEPT", error.to_string());
        remove(&self.0.join("complete.json")).map_err(io)?;
        remove(&self.tree()).map_err(io)?;
        std::fs::rename(fresh, self.tree()).map_err(io)?;
        Ok(record::replace_json(&self.0.join("complete.json"), complete)?)
    }
}

pub(super) fn check(wanted: &GitCheckout, context: &StepContext<'_>) -> Result<Check, StepFailure> {
    let complete = Checkout::of(context.root, &wanted.checkout).complete()?;
    Ok(match complete.filter(|complete| complete.commit == wanted.commit) {
        Some(complete) => Check::AlreadyDone(result(complete)),
        None => Check::Needed,
    })
}

pub(super) async fn apply(wanted: &GitCheckout, context: &StepContext<'_>) -> Result<Applied, StepFailure> {
    if let Check::AlreadyDone(result) = check(wanted, context)? {
        context.log.line(&format!("commit {} is here already", wanted.commit)).await;
        return Ok(Applied::unchanged(result));
    }
    let checkout = Checkout::of(context.root, &wanted.checkout);
    record::directory(&context.root.steps(), 0o700)?;
    record::directory(&checkout.0, 0o700)?;
    let repository = fetch::fetch(wanted, context).await?;
    let fresh = checkout.0.join("tree.new");
    remove(&fresh).map_err(|error| StepFailure::new("CHECKOUT_NOT_KEPT", error.to_string()))?;
    record::directory(&fresh, 0o700)?;
    let files = unpack::unpack(&repository, &wanted.commit, &fresh, context).await?;
    let complete = Complete { commit: wanted.commit.clone(), files };
    checkout.replace_tree(&fresh, &complete)?;
    checkout.forget_older(SystemTime::now());
    context.log.line(&format!("{files} files of commit {}", wanted.commit)).await;
    Ok(Applied::changed(result(complete)))
}

pub(super) fn undo(wanted: &GitCheckout, context: &StepContext<'_>) -> Result<(), StepFailure> {
    let fresh = Checkout::of(context.root, &wanted.checkout).0.join("tree.new");
    remove(&fresh).map_err(|error| StepFailure::new("CHECKOUT_NOT_KEPT", error.to_string()))
}

fn result(complete: Complete) -> StepResult {
    StepResult::CheckedOut { commit: complete.commit, files: complete.files }
}

fn remove(path: &std::path::Path) -> std::io::Result<()> {
    let removed = match std::fs::symlink_metadata(path) {
        Ok(data) if data.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_commits_of_the_same_project_go_and_those_of_others_stay() {
        let root = tempfile::tempdir().unwrap();
        let now = SystemTime::now();
        let make = |name: &str, hours: u64| {
            let path = root.path().join(name);
            std::fs::create_dir(&path).unwrap();
            let file = std::fs::File::create(path.join("complete.json")).unwrap();
            file.set_modified(now - Duration::from_hours(hours)).unwrap();
            Checkout(path)
        };
        let newest = make("hy-one-a1", 0);
        for (name, hours) in [("hy-one-b2", 30), ("hy-one-c3", 40), ("hy-one-d4", 50), ("hy-one-e5", 60)] {
            make(name, hours);
        }
        make("hy-two-f6", 90);
        make("hy-one-a-g7", 90);
        newest.forget_older(now);
        let mut left: Vec<String> = std::fs::read_dir(root.path())
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["hy-one-a-g7", "hy-one-a1", "hy-one-b2", "hy-one-c3", "hy-two-f6"]);
        let day = make("hy-two-h8", 0);
        for name in ["hy-two-i9", "hy-two-j1", "hy-two-k2"] {
            make(name, 2);
        }
        day.forget_older(now);
        assert!(root.path().join("hy-two-k2").exists(), "those of the last day stay");
        assert!(!root.path().join("hy-two-f6").exists());
    }
}
