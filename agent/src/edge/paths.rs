//! The rooms of the edge below the agent's root.

use std::path::{Path, PathBuf};

use crate::record::{self, RecordError};
use crate::root::Root;

/// Where the proxy's files lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdgePaths {
    edge: PathBuf,
    certs: PathBuf,
}

impl EdgePaths {
    /// The paths of a root.
    pub fn of(root: &Root) -> Self {
        Self { edge: root.edge(), certs: root.certs() }
    }

    /// The proxy's prefix.
    pub fn prefix(&self) -> &Path {
        &self.edge
    }

    /// Certificates and the site authority.
    pub fn certs(&self) -> &Path {
        &self.certs
    }

    /// A numbered generation.
    pub fn generation(&self, number: u64) -> PathBuf {
        self.generations().join(number.to_string())
    }

    /// All generations that are kept.
    pub fn generations(&self) -> PathBuf {
        self.edge.join("generations")
    }

    /// Link to the generation that serves.
    pub fn current(&self) -> PathBuf {
        self.edge.join("current")
    }

    /// The configuration with which the proxy was started; through [`EdgePaths::current`].
    pub fn configuration(&self) -> PathBuf {
        self.current().join("nginx.conf")
    }

    /// Process id of the proxy.
    pub fn pid(&self) -> PathBuf {
        self.edge.join("run/nginx.pid")
    }

    /// Where the proxy says its generation.
    pub fn control_socket(&self) -> PathBuf {
        self.edge.join("run/control.sock")
    }

    /// The proxy's complaints.
    pub fn error_log(&self) -> PathBuf {
        self.edge.join("logs/error.log")
    }

    /// One line a request.
    pub fn access_log(&self) -> PathBuf {
        self.edge.join("logs/access.log")
    }

    /// Held by whoever changes the state.
    pub fn lock(&self) -> PathBuf {
        self.edge.join("lock")
    }

    /// Makes the directories. Workers reach `tmp` as another user; everything else is root's.
    pub fn prepare(&self) -> Result<(), RecordError> {
        record::directory(&self.edge, 0o711)?;
        record::directory(&self.edge.join("tmp"), 0o711)?;
        for name in ["run", "logs", "generations"] {
            record::directory(&self.edge.join(name), 0o700)?;
        }
        record::directory(&self.certs, 0o700)
    }
}
