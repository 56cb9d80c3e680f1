//! Compose files, read into what matters here: builds, images, commands, ports, environment, order.
//!
//! One rule: of several files in a directory the production one counts; development and test files are left out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::compose_matrix;
use crate::formats::{dockerfile, dotenv, json, yaml};
use crate::path;
use crate::repo::{File, Repo, Role, line_of};

/// One service of a compose file.
#[derive(Debug, Clone, Default)]
pub(crate) struct ComposeService {
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) line: Option<u32>,
    pub(crate) image: Option<String>,
    pub(crate) build: Option<Build>,
    pub(crate) command: Option<String>,
    /// The command replaces the image's entrypoint.
    pub(crate) entrypoint: bool,
    /// Published (host) and container port.
    pub(crate) ports: Vec<(Option<u16>, u16)>,
    pub(crate) environment: BTreeMap<String, Option<String>>,
    pub(crate) depends_on: Vec<String>,
    pub(crate) health: Option<String>,
    pub(crate) profiles: Vec<String>,
    pub(crate) volumes: Vec<String>,
    /// Files of variables, as paths in the tree.
    pub(crate) env_files: Vec<String>,
    /// Every key that is set, as `service.KEY` or `build.KEY`.
    pub(crate) keys: Vec<String>,
}

/// The `build` section.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Build {
    /// Context directory in the tree.
    pub(crate) context: String,
    /// Dockerfile path in the tree.
    pub(crate) dockerfile: String,
    pub(crate) target: Option<String>,
    pub(crate) args: Vec<(String, String)>,
}

/// Names that compose files interpolate outside of `environment`: settings of the stack, not of a program.
pub(crate) fn interpolated(repo: &Repo<'_>) -> BTreeSet<String> {
    crate::pattern::patterns! { NAME = r"\$\{([A-Za-z_]\w*)"; }
    let files = repo
        .files()
        .iter()
        .filter(|f| f.name().contains("compose") && matches!(f.extension(), "yml" | "yaml"));
    let texts = files.filter_map(|f| repo.text(f));
    let mut names: BTreeSet<String> = texts
        .flat_map(|t| {
            NAME.captures_iter(t).filter_map(|c| c.get(1)).map(|m| m.as_str().to_owned()).collect::<Vec<_>>()
        })
        .collect();
    names.extend(
        ["COMPOSE_PROJECT_NAME", "COMPOSE_PROFILES", "COMPOSE_FILE", "DOCKER_BUILDKIT"].map(str::to_owned),
    );
    names
}

/// Reads the compose file of each directory that says what runs in production.
pub(crate) fn read_all(repo: &Repo<'_>) -> Vec<ComposeService> {
    let mut best: BTreeMap<&str, (u8, &File)> = BTreeMap::new();
    for file in repo.files().iter().filter(|f| f.role == Role::Normal) {
        let Some(rank) = rank(file.name()) else { continue };
        let held = best.entry(file.dir()).or_insert((rank, file));
        if rank < held.0 {
            *held = (rank, file);
        }
    }
    let mut files: Vec<&File> = best.into_values().map(|(_, f)| f).collect();
    files.sort_by_key(|f| (path::depth(&f.path), f.path.clone()));
    files.into_iter().flat_map(|f| read(repo, f)).collect()
}

/// The rank of a file whose name says neither where nor when it is meant.
const VARIANT: u8 = 2;

/// Lower is better; `None` for files that are not compose files or not for production.
fn rank(name: &str) -> Option<u8> {
    let stem = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml"))?;
    let rest = stem
        .strip_prefix("docker-compose")
        .or_else(|| stem.strip_prefix("compose"))
        .or_else(|| stem.strip_prefix("docker_compose"))?;
    let words: Vec<String> = path::words(rest).collect();
    let has = |list: &[&str]| words.iter().any(|w| list.contains(&w.as_str()));
    if has(&[
        "test",
        "tests",
        "ci",
        "e2e",
        "override",
        "debug",
        "load",
        "lint",
        "build",
        "watch",
        "tools",
        "dev",
        "development",
        "monitoring",
        "observability",
        "tracing",
        "gitpod",
        "devcontainer",
        "codespaces",
        "cypress",
        "playwright",
        "integration",
        "benchmark",
    ]) {
        return None;
    }
    match rest {
        "" => Some(0),
        _ if has(&["prod", "production", "deploy"]) => Some(1),
        _ if has(&["local", "example"]) => Some(4),
        _ => Some(VARIANT),
    }
}

