//! What each kind of step does on this server: check (is it done already?), apply, undo.
//!
//! Rule: every apply is idempotent: run twice, or again after a crash at any point, it ends in the same world.
//! Neighbours: `host` calls the three functions below; `docker`, `edge` and `child` are the hands.

mod build;
mod certificate;
mod directory;
mod docker_engine;
mod failure;
mod file;
mod git;
mod image_pull;
mod lock;
mod network;
mod operate;
mod packages;
mod place;
mod probe;
pub mod release;
mod route;
mod shell;
mod volume;

use hydron_proto::plan::{Action, Step, StepResult};

use crate::step_context::{Check, StepContext, StepFailure};

/// What an apply did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Facts for the coordinator's records.
    pub result: StepResult,
    /// Everything was as wanted already; nothing was changed.
    pub already_done: bool,
}

impl Applied {
    fn changed(result: StepResult) -> Self {
        Self { result, already_done: false }
    }

    fn unchanged(result: StepResult) -> Self {
        Self { result, already_done: true }
    }
}

/// Looks whether a step is done already. Changes nothing.
pub async fn check(step: &Step, context: &StepContext<'_>) -> Result<Check, StepFailure> {
    match &step.action {
        Action::Packages(wanted) => packages::check(wanted, context).await,
        Action::File(wanted) => Ok(file::check(wanted, context)),
        Action::Directory(wanted) => Ok(directory::check(wanted, context)),
        Action::DockerEngine(_) => docker_engine::check(context).await,
        Action::Network(wanted) => network::check(wanted, context).await,
        Action::Volume(wanted) => volume::check(wanted, context).await,
        Action::GitCheckout(wanted) => git::check(wanted, context),
        Action::ImageBuild(wanted) => build::check(wanted, context).await,
        Action::ImagePull(wanted) => image_pull::check(wanted, context).await,
        Action::Release(wanted) => release::check(wanted, context).await,
        Action::Route(wanted) => route::check(wanted, context).await,
        Action::Certificate(wanted) => certificate::check(wanted, context),
        // What only reads, and what nobody can look at afterwards, is always run.
        Action::Probe(_) | Action::Shell(_) | Action::Operate(_) => Ok(Check::Needed),
    }
}

/// Does a step.
pub async fn apply(step: &Step, context: &StepContext<'_>) -> Result<Applied, StepFailure> {
    context.doing.set(step.title.clone());
    match &step.action {
        Action::Packages(wanted) => packages::apply(wanted, context).await,
        Action::File(wanted) => file::apply(wanted, context),
        Action::Directory(wanted) => directory::apply(wanted, context),
        Action::DockerEngine(wanted) => docker_engine::apply(wanted, context).await,
        Action::Network(wanted) => network::apply(wanted, context).await,
        Action::Volume(wanted) => volume::apply(wanted, context).await,
        Action::GitCheckout(wanted) => git::apply(wanted, context).await,
        Action::ImageBuild(wanted) => build::apply(wanted, context).await,
        Action::ImagePull(wanted) => image_pull::apply(wanted, context).await,
        Action::Release(wanted) => release::apply(wanted, context).await,
        Action::Route(wanted) => route::apply(wanted, context).await,
        Action::Certificate(wanted) => certificate::apply(wanted, context).await,
        Action::Probe(wanted) => Box::pin(probe::apply(wanted, context)).await,
        Action::Shell(wanted) => shell::apply(wanted, context).await,
        Action::Operate(wanted) => operate::apply(wanted, context).await,
    }
}

/// Takes back what a failed step made. Only that: what was there before stays.
pub async fn undo(step: &Step, context: &StepContext<'_>) -> Result<(), StepFailure> {
    match &step.action {
        Action::Network(wanted) => network::undo(wanted, context).await,
        Action::GitCheckout(wanted) => git::undo(wanted, context),
        Action::Release(wanted) => release::undo(wanted, context).await,
        // A route either serves or was taken back by its own step. A volume may hold data; packages, files and images may be somebody
        // else's by now; the rest leaves nothing.
        Action::Packages(_)
        | Action::File(_)
        | Action::Directory(_)
        | Action::DockerEngine(_)
        | Action::Volume(_)
        | Action::ImageBuild(_)
        | Action::ImagePull(_)
        | Action::Route(_)
        | Action::Certificate(_)
        | Action::Probe(_)
        | Action::Shell(_)
        | Action::Operate(_) => Ok(()),
    }
}
