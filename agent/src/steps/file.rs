//! A file with known content, replaced atomically.

use std::io::Read as _;
use std::path::Path;

use hydron_proto::plan::{File, StepResult};

use super::Applied;
use super::place::{Place, refused};
use crate::step_context::{Check, StepContext, StepFailure};

/// Permission bits that a plan may set: no set-user-id, no set-group-id.
pub(super) const PERMISSIONS: u32 = 0o1777;

pub(super) fn check(wanted: &File, context: &StepContext<'_>) -> Check {
    if is_there(wanted, context) { Check::AlreadyDone(StepResult::Done {}) } else { Check::Needed }
}

pub(super) fn apply(wanted: &File, context: &StepContext<'_>) -> Result<Applied, StepFailure> {
    if is_there(wanted, context) {
        return Ok(Applied::unchanged(StepResult::Done {}));
    }
    let (parent, name) = split(wanted.path.as_str());
    let failed = |error: std::io::Error| refused(Path::new(wanted.path.as_str()), error);
    let place =
        Place::walk(context.root.path(), parent, Some(0o755)).map_err(|error| failed(error.into()))?;
    place.replace(name, wanted.content.as_bytes(), wanted.mode & PERMISSIONS).map_err(failed)?;
    Ok(Applied::changed(StepResult::Done {}))
}

fn is_there(wanted: &File, context: &StepContext<'_>) -> bool {
    let (parent, name) = split(wanted.path.as_str());
    let Ok(place) = Place::walk(context.root.path(), parent, None) else { return false };
    let mode = place.stat(name).ok().flatten().map(|stat| stat.st_mode & 0o7777);
    let mut content = Vec::new();
    let limit = wanted.content.len() as u64 + 1;
    let read = place.read(name).is_ok_and(|file| file.take(limit).read_to_end(&mut content).is_ok());
    read && mode == Some(wanted.mode & PERMISSIONS) && content == wanted.content.as_bytes()
}

/// Directory and name; an [`hydron_proto::names::AbsolutePath`] has both.
fn split(path: &str) -> (&Path, &Path) {
    let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
    (Path::new(parent), Path::new(name))
}
