//! A named volume. Never removed here: it may hold data (R4).

use hydron_proto::plan::{StepResult, Volume};

use super::Applied;
use crate::docker::Engine;
use crate::step_context::{Check, StepContext, StepFailure};

pub(super) async fn check(wanted: &Volume, context: &StepContext<'_>) -> Result<Check, StepFailure> {
    let engine = Engine::connect(&context.config.docker_socket).await?;
    let there = engine.has_volume(wanted.name.as_str()).await?;
    Ok(if there { Check::AlreadyDone(StepResult::Done {}) } else { Check::Needed })
}

pub(super) async fn apply(wanted: &Volume, context: &StepContext<'_>) -> Result<Applied, StepFailure> {
    let engine = Engine::connect(&context.config.docker_socket).await?;
    let was_there = engine.ensure_volume(wanted.name.as_str(), &context.labels()).await?;
    let said = if was_there { "is there, with its data" } else { "made" };
    context.log.line(&format!("volume {} {said}", wanted.name)).await;
    Ok(Applied { result: StepResult::Done {}, already_done: was_there })
}
