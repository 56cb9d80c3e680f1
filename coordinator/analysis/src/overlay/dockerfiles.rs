//! Which Dockerfile belongs to which service, and services that only a Dockerfile describes.
//!
//! One rule: a declared link (compose, platform file) beats place; a file for databases, development or CI is nobody's.

use std::collections::BTreeSet;

use hydron_domain::analysis::ServiceKind;

use super::images::{self, ImageKind};
use crate::draft::{DockerfileLink, Draft, Found, Stack};
use crate::field::At;
use crate::formats::dockerfile::{Dockerfile, Stage};
use crate::formats::json;
use crate::path;
use crate::repo::{File, Repo, Role};

/// Directories that hold recipes for other directories.
pub(crate) const RECIPE_PARTS: [&str; 14] = [
    "docker",
    "deploy",
    "deployment",
    "packaging",
    ".docker",
    "ops",
    "infra",
    "container",
    "containers",
    "build",
    "ci",
    "dockerfiles",
    "images",
    "etc",
];

/// What a Dockerfile is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Builds or runs an application.
    App,
    /// A database with seed data.
    Database,
    /// Development, CI or tests.
    Dev,
    /// Observability and other tools.
    Tool,
}

/// Whether a file name is a Dockerfile's.
pub(crate) fn is_dockerfile(name: &str) -> bool {
    name == "Dockerfile"
        || name == "Containerfile"
        || name == "dockerfile"
        || name.starts_with("Dockerfile.")
        || name.ends_with(".Dockerfile")
        || name.ends_with(".dockerfile")
}

/// Judges a Dockerfile's purpose by name, place and base image.
pub(crate) fn purpose(path: &str, file: &Dockerfile) -> Purpose {
    let name = path::base(path).to_lowercase();
    let words: Vec<String> = path::words(&name).filter(|w| w != "dockerfile").collect();
    let dev = [
        "dev",
        "development",
        "test",
        "tests",
        "ci",
        "e2e",
        "playwright",
        "cypress",
        "gitpod",
        "devcontainer",
        "local",
        "lint",
        "debug",
        "docs",
        "debian",
        "rpm",
        "cross",
        "builder",
        "windows",
    ];
    let aside = |part: &str| matches!(part, "dev" | "development" | "test" | "tests" | "e2e" | "ci");
    if path::parent(path).split('/').any(aside)
        || words.iter().any(|w| dev.contains(&w.as_str()))
        || path.contains(".devcontainer")
        || path.contains(".gitpod")
        || path.contains(".github/")
    {
        return Purpose::Dev;
    }
    let Some(base) = file.base_image(None) else { return Purpose::Dev };
    match images::judge(base) {
        ImageKind::Dependency { .. } => Purpose::Database,
        ImageKind::Tool if images::base_name(base) != "caddy" => Purpose::Tool,
        ImageKind::Tool | ImageKind::Application => Purpose::App,
    }
}

/// Links Dockerfiles by place to drafts that have none, nearest first.
pub(crate) fn link(repo: &Repo<'_>, drafts: &mut [Draft]) {
    let files: Vec<&File> =
        repo.files().iter().filter(|f| is_dockerfile(f.name()) && f.role == Role::Normal).collect();
    let declared: BTreeSet<String> =
        drafts.iter().filter_map(|d| d.dockerfile.as_ref()).map(|l| l.path.clone()).collect();
    let dirs: Vec<String> = drafts.iter().map(|d| d.dir.clone()).collect();
    for draft in drafts.iter_mut().filter(|d| d.dockerfile.is_none()) {
        let mut best: Option<(u32, &File)> = None;
        for file in &files {
            let Some(parsed) = repo.text(file).map(Dockerfile::parse) else { continue };
            if purpose(&file.path, &parsed) != Purpose::App {
                continue;
            }
            let far = || root_start(repo, draft, file).then_some(5);
            let place = distance(draft, file, &dirs, declared.contains(&file.path), &parsed);
            let Some(distance) = place.or_else(far) else {
                continue;
            };
            if best.is_none_or(|(d, _)| distance < d) {
                best = Some((distance, file));
            }
        }
        if let Some((_, file)) = best {
            let target = repo.text(file).map(Dockerfile::parse).and_then(|p| target(&p, draft));
            draft.dockerfile = Some(DockerfileLink {
                path: file.path.clone(),
                context: context(repo, draft, file),
                target,
                declared: false,
                args: Vec::new(),
            });
        }
    }
}

