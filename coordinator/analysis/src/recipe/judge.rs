//! Is the repository's own Dockerfile fit for production?
//!
//! One rule: it is the author's; it is replaced only for a reason that would fail the build or the service, and each reason is said.

use hydron_domain::analysis::{Finding, FindingCode, ServiceKind, Severity};

use super::{python, text};
use crate::draft::{DockerfileLink, Draft, Stack};
use crate::formats::command;
use crate::formats::dockerfile::Dockerfile;
use crate::options::Options;
use crate::overlay::dockerfiles::copied;
use crate::overlay::images;
use crate::path;
use crate::pattern::patterns;
use crate::repo::Repo;

patterns! {
    CACHE_MOUNT = r"--mount=type=cache,[^\s\\]+\s*(?:\\\s*\n\s*)?";
    OTHER_MOUNT = r"--mount=type=(?:bind|secret|ssh|tmpfs)";
    DEV_TOOLS = r"cargo-watch|cargo install cargo-watch|nodemon|air-verse/air|cosmtrek/air";
    SYNTAX = r"(?m)^#\s*syntax\s*=.*\n";
}

/// The judgement.
pub(crate) enum Judgement {
    /// Build it as it is; remarks for a person.
    Fit(Vec<String>),
    /// Build it with these changes.
    Repaired { content: String, reasons: Vec<String> },
    /// Write a new one.
    Unfit(Vec<String>),
}

/// Judges the linked file.
pub(crate) fn judge(repo: &Repo<'_>, options: &Options, draft: &Draft, link: &DockerfileLink) -> Judgement {
    let Some(source) = repo.read(&link.path) else {
        return Judgement::Unfit(vec![format!("{} cannot be read", link.path)]);
    };
    let parsed = Dockerfile::parse(source);
    let target = link.target.as_deref();
    let can_write = !matches!(draft.stack, Stack::Image);
    let mut reasons = Vec::new();
    let missing = host_artifacts(repo, &parsed, link);
    if !missing.is_empty() {
        reasons.push(format!(
            "it copies {} which is not in the repository: it expects a build on the host",
            missing.join(", ")
        ));
    }
    if can_write && let Some(reason) = wrong_runtime(&parsed, draft, target) {
        reasons.push(reason);
    }
    let start = parsed.start(target);
    let dev_start = start.as_ref().is_some_and(|(s, _)| command::is_dev(s));
    let declared =
        draft.start.best().is_some_and(|o| o.rule.starts_with("compose.") || o.rule.starts_with("procfile."))
            && draft.start.confidence() > 0.5;
    if dev_start && !declared {
        reasons.push("its command is a development server".to_owned());
    }
    let base_runs = parsed.base_image(target).is_some_and(has_own_command);
    let dev_tool = DEV_TOOLS.is_match(source) && start.is_none();
    if dev_tool {
        reasons.push("it installs a file watcher and has no command: a development image".to_owned());
    } else if start.is_none() && !base_runs && !declared && draft.start.confidence() < 0.3 {
        reasons.push("it has no command".to_owned());
    }
    if !reasons.is_empty() {
        return if can_write { Judgement::Unfit(reasons) } else { Judgement::Fit(reasons) };
    }
    repair(repo, options, draft, link, source, &parsed, start.is_none() && !base_runs)
}

/// Whether the file needs a build on the host or the wrong runtime.
pub(crate) fn is_unusable(repo: &Repo<'_>, draft: &Draft, link: &DockerfileLink) -> bool {
    let Some(parsed) = repo.read(&link.path).map(Dockerfile::parse) else { return true };
    !host_artifacts(repo, &parsed, link).is_empty()
        || wrong_runtime(&parsed, draft, link.target.as_deref()).is_some()
}

fn repair(
    repo: &Repo<'_>,
    options: &Options,
    draft: &Draft,
    link: &DockerfileLink,
    source: &str,
    parsed: &Dockerfile,
    no_command: bool,
) -> Judgement {
    let mut content = source.to_owned();
    let mut reasons = Vec::new();
    if no_command && let Some(start) = draft.start.best().filter(|o| o.confidence >= 0.3) {
        let command = match &draft.stack {
            Stack::Python(_) => python::with_port(&start.value, text::port(draft, 8000), draft),
            Stack::Node(_)
            | Stack::Ruby(_)
            | Stack::Go(_)
            | Stack::Rust(_)
            | Stack::Java(_)
            | Stack::Php(_)
            | Stack::Dotnet(_)
            | Stack::Site(_)
            | Stack::Image => start.value.clone(),
        };
        content = format!("{}\n{}\n", content.trim_end(), text::cmd(&command));
        reasons.push(format!(
            "it has no command; the one of {} was added",
            start.at.file.clone().unwrap_or_else(|| "the analysis".to_owned())
        ));
    }
    if !options.builder.cache_mounts && CACHE_MOUNT.is_match(&content) && !OTHER_MOUNT.is_match(&content) {
        content = CACHE_MOUNT.replace_all(&content, "").into_owned();
        reasons.push("cache mounts were taken out: the server's builder does not know them".to_owned());
    }
    if SYNTAX.is_match(&content) && (!reasons.is_empty() || !options.builder.cache_mounts) {
        content = SYNTAX.replace(&content, "").into_owned();
        reasons.push("the `# syntax` line was taken out: it makes the builder fetch an image".to_owned());
    }
    let remarks = remarks(repo, draft, link, parsed);
    if reasons.is_empty() {
        return Judgement::Fit(remarks);
    }
    reasons.extend(remarks);
    Judgement::Repaired { content, reasons }
}

