//! Distribution packages, by apt from the sources that the machine trusts.

use hydron_proto::names::ResourceName;
use hydron_proto::plan::{Packages, StepResult};

use super::Applied;
use super::failure::{of_exit, unless_cancelled};
use crate::child;
use crate::step_context::{Check, StepContext, StepFailure};

/// How long apt waits for another package manager, seconds.
const LOCK_WAIT: &str = "DPkg::Lock::Timeout=300";

pub(super) async fn check(wanted: &Packages, context: &StepContext<'_>) -> Result<Check, StepFailure> {
    let names: Vec<&str> = wanted.names.iter().map(ResourceName::as_str).collect();
    Ok(if missing(&names, context).await?.is_empty() {
        Check::AlreadyDone(StepResult::Done {})
    } else {
        Check::Needed
    })
}

pub(super) async fn apply(wanted: &Packages, context: &StepContext<'_>) -> Result<Applied, StepFailure> {
    let names: Vec<&str> = wanted.names.iter().map(ResourceName::as_str).collect();
    let missing = missing(&names, context).await?;
    if missing.is_empty() {
        return Ok(Applied::unchanged(StepResult::Done {}));
    }
    install(&missing, context).await?;
    Ok(Applied::changed(StepResult::Done {}))
}

/// Installs packages; the list of what exists is fetched once more when apt does not know them.
pub(super) async fn install(names: &[&str], context: &StepContext<'_>) -> Result<(), StepFailure> {
    context.doing.set(format!("Installing {}", names.join(", ")));
    let mut arguments = vec!["install", "--no-install-recommends", "--"];
    arguments.extend(names);
    if apt(&arguments, context).await?.success() {
        return Ok(());
    }
    context.log.line("apt could not install them; fetching its lists once more").await;
    let updated = apt(&["update"], context).await?;
    if !updated.success() {
        return Err(of_exit("PACKAGES_FAILED", "`apt-get update`", updated));
    }
    let installed = apt(&arguments, context).await?;
    if installed.success() {
        return Ok(());
    }
    Err(of_exit("PACKAGES_FAILED", &format!("`apt-get install` of {}", names.join(", ")), installed))
}

async fn apt(arguments: &[&str], context: &StepContext<'_>) -> Result<std::process::ExitStatus, StepFailure> {
    let mut command = context.cgroup.command("apt-get");
    command.args(["-y", "-q", "-o", LOCK_WAIT, "-o", "Dpkg::Options::=--force-confold"]).args(arguments);
    let run = child::run_logged(context.cgroup, command, &context.log);
    unless_cancelled(context, async { run.await.map_err(|error| no_apt(&error)) }).await
}

/// The packages that are not fully installed.
async fn missing<'n>(names: &[&'n str], context: &StepContext<'_>) -> Result<Vec<&'n str>, StepFailure> {
    let mut missing = Vec::new();
    for name in names {
        let mut command = context.cgroup.command("dpkg-query");
        command.args(["-W", "-f", "${db:Status-Status}", "--", name]);
        let ended = child::run_quiet(context.cgroup, command).await.map_err(|error| no_apt(&error))?;
        if ended.output != "installed" {
            missing.push(*name);
        }
    }
    Ok(missing)
}

fn no_apt(error: &std::io::Error) -> StepFailure {
    StepFailure::new(
        "PACKAGES_UNSUPPORTED",
        format!("dpkg and apt could not be run ({error}); this step needs Debian or Ubuntu"),
    )
}
