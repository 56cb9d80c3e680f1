//! Raw shell text: the one place where `/bin/sh` runs what a plan says. Data reaches it only as environment.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::AsRawFd as _;

use hydron_proto::plan::{Shell, StepResult};
use nix::sys::memfd::{MFdFlags, memfd_create};

use super::Applied;
use super::failure::{of_exit, unless_cancelled};
use crate::child;
use crate::step_context::{StepContext, StepFailure};

pub(super) async fn apply(wanted: &Shell, context: &StepContext<'_>) -> Result<Applied, StepFailure> {
    let script = in_memory(&wanted.script).map_err(|error| {
        StepFailure::new("SHELL_FAILED", format!("the script cannot be handed over: {error}"))
    })?;
    let status = run(wanted, &script, context).await?;
    let code = status.code();
    if code.is_some_and(|code| wanted.expect.contains(&code)) {
        return Ok(Applied::changed(StepResult::Done {}));
    }
    Err(of_exit("SHELL_FAILED", "the script", status))
}

/// A file without a name, which the shell inherits (memfd_create(2)): the text stays out of the process list and off the disk.
fn in_memory(text: &str) -> std::io::Result<File> {
    let mut file = File::from(memfd_create(c"script", MFdFlags::empty())?);
    file.write_all(text.as_bytes())?;
    Ok(file)
}

async fn run(
    wanted: &Shell,
    script: &File,
    context: &StepContext<'_>,
) -> Result<std::process::ExitStatus, StepFailure> {
    let mut command = context.cgroup.command("/bin/sh");
    command.arg("--").arg(format!("/proc/self/fd/{}", script.as_raw_fd())).current_dir("/");
    for variable in &wanted.env {
        let pair = variable
            .resolve(context.secrets)
            .map_err(|error| StepFailure::new("SECRET_MISSING", error.to_string()))?;
        if let Some((name, value)) = pair.split_once('=') {
            command.env(name, value);
        }
    }
    let run = child::run_logged(context.cgroup, command, &context.log);
    let failed = |error: std::io::Error| StepFailure::new("SHELL_FAILED", error.to_string());
    unless_cancelled(context, async { run.await.map_err(failed) }).await
}