/// Base images that bring a command.
fn has_own_command(image: &str) -> bool {
    let name = images::base_name(image);
    matches!(
        name.as_str(),
        "nginx"
            | "nginx-unprivileged"
            | "httpd"
            | "caddy"
            | "tomcat"
            | "wordpress"
            | "frankenphp"
            | "ghost"
            | "drupal"
    ) || (name == "php" && (image.contains("apache") || image.contains("fpm")))
        || image.contains("webdevops")
        || image.contains("apache")
}

/// Paths that the file copies from the context and that are not there.
fn host_artifacts(repo: &Repo<'_>, parsed: &Dockerfile, link: &DockerfileLink) -> Vec<String> {
    let mut missing = Vec::new();
    let known: Vec<(String, String)> = parsed
        .stages
        .iter()
        .flat_map(|s| &s.instructions)
        .filter(|i| i.name == "ARG")
        .filter_map(|i| i.args.split_once('='))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().trim_matches('"').to_owned()))
        .chain(link.args.iter().cloned())
        .collect();
    for source in copied(parsed) {
        // A pattern or a variable: what stands before it must be there.
        let source = if source.contains('$') { with_known(&source, &known) } else { source };
        let source = match source.find(['*', '?', '[', '$']) {
            Some(at) => {
                source.get(..at).and_then(|s| s.rsplit_once('/')).map_or(".", |(dir, _)| dir).to_owned()
            }
            None => source,
        };
        if source == "." {
            continue;
        }
        let Some(full) = path::resolve(&link.context, &source) else { continue };
        if full.is_empty() || repo.has(&full) || repo.has_dir(&full) || is_optional(&source) {
            continue;
        }
        if !missing.contains(&source) {
            missing.push(source);
        }
    }
    missing
}

/// Replaces the variables that have a value; the others stay as they are.
fn with_known(text: &str, known: &[(String, String)]) -> String {
    known.iter().fold(text.to_owned(), |text, (name, value)| {
        text.replace(&format!("${{{name}}}"), value).replace(&format!("${name}"), value)
    })
}

fn is_optional(source: &str) -> bool {
    let name = path::base(source);
    matches!(name, ".env" | "yarn.lock" | "package-lock.json" | "pnpm-lock.yaml" | ".npmrc")
}

fn wrong_runtime(parsed: &Dockerfile, draft: &Draft, target: Option<&str>) -> Option<String> {
    let image = &parsed.product(target)?.image;
    let Stack::Java(_) = draft.stack else { return None };
    let wanted: u32 = draft.version.value()?.split('.').next()?.parse().ok()?;
    patterns! { JAVA = r"(?:openjdk|temurin|jdk|jre|java|corretto)[^\d]{0,12}(\d{1,2})\b"; }
    let have: u32 = JAVA.captures(image)?.get(1)?.as_str().parse().ok()?;
    (have < wanted).then(|| format!("it runs on Java {have}, but the code is compiled for Java {wanted}"))
}

/// What a person should know of a file that is used nevertheless.
fn remarks(repo: &Repo<'_>, draft: &Draft, link: &DockerfileLink, parsed: &Dockerfile) -> Vec<String> {
    let mut list = Vec::new();
    let user = parsed.last(link.target.as_deref(), "USER").map(|i| i.args.trim().to_owned());
    if user.is_none_or(|u| u == "root" || u == "0") && draft.kind != ServiceKind::Static {
        list.push("it runs as root".to_owned());
    }
    let old = [
        "buster",
        "stretch",
        "jessie",
        "alpine3.1",
        "node:6",
        "node:8",
        "node:10",
        "node:12",
        "node:14",
        "python:2",
        "python:3.6",
        "python:3.7",
        "openjdk:8",
        "ubuntu:18",
        "ubuntu:16",
    ];
    if let Some(stage) = parsed.stages.iter().find(|s| old.iter().any(|o| s.image.contains(o))) {
        list.push(format!("its base {} no longer gets security fixes", stage.image));
        repo.note(Finding {
            severity: Severity::Warning,
            code: FindingCode::EndOfLife,
            service: Some(path::shown(&draft.dir)),
            message: format!("{} builds on {}, which no longer gets security fixes", link.path, stage.image),
            advice: "Move to a supported base image.".to_owned(),
            file: Some(link.path.clone()),
            line: Some(stage.line),
        });
    }
    let env_file =
        parsed.stages.iter().flat_map(|s| &s.instructions).find(|i| {
            i.name == "COPY" && i.args.split_whitespace().any(|w| w == ".env" || w.ends_with("/.env"))
        });
    if let Some(instruction) = env_file {
        list.push(format!("it copies .env into the image (line {})", instruction.line));
    }
    list
}
