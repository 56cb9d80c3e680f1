//! What a command line runs: a web server, a worker, a helper job, a development tool.
//!
//! One rule: the same judgement serves Procfiles, compose commands and platform files.

use crate::formats::command;
use crate::pattern::patterns;

patterns! {
    WORKER = r"\bcelery\b.*\b(?:worker|beat)\b|\brq\s+worker\b|\bdramatiq\b|\bhuey_consumer|\barq\s|\bsidekiq\b|\bsolid_queue|\bbin/jobs\b|\bresque:work\b|\bgood_job\b|\bdelayed_job\b|\bqueue:(?:work|listen)\b|\bhorizon\b|\bschedule:(?:work|run)\b|messenger:consume|\bworkers?\b|\bconsumer\b|\bscheduler\b|\bqcluster\b|\bprocess_tasks\b|\brun_huey\b|faktory|\btaskiq\b|\bsend(?:alerts|reports)\b";
    FLOWER = r"\bcelery\b.*\bflower\b|(?:^|\s)flower\b";
    JOB = r"\bmigrate\b|\bdb:(?:migrate|prepare|setup|seed)\b|\bcollectstatic\b|\balembic\s+upgrade\b|\bseed\b|^\s*(?:bash|sh|/bin/sh|/bin/bash)\s*$|\bpytest\b|\bnpm\s+(?:run\s+)?test\b|\byarn\s+test\b|migrate\s+deploy";
    ASSETS = r"\b(?:build|watch)[:\w-]*\b|esbuild|tailwind|webpack|\bvite\b|\bsass\b";
}

/// The judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Process {
    /// Answers requests, or cannot be told apart from one that does.
    Web,
    /// Works in the background.
    Worker,
    /// A dashboard for a queue.
    Dashboard,
    /// Runs once (migrations, tests, shells).
    Job,
    /// A development server or watcher.
    Dev,
}

/// Judges a command.
pub(crate) fn judge(text: &str) -> Process {
    if FLOWER.is_match(text) {
        Process::Dashboard
    } else if WORKER.is_match(text)
        && !text.contains("--workers")
        && !text.contains("uvicorn.workers")
        && !text.contains("gunicorn")
        && !text.contains("uvicorn")
    {
        Process::Worker
    } else if command::is_dev(text) {
        Process::Dev
    } else if JOB.is_match(text) && command::parts(text).len() == 1 {
        Process::Job
    } else if ASSETS.is_match(text)
        && !text.contains("start")
        && !text.contains("serve")
        && !text.contains("node ")
        && !text.contains("java")
    {
        Process::Dev
    } else {
        Process::Web
    }
}

/// A command with development switches removed (`--reload`), if that makes it fit for production.
pub(crate) fn without_dev_switches(text: &str) -> Option<String> {
    let words: Vec<&str> =
        text.split_whitespace().filter(|w| !matches!(*w, "--reload" | "--debug" | "--watch")).collect();
    let cleaned = words.join(" ");
    (cleaned != text && !command::is_dev(&cleaned)).then_some(cleaned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_are_told_apart() {
        assert_eq!(judge("celery -A app worker -l info"), Process::Worker);
        assert_eq!(judge("celery flower --port=5555"), Process::Dashboard);
        assert_eq!(judge("gunicorn app:app --workers 4"), Process::Web);
        assert_eq!(judge("uvicorn main:app --workers 2"), Process::Web);
        assert_eq!(judge("python manage.py migrate"), Process::Job);
        assert_eq!(judge("yarn watch:css"), Process::Dev);
        assert_eq!(judge("bundle exec sidekiq"), Process::Worker);
        assert_eq!(without_dev_switches("uvicorn main:app --reload"), Some("uvicorn main:app".to_owned()));
    }
}