fn read(repo: &Repo<'_>, file: &File) -> Vec<ComposeService> {
    let Some(text) = repo.text(file) else { return Vec::new() };
    let value = match yaml::parse(text) {
        Ok(value) => value,
        Err(problem) => {
            repo.note_unreadable(&file.path, &problem);
            return Vec::new();
        }
    };
    let Some(services) = value.get("services").and_then(Value::as_object) else { return Vec::new() };
    let known = settings(repo, file.dir());
    let overrides = override_of(repo, file);
    let built = overridden(file, &overrides, &known);
    let whole = |(name, value): (&String, &Value)| {
        let value = extended(repo, &file.path, &value.clone(), services, 0);
        let mut one = service(file, text, name, &with_override(&value, overrides.get(name)), &known);
        one.build = one.build.or_else(|| built.get(name).cloned());
        one
    };
    compose_matrix::note_file(repo, &file.path, text);
    services.iter().filter(|(_, v)| v.is_object()).map(whole).collect()
}

/// Variables that a compose file finds in the `.env` beside it.
type Known = [(String, String)];

fn settings(repo: &Repo<'_>, dir: &str) -> Vec<(String, String)> {
    let read = repo.read(&path::join(dir, ".env")).map(dotenv::parse).unwrap_or_default();
    let mut known: Vec<(String, String)> = Vec::new();
    for one in read.into_iter().filter(|one| !one.commented) {
        let value = dockerfile::expand(&one.value, &known);
        known.push((one.name, value));
    }
    known
}

/// The images of the files that stand beside a compose file as its equals, one list a file.
pub(crate) fn variants(repo: &Repo<'_>, chosen: &str) -> Vec<Vec<String>> {
    if rank(path::base(chosen)) != Some(VARIANT) {
        return Vec::new();
    }
    let beside = repo.in_dir(path::parent(chosen));
    let equal = beside.filter(|f| f.path != chosen && rank(f.name()) == Some(VARIANT));
    equal.filter_map(|f| repo.text(f)).map(images_of).collect()
}

fn images_of(text: &str) -> Vec<String> {
    let parsed = yaml::parse(text).unwrap_or_default();
    let services = parsed.get("services").and_then(Value::as_object).into_iter().flatten();
    services
        .filter_map(|(_, one)| yaml::scalar(one.get("image")?))
        .map(|i| dockerfile::expand(&i, &[]))
        .collect()
}

/// The services of the override file beside a compose file.
fn override_of(repo: &Repo<'_>, file: &File) -> serde_json::Map<String, Value> {
    let names = [
        "compose.override.yaml",
        "compose.override.yml",
        "docker-compose.override.yml",
        "docker-compose.override.yaml",
    ];
    let parsed = repo
        .first_of(file.dir(), &names)
        .and_then(|path| repo.read(&path))
        .and_then(|text| yaml::parse(text).ok())
        .unwrap_or_default();
    parsed.get("services").and_then(Value::as_object).cloned().unwrap_or_default()
}

/// What the override file builds: where the first file names only the image that comes out of it. Its stage is a
/// developer's, so the last one is meant.
fn overridden(
    file: &File,
    overrides: &serde_json::Map<String, Value>,
    known: &Known,
) -> BTreeMap<String, Build> {
    let built = overrides
        .iter()
        .filter_map(|(name, value)| Some((name.clone(), build(file.dir(), value.get("build")?, known)?)));
    built.map(|(name, build)| (name, Build { target: None, ..build })).collect()
}

/// A service that says neither variables nor ports has both in the override file, as Visual Studio writes them.
fn with_override(value: &Value, over: Option<&Value>) -> Value {
    let mut joined = value.clone();
    let bare = ["environment", "ports", "env_file"].iter().all(|key| value.get(key).is_none());
    if let (Some(own), Some(over), true) = (joined.as_object_mut(), over, bare) {
        for key in ["environment", "ports", "depends_on"] {
            if let Some(more) = over.get(key).filter(|_| !own.contains_key(key)) {
                own.insert(key.to_owned(), more.clone());
            }
        }
    }
    joined
}

/// How many `extends` are followed one after the other.
const MOST_EXTENDS: usize = 8;

