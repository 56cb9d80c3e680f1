//! What the demo remembers between runs, in `state.json` of its state directory and again beside the agent's files.
//!
//! Rule: written after each thing is made, by write-and-rename; secrets stand in files of their own, mode 0600. The copy
//! is there for a state directory that somebody deleted: what it named still runs.

use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, fchown};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The copy of `state.json` in the agent's root.
const COPY: &str = "demo.json";

/// The file's content.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Remembered {
    /// Port of the sites, plain HTTP.
    pub http_port: Option<u16>,
    /// Port of the sites, TLS.
    pub https_port: Option<u16>,
    /// Port of UI and API.
    pub api_port: Option<u16>,
    /// Port of the agents.
    pub agents_port: Option<u16>,
    /// Port of the git host.
    pub git_port: Option<u16>,
    /// The project, once made.
    pub project: Option<String>,
    /// The server, once joined.
    pub server: Option<String>,
    /// Root directory of the agent.
    pub agent_root: Option<PathBuf>,
}

impl Remembered {
    /// What is remembered of the demo of a state directory, also when that directory was deleted. None: there is no demo.
    pub fn of(dir: &Path) -> anyhow::Result<Option<Self>> {
        match read(&dir.join("state.json"))? {
            Some(known) => Ok(Some(known)),
            None => Self::left_in(&agent_root(dir)?),
        }
    }

    /// What is remembered in an agent's root. None: there is no such root.
    pub fn left_in(root: &Path) -> anyhow::Result<Option<Self>> {
        let known = read(&root.join(COPY))?;
        let bare = || Self { agent_root: Some(root.to_owned()), ..Self::default() };
        Ok(known.or_else(|| root.is_dir().then(bare)))
    }
}

/// Where the agent of a state directory's demo has its files. Link and proxy run as users of their own, who may enter
/// `/var/lib` and not everybody's home; each state directory has a root of its own, so that demos do not meet.
pub fn agent_root(dir: &Path) -> anyhow::Result<PathBuf> {
    let absolute: PathBuf = std::path::absolute(dir)?.components().collect();
    let digest = Sha256::digest(absolute.as_os_str().as_encoded_bytes());
    let name = digest.iter().take(6).fold(String::new(), |name, byte| format!("{name}{byte:02x}"));
    Ok(PathBuf::from(format!("/var/lib/hydron-demo-{name}")))
}

fn read(path: &Path) -> anyhow::Result<Option<Remembered>> {
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .with_context(|| format!("{} is damaged; delete it to start over", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("read {}", path.display())),
    }
}

fn write(path: &Path, remembered: &Remembered) -> anyhow::Result<()> {
    let temporary = path.with_extension("json.new");
    std::fs::write(&temporary, serde_json::to_vec_pretty(remembered)?)?;
    std::fs::rename(temporary, path).with_context(|| format!("write {}", path.display()))
}

/// The state directory.
#[derive(Debug)]
pub struct State {
    dir: PathBuf,
    /// What is remembered; call [`State::save`] after a change.
    pub remembered: Remembered,
}

impl State {
    /// Opens (or makes) the state directory.
    pub fn open(dir: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(dir).with_context(|| format!("make {}", dir.display()))?;
        Ok(Self { dir: dir.to_owned(), remembered: read(&dir.join("state.json"))?.unwrap_or_default() })
    }

    /// A path below the state directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The state directory itself.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Makes what is remembered durable.
    pub fn save(&self) -> anyhow::Result<()> {
        write(&self.path("state.json"), &self.remembered)?;
        match &self.remembered.agent_root {
            Some(root) if root.is_dir() => write(&root.join(COPY), &self.remembered),
            Some(_) | None => Ok(()),
        }
    }

    /// Keeps a secret in a file of its own.
    pub fn keep_secret(&self, name: &str, value: &str) -> anyhow::Result<()> {
        self.keep(name, value, 0o600)
    }

    /// Keeps something that everybody may read.
    pub fn keep_public(&self, name: &str, value: &str) -> anyhow::Result<()> {
        self.keep(name, value, 0o644)
    }

    /// Of whoever called `sudo`: the files are for that person, and root could read them anyway.
    fn keep(&self, name: &str, value: &str, mode: u32) -> anyhow::Result<()> {
        let mut options = std::fs::File::options();
        let mut file = options.create(true).truncate(true).write(true).mode(mode).open(self.path(name))?;
        file.write_all(value.as_bytes())?;
        let id = |name: &str| std::env::var(name).ok().and_then(|id| id.parse().ok());
        if let Some(user) = id("SUDO_UID") {
            fchown(&file, Some(user), id("SUDO_GID"))?;
        }
        Ok(())
    }

    /// A secret kept earlier.
    pub fn secret(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.path(name)).ok()
    }
}
