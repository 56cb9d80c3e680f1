//! What CI files, Dockerfiles and the README say in passing: hints that decide where statements contradict each other, or where
//! there is none.
//!
//! One rule: a hint never outweighs a manifest, a lock file or a rule of the framework; where it loses, it stays visible.

use hydron_domain::analysis::ServiceKind;

use crate::draft::Draft;
use crate::field::At;
use crate::formats::command;
use crate::path;
use crate::pattern::patterns;
use crate::repo::{File, Repo, line_at};

patterns! {
    CI_VERSION = r#"(?m)^\s*-?\s*['"]?(node|python|go|ruby|java|php|dotnet)-version['"]?\s*:\s*\[?\s*['"]?v?(\d+(?:\.\d+){0,2})"#;
    STARTS = r"(?m)^[ \t]*(?:\$ |> )?((?:uvicorn|gunicorn|flask --app|python3?|node|go run|cargo run|bundle exec|\./bin/|bin/|java -jar|php|dotnet run|npm (?:run )?start|yarn start|pnpm start|deno run|bun run)\b[^\n`]*)$";
    FENCE = r"(?s)```[\w-]*\n(.*?)```";
    LOCAL_PORT = r"(?:localhost|127\.0\.0\.1|0\.0\.0\.0):(\d{4,5})\b";
    INSTALLS = r"\b(npm|pnpm|yarn|bun)\s+(?:ci|install|i|run|--frozen-lockfile|--immutable)\b|\b(yarn)\s*(?:\n|$|&&)";
}

/// Offers versions that CI tests with, and starts and ports that the README shows.
pub(crate) fn apply(repo: &Repo<'_>, drafts: &mut [Draft]) {
    let only = drafts.iter().filter(|d| d.kind == ServiceKind::Web).count() == 1;
    for draft in drafts.iter_mut() {
        version(repo, draft);
        let beside = repo.first_of(&draft.dir, &READMES);
        let above = if only { repo.first_of("", &READMES) } else { None };
        if draft.kind == ServiceKind::Web
            && let Some(file) = beside.or(above)
        {
            readme(repo, draft, &file);
        }
    }
}

const READMES: [&str; 4] = ["README.md", "readme.md", "README.rst", "README"];

/// How sure a hint is: below every default of a framework, so that it counts only where there is none.
const HINT: f32 = 0.19;

fn version(repo: &Repo<'_>, draft: &mut Draft) {
    let tool = match draft.language.as_str() {
        "javascript" | "typescript" => "node",
        "kotlin" => "java",
        "csharp" | "fsharp" => "dotnet",
        other => other,
    };
    for file in repo.under(".github/workflows").chain(repo.under(".circleci")) {
        let Some(text) = repo.text(file).filter(|t| t.contains("-version")) else { continue };
        let mut named =
            CI_VERSION.captures_iter(text).filter(|c| c.get(1).is_some_and(|m| m.as_str() == tool));
        if let Some(found) = named.find_map(|c| c.get(2)) {
            let at = At::line(&file.path, line_at(text, found.start()));
            draft.version.offer(found.as_str(), 0.45, "hint.ci.version", at);
        }
    }
}

/// The one port that a README names, and the last command of its examples that starts something.
fn readme(repo: &Repo<'_>, draft: &mut Draft, file: &str) {
    let Some(text) = repo.read(file) else { return };
    let ports: Vec<regex::Match<'_>> = LOCAL_PORT.captures_iter(text).filter_map(|c| c.get(1)).collect();
    let same = ports.iter().all(|p| ports.first().is_some_and(|first| first.as_str() == p.as_str()));
    if let Some(found) = ports.first().filter(|_| same)
        && let Ok(port) = found.as_str().parse::<u16>()
    {
        draft.port.offer(port, 0.29, "hint.readme.port", At::line(file, line_at(text, found.start())));
    }
    for block in FENCE.captures_iter(text).filter_map(|c| c.get(1)).take(20) {
        for found in STARTS.captures_iter(block.as_str()).filter_map(|c| c.get(1)).take(3) {
            let line = found.as_str().trim();
            let runs = !command::is_dev(line) && !command::needs_shell(line) && !line.contains(['<', '[']);
            let once =
                ["migrate", "install", "test", "seed", "build", "-m venv", "-m pip", "createsuperuser"];
            if runs && !once.iter().any(|word| line.contains(word)) {
                let at = At::line(file, line_at(text, block.start() + found.start()));
                draft.start.offer(line, HINT, "hint.readme.start", at);
            }
        }
    }
}

/// Which tool the authors install with, by the files that say so, the strongest first.
pub(crate) fn node_manager(repo: &Repo<'_>, dir: &str) -> Option<(String, f32, At)> {
    let mut best: Option<(String, f32, At)> = None;
    for (file, weight) in speakers(repo, dir) {
        let Some(text) = repo.text(file) else { continue };
        let Some(found) = INSTALLS.captures(text) else { continue };
        let Some(name) = found.get(1).or_else(|| found.get(2)) else { continue };
        if best.as_ref().is_none_or(|(_, held, _)| weight > *held) {
            best =
                Some((name.as_str().to_owned(), weight, At::line(&file.path, line_at(text, name.start()))));
        }
    }
    best
}

/// The files that speak for a directory: its own Dockerfile and README, and the repository's CI.
fn speakers<'r>(repo: &'r Repo<'_>, dir: &'r str) -> Vec<(&'r File, f32)> {
    let weight = |file: &File| {
        let ci = file.path.starts_with(".github/workflows/")
            || file.path.starts_with(".circleci/")
            || matches!(file.path.as_str(), ".gitlab-ci.yml" | "azure-pipelines.yml" | ".travis.yml");
        let beside = file.dir() == dir;
        match file.name() {
            "Dockerfile" if beside => Some(0.03),
            _ if ci => Some(0.02),
            "README.md" | "readme.md" | "README" if beside || file.dir().is_empty() => Some(0.01),
            _ => None,
        }
    };
    let near = repo.in_dir(dir).chain(repo.under(".github")).chain(repo.under(".circleci"));
    let root = if dir.is_empty() { None } else { Some(repo.in_dir("")) };
    let all = near.chain(root.into_iter().flatten());
    all.filter(|f| path::depth(&f.path) <= path::depth(dir) + 3)
        .filter_map(|f| Some((f, weight(f)?)))
        .collect()
}