/// A service with what it extends below its own keys: maps and lists of pairs are joined, everything else is its own.
fn extended(
    repo: &Repo<'_>,
    file: &str,
    value: &Value,
    services: &serde_json::Map<String, Value>,
    depth: usize,
) -> Value {
    let Some(extends) = value.get("extends").filter(|_| depth < MOST_EXTENDS) else { return value.clone() };
    let Some(name) = extends.as_str().or_else(|| json::text(extends, "service")) else {
        return value.clone();
    };
    let other = json::text(extends, "file").and_then(|f| path::resolve(path::parent(file), f));
    let base = match other.filter(|f| f != file) {
        Some(other) => {
            let parsed = repo.read(&other).and_then(|text| yaml::parse(text).ok()).unwrap_or_default();
            let Some(all) = parsed.get("services").and_then(Value::as_object) else { return value.clone() };
            all.get(name).map(|base| extended(repo, &other, base, all, depth + 1))
        }
        None => services.get(name).map(|base| extended(repo, file, base, services, depth + 1)),
    };
    match base {
        Some(Value::Object(mut joined)) => {
            for (key, own) in value.as_object().into_iter().flatten() {
                let merged = match (joined.get(key), own) {
                    (Some(Value::Object(under)), Value::Object(over)) => {
                        let mut both = under.clone();
                        both.extend(over.clone());
                        Value::Object(both)
                    }
                    (Some(Value::Array(under)), Value::Array(over)) if key == "environment" => {
                        Value::Array(under.iter().chain(over).cloned().collect())
                    }
                    _ => own.clone(),
                };
                joined.insert(key.clone(), merged);
            }
            Value::Object(joined)
        }
        Some(_) | None => value.clone(),
    }
}

/// The keys that a service sets, with those of its build.
fn keys(value: &Value) -> Vec<String> {
    let own =
        value.as_object().into_iter().flatten().filter(|(_, v)| !v.is_null() && **v != Value::Bool(false));
    let build = value.get("build").and_then(Value::as_object).into_iter().flatten();
    let mounts: BTreeSet<String> = volumes(value.get("volumes")).iter().filter_map(|v| mount(v)).collect();
    own.map(|(key, _)| format!("service.{key}"))
        .chain(build.map(|(key, _)| format!("build.{key}")))
        .chain(mounts)
        .collect()
}

/// What a volume mounts, when that is not a named volume or the source code itself.
fn mount(volume: &str) -> Option<String> {
    let (source, _) = volume.split_once(':')?;
    let what = match source {
        "." | "./" | ".." | "../" => return None,
        _ if source.ends_with("docker.sock") || source.ends_with("podman.sock") => {
            "the container engine's socket"
        }
        _ if source.starts_with('.') => "a path of the repository",
        _ if source.starts_with(['/', '~', '$']) => "a path of the server",
        _ => return None,
    };
    Some(format!("service.volumes: {what}"))
}

/// The files of variables: one, several, or maps with a `path`.
fn env_files(dir: &str, value: Option<&Value>) -> Vec<String> {
    let one = |v: &Value| json::text(v, "path").map(str::to_owned).or_else(|| yaml::scalar(v));
    let named: Vec<String> = match value {
        Some(Value::Array(items)) => items.iter().filter_map(one).collect(),
        Some(other) => one(other).into_iter().collect(),
        None => Vec::new(),
    };
    named.iter().filter_map(|file| path::resolve(dir, &dockerfile::expand(file, &[]))).collect()
}

fn service(file: &File, text: &str, name: &str, value: &Value, known: &Known) -> ComposeService {
    let plain = |v: &Value| yaml::scalar(v).map(|s| dockerfile::expand(&s, known));
    let words = |key: &str| match value.get(key) {
        Some(Value::Array(items)) => {
            let parts: Vec<String> = items.iter().filter_map(yaml::scalar).collect();
            Some(dockerfile::join(&parts))
        }
        Some(other) => yaml::scalar(other).map(|s| s.split_whitespace().collect::<Vec<_>>().join(" ")),
        None => None,
    };
    let entrypoint = words("entrypoint").filter(|e| !e.is_empty());
    let replaced = entrypoint.is_some();
    let command = match (entrypoint, words("command")) {
        (Some(e), Some(c)) => Some(format!("{e} {c}")),
        (e, c) => c.or(e),
    };
    ComposeService {
        name: name.to_owned(),
        file: file.path.clone(),
        line: line_of(text, &format!("\n  {name}:")).map(|l| l + 1),
        image: value.get("image").and_then(&plain).filter(|i| !i.is_empty()),
        build: value.get("build").and_then(|b| build(file.dir(), b, known)),
        command: command.filter(|c| !c.trim().is_empty()),
        entrypoint: replaced,
        ports: ports(value, known),
        environment: pairs(value.get("environment")),
        depends_on: match value.get("depends_on") {
            Some(Value::Object(map)) => map.keys().cloned().collect(),
            other => {
                let mut list = yaml::list(other);
                list.extend(
                    yaml::list(value.get("links"))
                        .iter()
                        .map(|l| l.split(':').next().unwrap_or_default().to_owned()),
                );
                list
            }
        },
        health: health(value),
        profiles: yaml::list(value.get("profiles")),
        volumes: volumes(value.get("volumes")),
        env_files: env_files(file.dir(), value.get("env_file")),
        keys: keys(value),
    }
}

