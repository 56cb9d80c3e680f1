//! One small function a verb: the words after it become an [`Intent`].
//!
//! Rule: a verb takes what belongs to it; words that are left over make the sentence one that is not understood.

use super::intent::{Intent, Operation, Which};
use super::settings;
use super::words::Words;

type Verb = fn(&mut Words<'_>) -> Option<Intent>;

/// Phrases that begin a sentence, and what reads the rest. The longest that fits wins.
const VERBS: &[(&[&str], Verb)] = &[
    (&["deploy", "connect", "import", "clone", "ship", "launch", "publish", "host", "deploy from"], deploy),
    (
        &["analyze", "analyse", "check", "scan", "read", "look at", "inspect", "re-analyze", "reanalyze"],
        analyze,
    ),
    (&["accept", "include", "keep", "take"], |words| Some(Intent::Accept(which(words)))),
    (&["reject", "exclude", "leave out", "skip", "remove"], |words| match which(words) {
        Which::Unsaid => None,
        which @ (Which::All | Which::Named(_)) => Some(Intent::Reject(which)),
    }),
    (&["set", "change", "update", "add", "put", "define", "export", "use"], settings::set),
    (&["show", "list", "see", "view", "display", "what are", "show me", "give me", "tell me"], show),
    (&["services", "which services"], |words| done(words, Intent::ShowServices)),
    (&["plan"], plan),
    (&["make", "create", "generate", "build", "prepare", "draw up", "new", "regenerate", "refresh"], make),
    (&["approve", "confirm", "i approve", "sign"], approve),
    (
        &[
            "redeploy",
            "re-deploy",
            "deploy again",
            "deploy the newest",
            "deploy the latest",
            "deploy newest",
            "deploy latest",
        ],
        |words| Some(redeploy(words)),
    ),
    (&["pause", "hold"], |words| run(words, Intent::Pause)),
    (&["resume", "continue", "go on", "unpause"], |words| run(words, Intent::Resume)),
    (&["retry", "try again", "rerun", "re-run"], retry),
    (&["stop", "abort", "cancel", "halt"], stop),
    (&["roll back", "rollback", "revert", "undo", "bring back", "go back"], roll_back),
    (&["restart", "reboot", "bounce"], |words| operate(words, Operation::Restart)),
    (&["start"], |words| operate(words, Operation::Start)),
    (
        &[
            "logs",
            "log",
            "show logs",
            "show the logs",
            "show me the logs",
            "tail",
            "show log",
            "get logs",
            "get the logs",
        ],
        logs,
    ),
    (
        &[
            "status",
            "what now",
            "what's next",
            "what next",
            "how is it going",
            "how far is it",
            "where are we",
            "progress",
            "what is going on",
            "what is happening",
            "what's up",
            "is it live",
            "is it done",
            "what should i do",
            "what is the status",
            "what's the status",
            "show status",
            "show the status",
            "what happened",
        ],
        |words| done(words, Intent::Status),
    ),
    (
        &[
            "help",
            "what can i do",
            "what can you do",
            "what can i say",
            "commands",
            "how does this work",
            "show help",
            "h",
        ],
        |words| done(words, Intent::Help),
    ),
    (
        &[
            "hello",
            "hi",
            "hey",
            "thanks",
            "thank you",
            "thank you very much",
            "good morning",
            "good evening",
            "cool",
            "great",
            "nice",
            "good",
        ],
        |words| done(words, Intent::Courtesy),
    ),
];

/// Reads one sentence.
pub(super) fn intent(words: &mut Words<'_>) -> Option<Intent> {
    if let Some(url) = words.peek().filter(|word| looks_like_url(word)) {
        words.take();
        return repository(url, words);
    }
    if let Some(intent) = settings::bare(words) {
        return Some(intent);
    }
    let mut tries: Vec<(usize, Words<'_>, Verb)> = Vec::new();
    for (phrases, verb) in VERBS {
        let mut rest = words.clone();
        if rest.eat_phrase(phrases) {
            tries.push((rest.left(), rest, *verb));
        }
    }
    tries.sort_by_key(|(left, ..)| *left);
    for (_, mut rest, verb) in tries {
        if let Some(intent) = verb(&mut rest)
            && rest.is_over()
        {
            *words = rest;
            return Some(intent);
        }
    }
    None
}

fn done(words: &mut Words<'_>, intent: Intent) -> Option<Intent> {
    words.is_over().then_some(intent)
}

fn deploy(words: &mut Words<'_>) -> Option<Intent> {
    if words.is_over() || deploys_again(words) {
        return Some(Intent::Redeploy(Which::Unsaid));
    }
    words.skip(&[
        "the",
        "my",
        "a",
        "this",
        "from",
        "git",
        "repository",
        "repo",
        "project",
        "app",
        "application",
        "url",
        "code",
        "at",
        "of",
    ]);
    let named = words.take()?;
    if looks_like_url(named) {
        return repository(named, words);
    }
    if words.is_over() && !named.contains(['\n', ' ']) {
        return Some(Intent::DeployOther(named.to_owned()));
    }
    None
}

/// "deploy it", "deploy the newest commit".
fn deploys_again(words: &mut Words<'_>) -> bool {
    let mut rest = words.clone();
    rest.skip(&["it", "again", "the", "everything", "newest", "latest", "new", "commit", "version", "code"]);
    let hit = rest.is_over();
    if hit {
        *words = rest;
    }
    hit
}

/// What may follow a repository's URL: branch and directory, in any order.
fn repository(url: &str, words: &mut Words<'_>) -> Option<Intent> {
    let (mut reference, mut subdir) = (None, None);
    loop {
        words.skip(&["and", "with", "using", "on", "from", "at", "the", "in", "please"]);
        if words.eat(&["branch", "ref", "tag", "version", "commit", "#"]) && reference.is_none() {
            reference = Some(words.take()?.to_owned());
        } else if words.eat(&["dir", "directory", "folder", "subdir", "subdirectory", "path"])
            && subdir.is_none()
        {
            subdir = Some(words.take()?.to_owned());
        } else if words.is_over() {
            return Some(Intent::Deploy { url: url.to_owned(), reference, subdir });
        } else if words.left() == 2 && reference.is_none() {
            // "on the develop branch"
            let name = words.take()?.to_owned();
            if !words.eat(&["branch", "tag"]) {
                return None;
            }
            reference = Some(name);
        } else {
            return None;
        }
    }
}

fn analyze(words: &mut Words<'_>) -> Option<Intent> {
    words.skip(&[
        "the",
        "my",
        "git",
        "repository",
        "repo",
        "code",
        "project",
        "it",
        "again",
        "once",
        "more",
        "only",
        "directory",
        "dir",
        "folder",
        "in",
    ]);
    let Some(named) = words.take() else { return Some(Intent::AnalyzeAgain { subdir: None }) };
    if looks_like_url(named) {
        return repository(named, words);
    }
    words.skip(&["again", "only", "directory", "folder", "instead"]);
    let path = named.contains('/') || named.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    (words.is_over() && path)
        .then(|| Intent::AnalyzeAgain { subdir: Some(named.trim_matches('/').to_owned()) })
}

fn show(words: &mut Words<'_>) -> Option<Intent> {
    words.skip(&[
        "me",
        "the",
        "all",
        "my",
        "current",
        "infrastructure",
        "provisioning",
        "detected",
        "found",
        "of",
    ]);
    if words.eat(&["services", "service"]) {
        return done(words, Intent::ShowServices);
    }
    if words.eat(&["plan", "plans"]) {
        words.skip(&["again"]);
        return done(words, Intent::ShowPlan);
    }
    if words.eat(&["logs", "log", "output"]) {
        return logs(words);
    }
    if words.drop_last(&["logs", "log"]) {
        return logs(words);
    }
    if words.eat(&["status", "run", "runs", "state", "progress"]) {
        return done(words, Intent::Status);
    }
    None
}

fn plan(words: &mut Words<'_>) -> Option<Intent> {
    words.skip(&["it", "the", "infrastructure", "deployment", "again", "now"]);
    done(words, Intent::MakePlan)
}

fn make(words: &mut Words<'_>) -> Option<Intent> {
    words.skip(&["me", "the", "a", "an", "new", "infrastructure", "deployment", "another", "again"]);
    if !words.eat(&["plan"]) {
        return None;
    }
    words.skip(&["again", "new"]);
    done(words, Intent::MakePlan)
}

fn approve(words: &mut Words<'_>) -> Option<Intent> {
    words.skip(&["the", "this", "that", "my", "infrastructure", "deployment", "provisioning", "it"]);
    words.eat(&["plan", "plans"]);
    words.eat_phrase(&["and deploy", "and start", "and go", "and deploy it", "and start it"]);
    done(words, Intent::Approve)
}

fn redeploy(words: &mut Words<'_>) -> Intent {
    words.skip(&["commit", "version", "the", "it", "again", "app", "application", "project", "code"]);
    Intent::Redeploy(which(words))
}

fn run(words: &mut Words<'_>, intent: Intent) -> Option<Intent> {
    about_the_run(words);
    done(words, intent)
}

fn retry(words: &mut Words<'_>) -> Option<Intent> {
    words.skip(&["failed", "step", "the", "last"]);
    run(words, Intent::Retry)
}

fn about_the_run(words: &mut Words<'_>) -> bool {
    let before = words.left();
    words.skip(&["the", "this", "current", "it", "everything", "with"]);
    words.skip(&["run", "deployment", "deploy", "execution", "failed", "step"]);
    words.left() < before
}

fn stop(words: &mut Words<'_>) -> Option<Intent> {
    if words.is_over() {
        return Some(Intent::Stop);
    }
    let mut rest = words.clone();
    if about_the_run(&mut rest) && rest.is_over() {
        *words = rest;
        return Some(Intent::StopRun);
    }
    operate(words, Operation::Stop)
}

fn operate(words: &mut Words<'_>, operation: Operation) -> Option<Intent> {
    let service = one_service(words).ok()?;
    Some(Intent::Operate { operation, service })
}

fn roll_back(words: &mut Words<'_>) -> Option<Intent> {
    let mut to = None;
    for phrase in [
        "to the previous release",
        "to the previous version",
        "to the last release",
        "to the last version",
        "to previous",
        "one release",
        "one version",
    ] {
        words.drop_last_phrase(phrase);
    }
    if let Some(named) = words.take_last_after(&["to"]) {
        to = Some(named.to_owned());
    } else if let Some(named) = words.take_last_after(&["release", "commit", "version"]) {
        to = Some(named.to_owned());
        words.drop_last(&["to"]);
    } else if words.drop_last(&["to"]) {
        return None;
    }
    words.skip(&["the", "last", "previous", "it", "deployment", "release", "app", "changes"]);
    let service = one_service(words).ok()?;
    Some(Intent::RollBack { service, to })
}

fn logs(words: &mut Words<'_>) -> Option<Intent> {
    words.skip(&["of", "for", "from", "the", "output"]);
    words.drop_last(&["logs", "log"]);
    let service = one_service(words).ok()?;
    Some(Intent::Logs { service })
}

/// The rest names one service, or none.
pub(super) fn one_service(words: &mut Words<'_>) -> Result<Option<String>, SeveralNamed> {
    match which(words) {
        Which::Unsaid | Which::All => Ok(None),
        Which::Named(mut names) if names.len() == 1 => Ok(names.pop()),
        Which::Named(_) => Err(SeveralNamed),
    }
}

/// Several services where one is meant.
#[derive(Debug, Clone, Copy)]
pub(super) struct SeveralNamed;

/// Every service that the rest names.
pub(super) fn which(words: &mut Words<'_>) -> Which {
    words.skip(&["the", "only", "just", "of", "service", "services"]);
    let mut all = words.clone();
    if all.eat_phrase(&["all", "every", "everything", "them", "them all", "both"]) {
        all.skip(&["of", "the", "them", "services", "service", "detected", "found", "pending"]);
        if all.is_over() {
            *words = all;
            return Which::All;
        }
    }
    let mut names = Vec::new();
    while let Some(word) = words.peek() {
        if words.eat(&["the", "and", "service", "services", "&", "container", "only"]) {
            continue;
        }
        // "accept api and make the plan" are two sentences.
        if !is_name(word) || (!names.is_empty() && begins_a_sentence(word)) {
            return Which::Named(names);
        }
        words.take();
        names.extend(word.split(',').filter(|name| !name.is_empty()).map(str::to_owned));
    }
    if names.is_empty() { Which::Unsaid } else { Which::Named(joined(names)) }
}

fn begins_a_sentence(word: &str) -> bool {
    let first =
        |phrase: &&str| phrase.split(' ').next().is_some_and(|first| first.eq_ignore_ascii_case(word));
    VERBS.iter().any(|(phrases, _)| phrases.iter().any(first))
}

/// "front end" and "back end" are one name.
fn joined(names: Vec<String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for name in names {
        match out.last_mut() {
            Some(last)
                if name.eq_ignore_ascii_case("end")
                    && ["front", "back"].iter().any(|side| last.eq_ignore_ascii_case(side)) =>
            {
                last.push_str("end");
            }
            Some(_) | None => out.push(name),
        }
    }
    out
}

fn is_name(word: &str) -> bool {
    const NEVER: [&str; 8] = ["all", "every", "everything", "them", "to", "not", "unless", "if"];
    word.len() <= 63
        && !NEVER.iter().any(|never| word.eq_ignore_ascii_case(never))
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_,".contains(&b))
        && word.bytes().any(|b| b.is_ascii_alphanumeric())
}

fn looks_like_url(word: &str) -> bool {
    let low = word.to_ascii_lowercase();
    ["https://", "http://", "git://", "ssh://", "file://", "git@", "ext::"]
        .iter()
        .any(|scheme| low.starts_with(scheme))
        || ["github.com/", "gitlab.com/", "bitbucket.org/", "codeberg.org/"]
            .iter()
            .any(|host| low.starts_with(host))
}
