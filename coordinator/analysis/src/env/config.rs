//! Variables in configuration files, Dockerfiles, and those that a framework implies.
//!
//! One rule: only interpolation (`${X}`, `%env(X)%`, `ENV[...]`) makes a variable of a configuration file.

use hydron_domain::analysis::EnvSource;
use serde_json::Value;

use super::{Seen, collect, reads};
use crate::draft::{Draft, Stack};
use crate::field::At;
use crate::formats::dockerfile::{Dockerfile, env_pairs};
use crate::formats::{json, yaml};
use crate::path;
use crate::pattern::patterns;
use crate::repo::{File, Lines, Repo, Role, line_at};

patterns! {
    BRACED = r"\$\{([A-Za-z_][\w.\-]*)(?::-?([^${}]*))?\}";
    PERCENT = r"%env\((?:[\w\\]+:)*([A-Za-z_]\w*)\)%";
    UPPER = r"^[A-Z][A-Z0-9_]*$";
}

/// Configuration files of all drafts.
pub(crate) fn apply(repo: &Repo<'_>, drafts: &mut [Draft]) {
    for draft in drafts.iter_mut().filter(|d| !matches!(d.stack, Stack::Site(_))) {
        let files: Vec<&File> =
            repo.owned(draft).filter(|f| f.role == Role::Normal && is_config(f)).collect();
        for file in files {
            let Some(text) = repo.text(file) else { continue };
            let seen = scan(file, text);
            let lines = Lines::of(text);
            for one in seen {
                let at = At::line(&file.path, lines.at(one.offset));
                collect::add(draft, one, &at);
            }
        }
    }
}

fn is_config(file: &File) -> bool {
    let yaml = matches!(file.extension(), "yml" | "yaml" | "properties");
    let compose = file.name().contains("compose");
    let workflow = file.path.starts_with('.');
    (yaml && !compose && !workflow)
        || file.name() == "custom-environment-variables.json"
        || matches!(file.name(), "turbo.json" | "appsettings.json" | "uwsgi.ini")
}

/// All variables of a configuration file.
pub(crate) fn scan(file: &File, text: &str) -> Vec<Seen> {
    let mut out = Vec::new();
    let name = file.name();
    if name.starts_with("custom-environment-variables") {
        let value = if file.extension() == "json" { json::parse(text) } else { yaml::parse(text) };
        for (_, leaf) in
            yaml::leaves(&value.unwrap_or_default()).into_iter().filter(|(p, _)| !p.ends_with("__format"))
        {
            out.push(Seen::new(&leaf, EnvSource::Config, text.find(&leaf).unwrap_or(0)));
        }
        return out;
    }
    if name == "turbo.json" {
        let value = json::parse(text).unwrap_or_default();
        for key in ["globalEnv", "globalPassThroughEnv", "tasks.build.env", "pipeline.build.env"] {
            for one in json::strings(&value, key).iter().filter(|n| UPPER.is_match(n)) {
                out.push(Seen::new(one, EnvSource::Config, text.find(one.as_str()).unwrap_or(0)));
            }
        }
        return out;
    }
    if name == "appsettings.json" {
        appsettings(text, &mut out);
        return out;
    }
    let application = name.starts_with("application")
        || name.starts_with("bootstrap")
        || file.path.contains("src/main/resources")
        || file.path.contains("config/");
    if application {
        for found in BRACED.captures_iter(text) {
            let Some(one) = found.get(1).filter(|m| UPPER.is_match(m.as_str())) else { continue };
            let mut seen = Seen::new(one.as_str(), EnvSource::Config, one.start());
            seen.default = found.get(2).map(|m| m.as_str().to_owned());
            out.push(seen);
        }
    }
    for one in PERCENT.captures_iter(text).filter_map(|c| c.get(1)) {
        let mut seen = Seen::new(one.as_str(), EnvSource::Config, one.start());
        seen.required = true;
        out.push(seen);
    }
    if text.contains("ENV") && text.contains("<%") {
        out.extend(reads::scan_ruby(text));
    }
    out
}