/// Volumes in the short form; long ones are written as short ones.
fn volumes(value: Option<&Value>) -> Vec<String> {
    let one = |v: &Value| match (json::text(v, "source"), json::text(v, "target")) {
        (Some(source), Some(target)) => Some(format!("{source}:{target}")),
        _ => yaml::scalar(v),
    };
    value.and_then(Value::as_array).into_iter().flatten().filter_map(one).collect()
}

fn build(dir: &str, value: &Value, known: &Known) -> Option<Build> {
    let context = value.as_str().or_else(|| json::text(value, "context")).unwrap_or(".");
    if context.contains("://") || context.starts_with("git@") || value.get("dockerfile_inline").is_some() {
        return None;
    }
    let context = path::resolve(dir, &dockerfile::expand(context, known))?;
    let named =
        json::text(value, "dockerfile").map(|d| dockerfile::expand(d, known)).filter(|d| !d.is_empty());
    let dockerfile = path::resolve(&context, named.as_deref().unwrap_or("Dockerfile"))?;
    let args = pairs(value.get("args")).into_iter().filter_map(|(n, v)| Some((n, v?))).collect();
    Some(Build {
        context,
        dockerfile,
        target: json::text(value, "target").map(|t| dockerfile::expand(t, known)).filter(|t| !t.is_empty()),
        args,
    })
}

/// A map or a list of `A=b` as pairs; a name without a value comes from outside.
pub(crate) fn pairs(value: Option<&Value>) -> BTreeMap<String, Option<String>> {
    match value {
        Some(Value::Object(map)) => map.iter().map(|(k, v)| (k.clone(), yaml::scalar(v))).collect(),
        Some(Value::Array(items)) => {
            let words = items.iter().filter_map(yaml::scalar);
            words
                .map(|w| {
                    w.split_once('=').map_or((w.clone(), None), |(n, v)| (n.to_owned(), Some(v.to_owned())))
                })
                .collect()
        }
        Some(_) | None => BTreeMap::new(),
    }
}

fn ports(value: &Value, known: &Known) -> Vec<(Option<u16>, u16)> {
    let mut list = Vec::new();
    for port in value.get("ports").and_then(Value::as_array).into_iter().flatten() {
        if let Some(target) = port.get("target").and_then(yaml_port) {
            list.push((port.get("published").and_then(yaml_port), target));
            continue;
        }
        let Some(text) = yaml::scalar(port).map(|s| dockerfile::expand(&s, known)) else { continue };
        if text.ends_with("/udp") {
            continue;
        }
        let text = text.split('/').next().unwrap_or_default();
        let mut parts = text.rsplit(':');
        let target = parts.next().and_then(|p| p.split('-').next().unwrap_or_default().parse().ok());
        let published = parts.next().and_then(|p| p.parse().ok());
        if let Some(target) = target {
            list.push((published, target));
        }
    }
    for port in yaml::list(value.get("expose")) {
        if let Ok(port) = dockerfile::expand(&port, known).parse() {
            list.push((None, port));
        }
    }
    list
}

fn yaml_port(value: &Value) -> Option<u16> {
    yaml::scalar(value)?.parse().ok()
}

fn health(value: &Value) -> Option<String> {
    let test = value.get("healthcheck")?.get("test")?;
    let text = yaml::list(Some(test)).join(" ");
    url_path(&text).map(|(path, _)| path)
}

/// The path of the first local URL in a text, and its port if one is named.
pub(crate) fn url_path(text: &str) -> Option<(String, Option<u16>)> {
    let (_, after) = text.split_once("://")?;
    let host = after.split(['/', ' ', '"', '\'', '?']).next().unwrap_or_default();
    let local = ["localhost", "127.0.0.1", "0.0.0.0", "[::1]"].iter().any(|h| host.starts_with(h))
        || host.contains('$');
    let path = after.strip_prefix(host)?;
    let path: String = path
        .chars()
        .take_while(|c| !c.is_whitespace() && !matches!(c, '"' | '\'' | ')' | '|' | ';' | ','))
        .collect();
    let port = host.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    local.then(|| (if path.is_empty() { "/".to_owned() } else { path }, port))
}
