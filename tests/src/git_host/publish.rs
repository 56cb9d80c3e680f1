//! Puts commits into the git host's bare repositories.
//!
//! Rule: a folder whose content is already at the branch's tip makes no new commit, so publishing twice changes nothing.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::GitHostError;

/// A commit that a branch now points to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The commit's full hash.
    pub commit: String,
    /// Whether it is new.
    pub changed: bool,
}

/// Makes `branch` of the bare repository hold exactly the files of `folder`, making the repository if needed.
pub fn publish_folder(
    repository: &Path,
    branch: &str,
    folder: &Path,
    message: &str,
) -> Result<Published, GitHostError> {
    let git = Git::open(repository, branch)?;
    let folder = absolute(folder)?;
    let index = tempfile::tempdir().map_err(GitHostError::io("making a temporary index"))?;
    let places = [
        ("GIT_INDEX_FILE", index.path().join("index").into_os_string()),
        ("GIT_WORK_TREE", folder.clone().into()),
    ];
    git.run(&["add", "--all", "."], &places, Some(&folder), None)?;
    let tree = git.run(&["write-tree"], &places, None, None)?;
    git.commit(branch, &tree, message)
}

/// Adds a commit with one file of `size` bytes that do not compress, for hosts that serve too much.
pub fn publish_blob(repository: &Path, branch: &str, size: usize) -> Result<Published, GitHostError> {
    let git = Git::open(repository, branch)?;
    let blob = git.run(&["hash-object", "-w", "--stdin"], &[], None, Some(&noise(size)))?;
    let entry = format!("100644 blob {blob}\tnoise.bin\n");
    let tree = git.run(&["mktree"], &[], None, Some(entry.as_bytes()))?;
    git.commit(branch, &tree, "Noise")
}

/// Adds a commit of `files` small files in one folder, for whoever reads too many.
pub fn publish_many(repository: &Path, branch: &str, files: usize) -> Result<Published, GitHostError> {
    let git = Git::open(repository, branch)?;
    let blob = git.run(&["hash-object", "-w", "--stdin"], &[], None, Some(b"one of many\n"))?;
    let entries: Vec<String> =
        (0..files).map(|file| format!("100644 blob {blob}\t{file:06}.txt\n")).collect();
    let listing = entries.concat();
    let tree = git.run(&["mktree"], &[], None, Some(listing.as_bytes()))?;
    git.commit(branch, &tree, "Many files")
}

/// Settings for every git process of the host: no user's or system's configuration; partial clones and any commit served.
pub(super) fn safe_settings() -> Vec<(String, OsString)> {
    let config = [
        ("safe.directory", "*"),
        ("uploadpack.allowFilter", "true"),
        ("uploadpack.allowAnySHA1InWant", "true"),
        ("gc.auto", "0"),
    ];
    let mut settings: Vec<(String, OsString)> = vec![
        ("GIT_CONFIG_NOSYSTEM".to_owned(), "1".into()),
        ("GIT_CONFIG_GLOBAL".to_owned(), "/dev/null".into()),
        ("GIT_TERMINAL_PROMPT".to_owned(), "0".into()),
        ("HOME".to_owned(), "/nonexistent".into()),
        ("GIT_CONFIG_COUNT".to_owned(), config.len().to_string().into()),
    ];
    for (index, (key, value)) in config.iter().enumerate() {
        settings.push((format!("GIT_CONFIG_KEY_{index}"), key.into()));
        settings.push((format!("GIT_CONFIG_VALUE_{index}"), value.into()));
    }
    settings
}

struct Git {
    repository: PathBuf,
}

impl Git {
    fn open(repository: &Path, branch: &str) -> Result<Self, GitHostError> {
        let git = Self { repository: absolute(repository)? };
        if !repository.join("HEAD").exists() {
            let initial = format!("--initial-branch={branch}");
            let mut command = plain("git");
            command.args(["init", "--quiet", "--bare", &initial]).arg(repository);
            finish(command, "init", None)?;
        }
        Ok(git)
    }

    fn commit(&self, branch: &str, tree: &str, message: &str) -> Result<Published, GitHostError> {
        let reference = format!("refs/heads/{branch}");
        let parent = self.run(&["rev-parse", "--verify", "--quiet", &reference], &[], None, None).ok();
        if let Some(parent) = &parent {
            let old_tree = self.run(&["rev-parse", &format!("{parent}^{{tree}}")], &[], None, None)?;
            if old_tree == tree {
                return Ok(Published { commit: parent.clone(), changed: false });
            }
        }
        let mut arguments = vec!["commit-tree", tree, "-m", message];
        if let Some(parent) = &parent {
            arguments.extend(["-p", parent.as_str()]);
        }
        let commit = self.run(&arguments, &[], None, None)?;
        self.run(&["update-ref", &reference, &commit], &[], None, None)?;
        Ok(Published { commit, changed: true })
    }

    fn run(
        &self,
        arguments: &[&str],
        places: &[(&str, OsString)],
        inside: Option<&Path>,
        input: Option<&[u8]>,
    ) -> Result<String, GitHostError> {
        let mut command = plain("git");
        command.arg("--git-dir").arg(&self.repository).args(arguments);
        for (name, value) in places {
            command.env(name, value);
        }
        if let Some(folder) = inside {
            command.current_dir(folder);
        }
        finish(command, arguments.first().copied().unwrap_or_default(), input)
    }
}

/// Git runs inside other folders: relative paths would mean something else there.
fn absolute(path: &Path) -> Result<PathBuf, GitHostError> {
    std::path::absolute(path).map_err(GitHostError::io(format!("finding {}", path.display())))
}

fn plain(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .envs(safe_settings())
        .envs(["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"].map(|name| (name, "Hydron lab")))
        .envs(["GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"].map(|name| (name, "lab@localhost")))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn finish(mut command: Command, name: &str, input: Option<&[u8]>) -> Result<String, GitHostError> {
    let failed = || GitHostError::io(format!("running git {name}"));
    command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
    let mut child = command.spawn().map_err(failed())?;
    if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
        stdin.write_all(input).map_err(failed())?;
    }
    let output = child.wait_with_output().map_err(failed())?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(GitHostError::Git { command: name.to_owned(), stderr });
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Bytes that zlib cannot make smaller, the same every time (xorshift).
fn noise(size: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}
