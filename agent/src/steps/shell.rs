//! Raw shell text: the one place where `/bin/sh` runs what a plan says. Data reaches it only as environment.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;

use hydron_proto::plan::{Shell, StepResult};

use super::Applied;
use super::failure::{of_exit, unless_cancelled};
use crate::child;
use crate::record;
use crate::step_context::{StepContext, StepFailure};

pub(super) async fn apply(wanted: &Shell, context: &StepContext<'_>) -> Result<Applied, StepFailure> {
    let directory = context.root.steps().join("scripts");
    record::directory(&directory, 0o700)?;
    // By file, not by argument: the text stays out of the process list.
    let script = directory.join(format!("{}-{}-{}.sh", context.run, context.step_index, context.attempt));
    write_script(&script, &wanted.script)
        .map_err(|error| StepFailure::new("SHELL_FAILED", format!("{}: {error}", script.display())))?;
    let ended = run(wanted, &script, context).await;
    let _ = std::fs::remove_file(&script);
    let status = ended?;
    let code = status.code();
    if code.is_some_and(|code| wanted.expect.contains(&code)) {
        return Ok(Applied::changed(StepResult::Done {}));
    }
    Err(of_exit("SHELL_FAILED", "the script", status))
}

/// Nobody reads it after a crash, so it is not synced.
fn write_script(path: &std::path::Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600).open(path)?.write_all(text.as_bytes())
}

async fn run(
    wanted: &Shell,
    script: &std::path::Path,
    context: &StepContext<'_>,
) -> Result<std::process::ExitStatus, StepFailure> {
    let mut command = context.cgroup.command("/bin/sh");
    command.arg("--").arg(script).current_dir("/");
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
