//! What only one step of this server may do at a time, whichever run it belongs to.
//!
//! Rule: a lock is a file below the steps' directory; the kernel lets it go when its process ends, however it ends.

use std::time::Duration;

use hydron_proto::ids::ServiceId;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use super::failure::cancelled;
use crate::record::{self, RecordError};
use crate::step_context::{StepContext, StepFailure};

/// How often a lock that somebody else holds is asked for.
const AGAIN: Duration = Duration::from_millis(50);

/// Held until it is dropped.
pub(super) type Held = Flock<std::fs::File>;

/// For choosing addresses and subnets.
pub(super) async fn assignments(context: &StepContext<'_>) -> Result<Held, StepFailure> {
    hold("assignments", context).await
}

/// For whatever changes which release of a service runs, or whether it does.
pub(super) async fn service(service: ServiceId, context: &StepContext<'_>) -> Result<Held, StepFailure> {
    hold(&service.to_string(), context).await
}

async fn hold(name: &str, context: &StepContext<'_>) -> Result<Held, StepFailure> {
    let directory = context.root.steps().join("locks");
    record::directory(&context.root.steps(), 0o700)?;
    record::directory(&directory, 0o700)?;
    let path = directory.join(name);
    let io = |reason| StepFailure::from(RecordError::Io { path: path.clone(), reason });
    let mut file = std::fs::File::create(&path).map_err(io)?;
    let mut said = false;
    loop {
        file = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Ok(lock),
            Err((file, Errno::EWOULDBLOCK)) => file,
            Err((_, error)) => return Err(io(error.into())),
        };
        if !said {
            said = true;
            context.doing.set("Waiting for a step of another run");
            context.log.line("a step of another run works on the same; waiting for its end").await;
        }
        tokio::select! {
            () = tokio::time::sleep(AGAIN) => {}
            () = context.cancel.cancelled() => return Err(cancelled()),
        }
    }
}
