//! Procfiles: the author's own list of processes.
//!
//! One rule: `web` is the start command, `release` runs before a release, everything else is a worker unless it is a job.

use hydron_domain::analysis::ServiceKind;

use super::process::{self, Process};
use crate::draft::Draft;
use crate::field::At;
use crate::formats::{command, procfile};
use crate::path;
use crate::repo::{Repo, Role};

/// Applies every Procfile to the drafts of its directory.
pub(crate) fn apply(repo: &Repo<'_>, drafts: &mut Vec<Draft>) {
    for file in repo.files().iter().filter(|f| f.name() == "Procfile" && f.role == Role::Normal) {
        let Some(text) = repo.text(file) else { continue };
        let Some(main) = main_draft(drafts, file.dir()) else { continue };
        for entry in procfile::parse(text) {
            let at = At::line(&file.path, entry.line);
            match entry.name.as_str() {
                "release" => {
                    if let Some(draft) = drafts.get_mut(main) {
                        draft.release.offer(entry.command, 0.95, "procfile.release", at);
                    }
                }
                "web" => {
                    if let Some(draft) = drafts.get_mut(main) {
                        if draft.kind == ServiceKind::Worker {
                            draft.kind = ServiceKind::Web;
                        }
                        let start = command::unwrap(&entry.command);
                        let confidence = if command::is_dev(&start) { 0.3 } else { 0.95 };
                        draft.start.offer(start, confidence, "procfile.web", at);
                    }
                }
                name => other(drafts, main, name, &entry.command, at),
            }
        }
        unlisted(drafts, file.dir());
    }
}

/// A worker that only a package hints at is not run where the Procfile lists other workers.
fn unlisted(drafts: &mut Vec<Draft>, dir: &str) {
    let guessed = |d: &Draft| {
        d.dir == dir && d.kind == ServiceKind::Worker && d.start.best().is_some_and(|s| s.confidence <= 0.6)
    };
    let listed = drafts.iter().any(|d| {
        d.dir == dir
            && d.kind == ServiceKind::Worker
            && d.start.best().is_some_and(|s| s.rule == "procfile.worker")
    });
    if listed {
        drafts.retain(|d| !guessed(d));
    }
}

/// The web draft of a directory, else the only draft below it.
fn main_draft(drafts: &[Draft], dir: &str) -> Option<usize> {
    let here = drafts
        .iter()
        .position(|d| d.dir == dir && d.kind != ServiceKind::Worker)
        .or_else(|| drafts.iter().position(|d| d.dir == dir));
    here.or_else(|| {
        let mut below = drafts
            .iter()
            .enumerate()
            .filter(|(_, d)| path::within(&d.dir, dir) && d.kind == ServiceKind::Web);
        let first = below.next()?;
        below.next().is_none().then_some(first.0)
    })
}

fn other(drafts: &mut Vec<Draft>, main: usize, name: &str, text: &str, at: At) {
    let kind = match process::judge(text) {
        Process::Job | Process::Dev => return,
        Process::Dashboard => ServiceKind::Web,
        Process::Web | Process::Worker => ServiceKind::Worker,
    };
    let Some(dir) = drafts.get(main).map(|d| d.dir.clone()) else { return };
    let known = drafts
        .iter_mut()
        .find(|d| d.dir == dir && d.kind == kind && kind == ServiceKind::Worker && same_tool(d, text));
    if let Some(draft) = known {
        draft.start.offer(text, 0.95, "procfile.worker", at.clone());
        draft.name.offer(name, 0.92, "procfile.name", at);
        return;
    }
    let Some(mut sibling) = drafts.get(main).map(|d| d.sibling(name, kind)) else { return };
    sibling.start.offer(text, 0.95, "procfile.worker", at.clone());
    sibling.why.offer("a process of the Procfile", 0.95, "procfile.process", at);
    sibling.optional = kind == ServiceKind::Web;
    framework(&mut sibling, text);
    drafts.push(sibling);
}

/// Whether a draft's worker tool is the one a command runs.
pub(crate) fn same_tool(draft: &Draft, text: &str) -> bool {
    let tool = draft.framework_name().to_owned();
    let named = !tool.is_empty()
        && (text.contains(tool.as_str()) || (tool == "solid_queue" && text.contains("bin/jobs")));
    named && !text.contains("beat") && !text.contains("flower")
}

/// Names the worker's framework from its command.
pub(crate) fn framework(draft: &mut Draft, text: &str) {
    let tools = [
        ("flower", "flower"),
        ("celery", "celery"),
        ("sidekiq", "sidekiq"),
        ("bin/jobs", "solid_queue"),
        ("rq ", "rq"),
        ("dramatiq", "dramatiq"),
        ("resque", "resque"),
        ("good_job", "good_job"),
        ("delayed_job", "delayed_job"),
    ];
    if let Some((_, name)) = tools.iter().find(|(t, _)| text.contains(t)) {
        draft.framework = crate::field::Field::default();
        draft.framework.offer(*name, 0.9, "process.tool", At::nowhere());
    }
}
