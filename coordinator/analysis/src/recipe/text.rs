//! The pieces that every recipe is put together from.
//!
//! One rule: a command is an argument vector in exec form; a shell appears only where the author's own command needs one.

use crate::draft::Draft;
use crate::formats::command;
use crate::options::Options;

/// The port of generated static sites: above 1024, so that no privilege is needed.
pub(crate) const STATIC_PORT: u16 = 8080;

/// A finished recipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recipe {
    pub(crate) context: String,
    pub(crate) content: String,
    pub(crate) ignore: String,
}

/// Lines of a Dockerfile.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    lines: Vec<String>,
}

impl Lines {
    /// Adds a line.
    pub(crate) fn push(&mut self, line: impl Into<String>) -> &mut Self {
        self.lines.push(line.into());
        self
    }

    /// Adds a line if there is one.
    pub(crate) fn maybe(&mut self, line: Option<String>) -> &mut Self {
        self.lines.extend(line);
        self
    }

    /// An empty line between stages.
    pub(crate) fn gap(&mut self) -> &mut Self {
        self.lines.push(String::new());
        self
    }

    /// The text.
    pub(crate) fn finish(self) -> String {
        let mut text = self.lines.join("\n");
        text.push('\n');
        text
    }
}

/// `RUN command`, with a cache mount if the builder knows them.
pub(crate) fn run(options: &Options, cache: &[&str], command: &str) -> String {
    if options.builder.cache_mounts && !cache.is_empty() {
        let mounts: Vec<String> = cache.iter().map(|c| format!("--mount=type=cache,target={c}")).collect();
        return format!("RUN {} \\\n    {command}", mounts.join(" "));
    }
    format!("RUN {command}")
}

/// Installs Debian packages and leaves no lists behind.
pub(crate) fn apt(packages: &[&str]) -> Option<String> {
    if packages.is_empty() {
        return None;
    }
    let list = packages.join(" ");
    Some(format!(
        "# hadolint ignore=DL3008\nRUN apt-get update \\\n    && apt-get install --yes --no-install-recommends {list} \\\n    && rm -rf /var/lib/apt/lists/*"
    ))
}

/// A user of its own, by number, so that it works on every base.
pub(crate) const USER: &str = "10001:10001";

/// An exec-form list.
pub(crate) fn exec(words: &[String]) -> String {
    let quoted: Vec<String> =
        words.iter().map(|w| serde_json::Value::String(w.clone()).to_string()).collect();
    format!("[{}]", quoted.join(", "))
}

/// `CMD` for a command line; the author's shell syntax goes through `sh -c exec`.
pub(crate) fn cmd(start: &str) -> String {
    let words = command::split(start);
    let plain = !command::needs_shell(start) && !words.first().is_some_and(|w| w.contains('='));
    if plain {
        return format!("CMD {}", exec(&words));
    }
    let single = command::parts(start).len() == 1 && !start.contains('|');
    let line = if single { format!("exec {start}") } else { start.to_owned() };
    format!("CMD {}", exec(&["sh".to_owned(), "-c".to_owned(), line]))
}

/// A health check by the shell's own means: the port accepts a connection. Needs bash, which Debian images have.
pub(crate) fn bash_health(port: u16) -> String {
    let probe = format!("exec 3<>/dev/tcp/127.0.0.1/{port}");
    format!("{HEALTH_OPTIONS} CMD {}", exec(&["bash".to_owned(), "-c".to_owned(), probe]))
}

/// Hands signals to a program that does not handle them as the first process, and collects its children.
pub(crate) const INIT: &str = "ENTRYPOINT [\"/usr/bin/tini\", \"--\"]";

/// Intervals of generated health checks.
pub(crate) const HEALTH_OPTIONS: &str =
    "HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=4";

/// What a repair changes in a file of the repository, for a person to read.
pub(crate) fn diff(path: &str, before: &str, after: &str) -> String {
    let diff = similar::TextDiff::from_lines(before, after);
    diff.unified_diff().context_radius(3).header(&format!("a/{path}"), &format!("b/{path}")).to_string()
}

/// Names that never belong into an image.
pub(crate) fn ignore(extra: &[&str]) -> String {
    let base = [
        ".git",
        ".gitignore",
        ".github",
        ".env",
        ".env.*",
        "!.env.example",
        "*.log",
        ".DS_Store",
        "Dockerfile",
        "docker-compose*.yml",
        "compose*.yaml",
    ];
    let all: Vec<&str> = base.iter().copied().chain(extra.iter().copied()).collect();
    let mut text = all.join("\n");
    text.push('\n');
    text
}

/// An image name after the caller's replacements.
pub(crate) fn image(options: &Options, name: &str) -> String {
    options.images.get(name).cloned().unwrap_or_else(|| name.to_owned())
}

/// The service's port, or a default.
pub(crate) fn port(draft: &Draft, default: u16) -> u16 {
    draft.port.value().copied().unwrap_or(default)
}

/// Build-time variables as `ARG` and `ENV` of the build stage; secrets are never among them.
pub(crate) fn build_variables(draft: &Draft) -> Vec<String> {
    let names = draft.env.values().filter(|e| e.build_time && !e.secret);
    names.map(|e| format!("ARG {}\nENV {}=${}", e.name, e.name, e.name)).collect()
}

/// Whether a name can stand unquoted in a recipe: a path or name of plain characters.
pub(crate) fn plain(name: &str) -> bool {
    !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | '@' | '+'))
}
