//! What people write: `agent.toml` (this agent) and `policy.toml` (what this server allows at all).
//!
//! Rule: strict TOML, parsed once; an unknown field is an error that names file and field.

mod agent;
mod policy;

use std::path::{Path, PathBuf};

pub use agent::{AgentConfig, LinkConfig, StepConfig};
pub use policy::{Policy, PolicyMode};
use serde::de::DeserializeOwned;

/// A configuration file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It is there and cannot be read.
    #[error("{} cannot be read", .0.display())]
    Read(PathBuf, #[source] std::io::Error),
    /// It does not parse; the source names line and field.
    #[error("{}: {}", .0.display(), .1)]
    Parse(PathBuf, Box<toml::de::Error>),
}

/// Reads a file; its default when it does not exist.
fn load<T: DeserializeOwned + Default>(path: &Path) -> Result<T, ConfigError> {
    match std::fs::read_to_string(path) {
        Ok(text) => {
            toml::from_str(&text).map_err(|error| ConfigError::Parse(path.to_path_buf(), Box::new(error)))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(T::default()),
        Err(error) => Err(ConfigError::Read(path.to_path_buf(), error)),
    }
}
