//! The Docker Engine: looked for, installed by apt when the plan says so, started by systemd.

use std::path::Path;
use std::time::Duration;

use hydron_proto::plan::{DockerEngine, StepResult};

use super::failure::{of_exit, unless_cancelled};
use super::{Applied, packages};
use crate::child;
use crate::docker::{DockerError, Engine};
use crate::step_context::{Check, StepContext, StepFailure};

/// How often a freshly started engine is asked, a quarter of a second apart.
const ASKS: usize = 240;

pub(super) async fn check(context: &StepContext<'_>) -> Result<Check, StepFailure> {
    Ok(match Engine::connect(&context.config.docker_socket).await {
        Ok(_) => Check::AlreadyDone(StepResult::Done {}),
        Err(_) => Check::Needed,
    })
}

pub(super) async fn apply(wanted: &DockerEngine, context: &StepContext<'_>) -> Result<Applied, StepFailure> {
    if let Ok(engine) = Engine::connect(&context.config.docker_socket).await {
        context.log.line(&format!("Docker Engine {} answers", engine.version().await?)).await;
        return Ok(Applied::unchanged(StepResult::Done {}));
    }
    if !is_installed(context).await {
        if !wanted.install {
            return Err(StepFailure::new(
                "DOCKER_MISSING",
                "the Docker Engine is not installed and the plan does not install it; install it or edit the plan",
            ));
        }
        packages::install(&["docker.io"], context).await?;
    }
    start(context).await?;
    let engine = answering(context).await?;
    context.log.line(&format!("Docker Engine {} is up", engine.version().await?)).await;
    Ok(Applied::changed(StepResult::Done {}))
}

async fn is_installed(context: &StepContext<'_>) -> bool {
    let mut command = context.cgroup.command("dockerd");
    command.arg("--version");
    child::run_quiet(context.cgroup, command).await.is_ok_and(|ended| ended.status.success())
}

/// An engine outlives every run, so only systemd starts it; elsewhere its owner does.
async fn start(context: &StepContext<'_>) -> Result<(), StepFailure> {
    if !Path::new("/run/systemd/system").is_dir() {
        return Err(StepFailure::new(
            "DOCKER_NOT_RUNNING",
            format!(
                "the Docker Engine is installed but does not answer at {}, and this machine has no systemd to start \
                 it; start `dockerd` and retry",
                context.config.docker_socket.display()
            ),
        ));
    }
    let mut command = context.cgroup.command("systemctl");
    command.args(["enable", "--now", "docker.service"]);
    let status = child::run_logged(context.cgroup, command, &context.log)
        .await
        .map_err(|error| StepFailure::new("DOCKER_NOT_RUNNING", error.to_string()))?;
    if status.success() {
        Ok(())
    } else {
        Err(of_exit("DOCKER_NOT_RUNNING", "`systemctl enable --now docker`", status))
    }
}

async fn answering(context: &StepContext<'_>) -> Result<Engine, StepFailure> {
    context.doing.set("Waiting for the Docker Engine to answer");
    unless_cancelled(context, async {
        for _ in 1..ASKS {
            if let Ok(engine) = Engine::connect(&context.config.docker_socket).await {
                return Ok::<Engine, DockerError>(engine);
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        Engine::connect(&context.config.docker_socket).await
    })
    .await
}
