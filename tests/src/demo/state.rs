//! What the demo remembers between runs, in `state.json` of its state directory.
//!
//! Rule: written after each thing is made, by write-and-rename; secrets stand in files of their own, mode 0600.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

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
        let remembered = match std::fs::read(dir.join("state.json")) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).context("read state.json; `make demo-clean` starts over")?
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Remembered::default(),
            Err(error) => return Err(error).context("read state.json"),
        };
        Ok(Self { dir: dir.to_owned(), remembered })
    }

    /// A path below the state directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Makes what is remembered durable.
    pub fn save(&self) -> anyhow::Result<()> {
        let temporary = self.path("state.json.new");
        std::fs::write(&temporary, serde_json::to_vec_pretty(&self.remembered)?)?;
        std::fs::rename(temporary, self.path("state.json"))?;
        Ok(())
    }

    /// Keeps a secret in a file of its own.
    pub fn keep_secret(&self, name: &str, value: &str) -> anyhow::Result<()> {
        let mut options = std::fs::File::options();
        let mut file = options.create(true).truncate(true).write(true).mode(0o600).open(self.path(name))?;
        file.write_all(value.as_bytes())?;
        Ok(())
    }

    /// A secret kept earlier.
    pub fn secret(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.path(name)).ok()
    }
}
