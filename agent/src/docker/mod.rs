//! The Docker Engine, in the few words that steps need.
//!
//! Rule: only this room speaks bollard; names and texts reach the engine as API fields, never as a command line.
//! Neighbours: `steps/*`, which decide; this room does one thing at a time and says what it saw.

mod containers;
mod images;
mod networks;

use std::path::Path;

use bollard::errors::Error as ApiError;

pub use containers::{ContainerSpec, ContainerState, Mount, NamesEndpoint};
pub use images::{BuildRequest, ImageFacts};
pub use networks::NetworkFacts;

/// Longest wait for one answer of the engine, seconds; a build sends its context within it.
const ANSWER_WITHIN_S: u64 = 600;

/// What the engine did not do.
#[derive(Debug, thiserror::Error)]
pub enum DockerError {
    /// Nobody answers at the socket.
    #[error(
        "the Docker Engine does not answer at {socket}: {reason}; start it (`systemctl start docker`) and retry"
    )]
    Unreachable {
        /// The socket.
        socket: String,
        /// What the connection said.
        reason: String,
    },
    /// The engine answered with an error.
    #[error("the Docker Engine refused: {message}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Its words.
        message: String,
    },
    /// A build's own instruction failed, or a pull ended in an error.
    #[error("{0}")]
    Stream(String),
    /// Everything else that can happen to a connection.
    #[error("the connection to the Docker Engine broke: {0}")]
    Connection(String),
}

impl DockerError {
    /// Whether the engine said that the object does not exist.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. })
    }

    /// Whether the engine said that the object is in that state already, or in use.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Refused { status: 409, .. })
    }
}

impl From<ApiError> for DockerError {
    fn from(error: ApiError) -> Self {
        if let ApiError::DockerResponseServerError { status_code, message } = error {
            return Self::Refused { status: status_code, message };
        }
        if let ApiError::DockerStreamError { error } = error {
            return Self::Stream(error);
        }
        Self::Connection(chain(&error))
    }
}

/// A connection to the engine, its API version agreed.
#[derive(Debug, Clone)]
pub struct Engine {
    api: bollard::Docker,
}

impl Engine {
    /// Connects and agrees on a version.
    pub async fn connect(socket: &Path) -> Result<Self, DockerError> {
        let unreachable = |error: ApiError| DockerError::Unreachable {
            socket: socket.display().to_string(),
            reason: chain(&error),
        };
        let path = socket.to_string_lossy();
        let api = bollard::Docker::connect_with_unix(&path, ANSWER_WITHIN_S, bollard::API_DEFAULT_VERSION)
            .map_err(unreachable)?
            .negotiate_version()
            .await
            .map_err(unreachable)?;
        Ok(Self { api })
    }

    /// Version of the engine.
    pub async fn version(&self) -> Result<String, DockerError> {
        Ok(self.api.version().await?.version.unwrap_or_default())
    }

    /// Makes a volume; an existing one is left as it is.
    pub async fn ensure_volume(&self, name: &str, labels: &[(String, String)]) -> Result<bool, DockerError> {
        if self.has_volume(name).await? {
            return Ok(true);
        }
        let request = bollard::models::VolumeCreateRequest {
            name: Some(name.to_owned()),
            labels: Some(labels.iter().cloned().collect()),
            ..Default::default()
        };
        self.api.create_volume(request).await?;
        Ok(false)
    }

    /// Whether a volume exists.
    pub async fn has_volume(&self, name: &str) -> Result<bool, DockerError> {
        Ok(found(self.api.inspect_volume(name).await)?.is_some())
    }

    /// Names of all volumes.
    pub async fn volumes(&self) -> Result<Vec<String>, DockerError> {
        let none = None::<bollard::query_parameters::ListVolumesOptions>;
        let listed = self.api.list_volumes(none).await?;
        Ok(listed.volumes.unwrap_or_default().into_iter().map(|volume| volume.name).collect())
    }
}

/// Turns "there is none" into `None`.
fn found<T>(answer: Result<T, ApiError>) -> Result<Option<T>, DockerError> {
    match answer.map_err(DockerError::from) {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error),
    }
}

/// An error and its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    text
}