/// The stage that a file of several products has for this service: the one that bears its name.
fn target(parsed: &Dockerfile, draft: &Draft) -> Option<String> {
    let name = path::base(&draft.dir).to_lowercase();
    let last = parsed.product(None)?;
    let stage =
        parsed.stages.iter().find(|s| s.alias.as_deref().is_some_and(|a| a.to_lowercase() == name))?;
    let starts = stage.alias.as_deref().is_some_and(|a| parsed.start(Some(a)).is_some());
    (starts && stage.line != last.line).then(|| stage.alias.clone()).flatten()
}

/// How far a Dockerfile stands from a service; `None` if it cannot be meant.
fn distance(draft: &Draft, file: &File, dirs: &[String], declared: bool, parsed: &Dockerfile) -> Option<u32> {
    let dir = file.dir();
    let plain = if file.name() == "Dockerfile" { 0 } else { variant(file.name()) };
    if dir == draft.dir {
        return Some(plain);
    }
    let place = path::relative(dir, &draft.dir);
    let recipe_dirs = [
        "docker",
        "deploy",
        "deployment",
        "packaging",
        ".docker",
        "build",
        "ops",
        "infra",
        "container",
        "docker/prod",
        "docker/production",
        "docker/php",
        "docker/app",
        "src/main/docker",
        "other",
        "docker/web",
    ];
    if place.is_some_and(|p| recipe_dirs.contains(&p)) {
        let only = dirs.iter().filter(|d| *d == &draft.dir).count() >= 1;
        let jvm = if file.name().contains("native") || file.name().contains("legacy") { 3 } else { 0 };
        return only.then_some(2 + plain + jvm);
    }
    // A file at the root (or in its docker directory) serves a member if its name or its text names the member's directory.
    let above = path::within(&draft.dir, dir) || dir == "docker" || dir == "deploy";
    let name = path::base(&draft.dir);
    let named = !name.is_empty()
        && (path::words(file.name()).any(|w| w == name.to_lowercase()) || mentions(parsed, &draft.dir));
    let others = dirs.iter().any(|d| {
        *d != draft.dir && !path::within(&draft.dir, d) && path::within(d, dir) && dir == d.as_str()
    });
    if above && named && !declared && !others {
        return Some(6 + plain);
    }
    let lone = dirs.iter().all(|d| *d == draft.dir);
    if above && lone && !declared && plain == 0 {
        return Some(8);
    }
    None
}

/// Whether the manifest beside a Dockerfile starts the service (`"start": "cd packages/core && npm start"`).
fn root_start(repo: &Repo<'_>, draft: &Draft, file: &File) -> bool {
    if file.name() != "Dockerfile" || draft.dir.is_empty() || !path::within(&draft.dir, file.dir()) {
        return false;
    }
    let manifest = repo.read(&path::join(file.dir(), "package.json")).and_then(|t| json::parse(t).ok());
    let script = manifest.as_ref().and_then(|m| json::text(m.get("scripts")?, "start"));
    let place = path::relative(&draft.dir, file.dir()).unwrap_or_default();
    let words = script.unwrap_or_default().split_whitespace();
    words.map(|w| w.trim_start_matches("./")).any(|w| w == place || w.split('=').any(|p| p == place))
}

/// How far a name is from the usual one: a recipe for another runtime or base is a second choice.
fn variant(name: &str) -> u32 {
    let other = [
        "bun", "pnpm", "npm", "yarn", "deno", "alpine", "slim", "arm", "arm64", "native", "legacy", "cuda",
        "gpu", "heroku", "fly",
    ];
    if path::words(name).any(|w| other.contains(&w.as_str())) { 7 } else { 1 }
}

fn mentions(parsed: &Dockerfile, dir: &str) -> bool {
    let last = parsed.product(None).map(|s| &s.instructions);
    let needle = format!("{dir}/");
    let word = |args: &str| {
        args.contains(needle.as_str())
            || args.split_whitespace().any(|w| w.trim_matches(['"', '.', '/', ',']) == dir)
    };
    last.into_iter().flatten().any(|i| word(&i.args))
        || parsed
            .stages
            .iter()
            .flat_map(|s| &s.instructions)
            .filter(|i| i.name == "RUN" || i.name == "CMD" || i.name == "COPY")
            .filter(|i| word(&i.args))
            .count()
            >= 2
}

/// The build context: the directory that holds what the file copies.
fn context(repo: &Repo<'_>, draft: &Draft, file: &File) -> String {
    let Some(parsed) = repo.text(file).map(Dockerfile::parse) else { return draft.dir.clone() };
    let score = |dir: &str| {
        copied(&parsed)
            .iter()
            .filter(|c| {
                c.as_str() == "." || repo.has(&path::join(dir, c)) || repo.has_dir(&path::join(dir, c))
            })
            .count()
    };
    let mut candidates = vec![file.dir().to_owned(), draft.dir.clone(), String::new()];
    candidates.dedup();
    let mut best = (0_usize, draft.dir.clone());
    for candidate in candidates {
        let points = score(&candidate) * 2 + usize::from(candidate == draft.dir);
        if points > best.0 {
            best = (points, candidate);
        }
    }
    best.1
}

