//! How failures of the hands become failures of a step: a stable code and words for a person.

use crate::docker::DockerError;
use crate::edge::EdgeError;
use crate::record::RecordError;
use crate::step_context::{StepContext, StepFailure};

impl From<DockerError> for StepFailure {
    fn from(error: DockerError) -> Self {
        let code = match &error {
            DockerError::Unreachable { .. } => "DOCKER_UNREACHABLE",
            DockerError::Refused { .. } | DockerError::Stream(_) => "DOCKER_REFUSED",
            DockerError::Connection(_) => "DOCKER_CONNECTION",
        };
        Self::new(code, error.to_string())
    }
}

impl From<EdgeError> for StepFailure {
    fn from(error: EdgeError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<RecordError> for StepFailure {
    fn from(error: RecordError) -> Self {
        Self::new("STATE_NOT_KEPT", error.to_string())
    }
}

/// The step was asked to end early.
pub(super) fn cancelled() -> StepFailure {
    StepFailure::new("CANCELLED", "the step was stopped before its end")
}

/// Runs a piece of work unless the step is asked to end early; dropping it must be safe.
pub(super) async fn unless_cancelled<T, E: Into<StepFailure>>(
    context: &StepContext<'_>,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, StepFailure> {
    tokio::select! {
        result = work => result.map_err(Into::into),
        () = context.cancel.cancelled() => Err(cancelled()),
    }
}

/// How a child process ended, when it did not end well.
pub(super) fn of_exit(code: &'static str, what: &str, status: std::process::ExitStatus) -> StepFailure {
    use std::os::unix::process::ExitStatusExt as _;
    let how = match (status.code(), status.signal()) {
        (Some(number), _) => format!("exit code {number}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "no exit code".to_owned(),
    };
    StepFailure {
        code,
        message: format!("{what} ended with {how}; the log has its output"),
        exit_code: status.code(),
        signal: status.signal(),
        oom: false,
    }
}
