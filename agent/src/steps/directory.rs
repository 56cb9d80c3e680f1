//! A directory with known permissions.

use std::path::Path;

use hydron_proto::plan::{Directory, StepResult};

use super::Applied;
use super::file::PERMISSIONS;
use super::place::{Place, refused};
use crate::step_context::{Check, StepContext, StepFailure};

pub(super) fn check(wanted: &Directory, context: &StepContext<'_>) -> Check {
    if is_there(wanted, context) { Check::AlreadyDone(StepResult::Done {}) } else { Check::Needed }
}

pub(super) fn apply(wanted: &Directory, context: &StepContext<'_>) -> Result<Applied, StepFailure> {
    if is_there(wanted, context) {
        return Ok(Applied::unchanged(StepResult::Done {}));
    }
    let path = Path::new(wanted.path.as_str());
    Place::walk(context.root.path(), path, Some(0o755))
        .and_then(|place| place.set_mode(wanted.mode & PERMISSIONS))
        .map_err(|error| refused(path, error))?;
    Ok(Applied::changed(StepResult::Done {}))
}

fn is_there(wanted: &Directory, context: &StepContext<'_>) -> bool {
    let path = Path::new(wanted.path.as_str());
    let stat = Place::walk(context.root.path(), path, None).and_then(|place| place.stat(Path::new(".")));
    stat.is_ok_and(|stat| stat.is_some_and(|stat| stat.st_mode & 0o7777 == wanted.mode & PERMISSIONS))
}