/// Paths that the file copies from its context.
pub(crate) fn copied(parsed: &Dockerfile) -> Vec<String> {
    parsed.stages.iter().flat_map(sources).collect()
}

/// Paths that one stage copies from the context.
pub(crate) fn sources(stage: &Stage) -> Vec<String> {
    let mut list = Vec::new();
    for instruction in &stage.instructions {
        if !matches!(instruction.name.as_str(), "COPY" | "ADD")
            || instruction.args.contains("--from=")
            || instruction.args.contains("<<")
        {
            continue;
        }
        let bare = without_flags(&instruction.args);
        let words = crate::formats::dockerfile::exec_form(bare)
            .unwrap_or_else(|| crate::formats::command::split(bare));
        let sources = words.len().saturating_sub(1);
        for word in words.into_iter().take(sources) {
            if word.contains("://") {
                continue;
            }
            let clean =
                word.trim_start_matches("./").trim_start_matches('/').trim_end_matches('/').to_owned();
            list.push(if clean.is_empty() { ".".to_owned() } else { clean });
        }
    }
    list
}

/// An instruction's words after its flags (`--chown=1:1 ["a", "b"]`).
fn without_flags(args: &str) -> &str {
    let mut rest = args.trim_start();
    while rest.starts_with("--") {
        rest = rest.split_once(char::is_whitespace).map_or("", |(_, tail)| tail.trim_start());
    }
    rest
}

/// Services that nothing but a Dockerfile describes.
pub(crate) fn alone(repo: &Repo<'_>, found: &mut Found) {
    let files: Vec<&File> =
        repo.files().iter().filter(|f| is_dockerfile(f.name()) && f.role == Role::Normal).collect();
    for file in files {
        let Some(parsed) = repo.text(file).map(Dockerfile::parse) else { continue };
        let dir = file.dir();
        if found.rejected.iter().any(|r| r.rule == "compose.not_a_service" && r.path == path::shown(dir)) {
            continue;
        }
        let used = found.drafts.iter().any(|d| d.dockerfile.as_ref().is_some_and(|l| l.path == file.path));
        if !found.drafts.is_empty() && dir.split('/').any(|p| RECIPE_PARTS.contains(&p)) {
            continue;
        }
        let inside = found.drafts.iter().any(|d| path::within(dir, &d.dir) || path::within(&d.dir, dir));
        if used || inside || is_for_devices(found, dir) {
            continue;
        }
        if is_hollow(repo, dir, &parsed) {
            found.reject(
                dir,
                "dockerfile.no_code",
                "a Dockerfile that puts nothing of the repository into a bare runtime image",
            );
            continue;
        }
        match purpose(&file.path, &parsed) {
            Purpose::App => {}
            Purpose::Database => {
                found.reject(
                    dir,
                    "dockerfile.database",
                    "an image of a database with its own data: a dependency, not a service",
                );
                continue;
            }
            Purpose::Dev | Purpose::Tool => {
                found.reject(dir, "dockerfile.tool", "an image for development, tests or observability");
                continue;
            }
        }
        if repo.is_support(dir)
            || parsed.start(None).is_none() && parsed.ports(None).is_empty() && !is_web_server(&parsed)
        {
            found.reject(dir, "dockerfile.no_command", "a Dockerfile without a command or a port");
            continue;
        }
        let draft = image_draft(repo, dir, &file.path, &parsed);
        found.drafts.push(draft);
    }
}

/// Whether a stack has seen that the directory's program runs on people's devices.
pub(crate) fn is_for_devices(found: &Found, dir: &str) -> bool {
    let rules = ["node.mobile", "node.desktop", "node.extension", "rust.desktop"];
    found.rejected.iter().any(|r| r.path == path::shown(dir) && rules.contains(&r.rule.as_str()))
}

/// Whether a file adds nothing of the repository to the image of a language: what it runs was built elsewhere.
fn is_hollow(repo: &Repo<'_>, dir: &str, parsed: &Dockerfile) -> bool {
    let base = parsed.base_image(None).map(images::base_name).unwrap_or_default();
    let at = |place: &str, file: &String| {
        let file = path::join(place, file);
        repo.has(&file) || repo.has_dir(&file)
    };
    let there = |file: &String| at(dir, file) || at("", file);
    let wild = |file: &String| file == "." || file.contains(['*', '$']);
    let brings = parsed.stages.iter().flat_map(|s| &s.instructions).any(|i| {
        let outside = i.args.contains("--from=") || i.args.contains("://");
        i.name == "RUN" || matches!(i.name.as_str(), "COPY" | "ADD") && outside
    });
    language_of(&base).is_some() && !brings && !copied(parsed).iter().any(|file| wild(file) || there(file))
}

