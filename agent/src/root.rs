//! Where everything lies: all paths of the agent below one root directory (`--root`, by default `/`).
//!
//! Rule: no other file spells a path of the agent's own. Neighbours: everybody.

use std::path::{Path, PathBuf};

use hydron_proto::ids::RunId;
use hydron_proto::names::AbsolutePath;

/// The directory below which the agent keeps everything it owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root(PathBuf);

impl Root {
    /// A root; `/` in production, any directory in tests and beside other agents.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where an absolute path of a plan lies below this root.
    pub fn inside(&self, path: &AbsolutePath) -> PathBuf {
        self.0.join(path.as_str().trim_start_matches('/'))
    }

    /// `etc/hydron`: written by people.
    pub fn etc(&self) -> PathBuf {
        self.0.join("etc/hydron")
    }

    /// The configuration of this agent.
    pub fn agent_toml(&self) -> PathBuf {
        self.etc().join("agent.toml")
    }

    /// What this server's owner allows at all.
    pub fn policy_toml(&self) -> PathBuf {
        self.etc().join("policy.toml")
    }

    /// `var/lib/hydron`: the state of all parts.
    pub fn state(&self) -> PathBuf {
        self.0.join("var/lib/hydron")
    }

    /// The link's own state: TLS key, certificate, session counter. Owned by the link's user.
    pub fn link(&self) -> PathBuf {
        self.state().join("link")
    }

    /// The executor's own state. Root only.
    pub fn exec(&self) -> PathBuf {
        self.state().join("exec")
    }

    /// The proxy's configuration and sockets. Owned by `edge`.
    pub fn edge(&self) -> PathBuf {
        self.state().join("edge")
    }

    /// The site authority and the sites' certificates. Owned by `edge`.
    pub fn certs(&self) -> PathBuf {
        self.state().join("certs")
    }

    /// The public certificate of the site authority, PEM; reported in the server's facts.
    pub fn site_ca_pem(&self) -> PathBuf {
        self.certs().join("ca.pem")
    }

    /// What steps keep between runs: checkouts, release records, address assignments. Root only.
    pub fn steps(&self) -> PathBuf {
        self.state().join("steps")
    }

    /// Where unprivileged git children work; emptied after each fetch.
    pub fn fetch(&self) -> PathBuf {
        self.state().join("fetch")
    }

    /// One directory a run: envelope, journal, spools, exit records.
    pub fn runs(&self) -> PathBuf {
        self.exec().join("runs")
    }

    /// The directory of one run.
    pub fn run(&self, run: RunId) -> PathBuf {
        self.runs().join(run.to_string())
    }

    /// Runs whose journal could not be read, kept for a person to look at.
    pub fn quarantine(&self) -> PathBuf {
        self.exec().join("corrupt")
    }

    /// `run/hydron`: sockets.
    pub fn sockets(&self) -> PathBuf {
        self.0.join("run/hydron")
    }

    /// Where the executor listens for the link.
    pub fn exec_socket(&self) -> PathBuf {
        self.sockets().join("exec.sock")
    }
}