/// Keys of `appsettings.json` that hold secrets or connection strings.
fn appsettings(text: &str, out: &mut Vec<Seen>) {
    for (path, value) in yaml::leaves(&json::parse(text).unwrap_or(Value::Null)) {
        let env = path.replace('.', "__");
        let connection = path.starts_with("ConnectionStrings.");
        if connection || super::secret::is_secret(&env, Some(&value)) {
            let last = path.rsplit('.').next().unwrap_or_default();
            out.push(Seen::new(&env, EnvSource::Config, text.find(last).unwrap_or(0)));
        }
    }
}

/// `ARG` and `ENV` of the linked Dockerfile.
pub(crate) fn dockerfiles(repo: &Repo<'_>, drafts: &mut [Draft]) {
    for draft in drafts.iter_mut() {
        let Some(link) = draft.dockerfile.clone() else { continue };
        let Some(parsed) = repo.read(&link.path).map(Dockerfile::parse) else { continue };
        for instruction in parsed.all(link.target.as_deref(), "ENV") {
            for (name, value) in env_pairs(&instruction.args) {
                draft.given.entry(name.clone()).or_insert_with(|| value.clone());
                if is_runtime_detail(&name) {
                    continue;
                }
                let known = draft.env.contains_key(&name);
                let mut seen = Seen::new(&name, EnvSource::Dockerfile, 0);
                seen.default = (!value.contains('$')).then_some(value);
                if known || name.contains('_') {
                    collect::add(draft, seen, &At::line(&link.path, instruction.line));
                }
            }
        }
    }
}

fn is_runtime_detail(name: &str) -> bool {
    let prefixes = [
        "PYTHON",
        "PIP_",
        "UV_",
        "POETRY_",
        "NPM_",
        "PNPM_",
        "YARN_",
        "BUNDLE_",
        "GEM_",
        "CARGO_",
        "RUSTUP_",
        "GO",
        "JAVA_",
        "LC_",
        "LANG",
        "DEBIAN_",
        "COREPACK_",
        "NODE_OPTIONS",
        "NEXT_TELEMETRY",
        "VIRTUAL_ENV",
        "PATH",
        "HOME",
        "LD_",
        "MALLOC_",
        "CGO_",
        "TURBO_",
        "S6_",
        "COMPOSER_",
        "VERSION",
        "APP_HOME",
        "MAVEN_",
    ];
    prefixes.iter().any(|p| name.starts_with(p))
}

/// Variables that a framework reads without naming them in the code.
pub(crate) fn implied(repo: &Repo<'_>, drafts: &mut [Draft]) {
    for draft in drafts.iter_mut() {
        let dir = draft.dir.clone();
        let mut names: Vec<(&str, bool, String)> = Vec::new();
        match (&draft.stack, draft.framework_name()) {
            (Stack::Ruby(facts), _) if facts.rails => {
                let credentials = path::join(&dir, "config/credentials.yml.enc");
                if repo.has(&credentials) {
                    names.push(("RAILS_MASTER_KEY", true, credentials));
                } else {
                    names.push(("SECRET_KEY_BASE", true, path::join(&dir, "config/application.rb")));
                }
                if facts.gems.contains("pg") || facts.gems.contains("mysql2") {
                    names.push(("DATABASE_URL", false, path::join(&dir, "Gemfile")));
                }
            }
            (Stack::Rust(_), "rocket") => {
                names.push(("ROCKET_ADDRESS", false, path::join(&dir, "Cargo.toml")));
            }
            (Stack::Node(facts), _) if facts.prisma.is_some() => prisma(repo, draft),
            _ => {}
        }
        for (name, required, file) in names {
            let mut seen = Seen::new(name, EnvSource::Framework, 0);
            seen.required = required;
            if name == "ROCKET_ADDRESS" {
                seen.default = Some("0.0.0.0".to_owned());
            }
            collect::add(draft, seen, &At::file(&file));
        }
    }
}

fn prisma(repo: &Repo<'_>, draft: &mut Draft) {
    patterns! { ENV = r#"\benv\(\s*"(\w+)"\s*\)"#; }
    let files: Vec<&File> = repo.owned(draft).filter(|f| f.extension() == "prisma").collect();
    for file in files {
        let Some(text) = repo.text(file) else { continue };
        for name in ENV.captures_iter(text).filter_map(|c| c.get(1)) {
            let mut seen = Seen::new(name.as_str(), EnvSource::Config, name.start());
            seen.required = true;
            collect::add(draft, seen, &At::line(&file.path, line_at(text, name.start())));
        }
    }
}