/// A draft for a directory that only a Dockerfile describes.
pub(crate) fn image_draft(repo: &Repo<'_>, dir: &str, file: &str, parsed: &Dockerfile) -> Draft {
    let base = parsed.base_image(None).map(images::base_name).unwrap_or_default();
    let last = parsed.product(None).map(|s| images::base_name(&s.image)).unwrap_or_default();
    let server = is_web_server(parsed);
    let proxies = repo
        .under(dir)
        .filter(|f| repo.size(f).is_some_and(|size| size < 65536))
        .filter_map(|f| repo.text(f))
        .any(|t| t.contains("proxy_pass") || t.contains("reverse_proxy"));
    let (kind, language, framework) = match (server, proxies) {
        (true, true) => (ServiceKind::Web, "html", if last == "caddy" { "caddy" } else { "nginx" }),
        (true, false) => (ServiceKind::Static, "html", "static"),
        (false, _) => (
            if parsed.ports(None).is_empty() { ServiceKind::Worker } else { ServiceKind::Web },
            manifest_language(repo, dir).unwrap_or_else(|| image_language(&base, &last)),
            "",
        ),
    };
    let mut draft = Draft::new(dir, kind, language, Stack::Image);
    if !framework.is_empty() {
        draft.framework.offer(framework, 0.8, "dockerfile.web_server", At::file(file));
        draft.package_manager.offer("none", 0.7, "dockerfile.web_server", At::file(file));
    }
    if !dir.is_empty() {
        draft.name.offer(path::base(dir), 0.6, "name.directory", At::nowhere());
    }
    draft.why.offer("its own Dockerfile", 0.8, "dockerfile.alone", At::file(file));
    super::image_facts::offer(repo, &mut draft, file, parsed);
    draft.dockerfile = Some(DockerfileLink {
        path: file.to_owned(),
        context: dir.to_owned(),
        target: None,
        declared: false,
        args: Vec::new(),
    });
    draft
}

/// Whether the product is a web server that serves files.
pub(crate) fn is_web_server(parsed: &Dockerfile) -> bool {
    let image = parsed.product(None).map(|s| images::base_name(&s.image)).unwrap_or_default();
    matches!(image.as_str(), "nginx" | "nginx-unprivileged" | "httpd" | "caddy" | "static-web-server")
        || image.ends_with("-nginx")
}

/// Manifests of programs, and the language that each is of.
const MANIFESTS: [(&str, &str); 12] = [
    ("package.json", "javascript"),
    ("requirements.txt", "python"),
    ("pyproject.toml", "python"),
    ("go.mod", "go"),
    ("Cargo.toml", "rust"),
    ("Gemfile", "ruby"),
    ("composer.json", "php"),
    ("pom.xml", "java"),
    ("build.gradle", "java"),
    ("build.gradle.kts", "kotlin"),
    ("CMakeLists.txt", "cpp"),
    ("mix.exs", "elixir"),
];

/// Whether a file name is a program's manifest.
pub(crate) fn is_manifest(name: &str) -> bool {
    MANIFESTS.iter().any(|(known, _)| *known == name)
}

/// The language of the manifest that lies in a directory.
fn manifest_language(repo: &Repo<'_>, dir: &str) -> Option<&'static str> {
    let named =
        MANIFESTS.iter().find(|(name, _)| repo.has(&path::join(dir, name))).map(|(_, language)| *language);
    let project = |extension| repo.in_dir(dir).any(|f| f.extension() == extension);
    named.or_else(|| project("csproj").then_some("csharp")).or_else(|| project("fsproj").then_some("fsharp"))
}

fn image_language(base: &str, last: &str) -> &'static str {
    [last, base].into_iter().find_map(language_of).unwrap_or("unknown")
}

/// The language that a base image is for.
pub(crate) fn language_of(name: &str) -> Option<&'static str> {
    let known = [
        ("python", "python"),
        ("node", "javascript"),
        ("golang", "go"),
        ("ruby", "ruby"),
        ("php", "php"),
        ("rust", "rust"),
        ("openjdk", "java"),
        ("temurin", "java"),
        ("maven", "java"),
        ("gradle", "java"),
        ("dotnet", "csharp"),
        ("aspnet", "csharp"),
        ("sdk", "csharp"),
        ("elixir", "elixir"),
        ("perl", "perl"),
        ("bun", "javascript"),
        ("deno", "typescript"),
    ];
    known.iter().find(|(n, _)| name.contains(n)).map(|(_, language)| *language)
}
