//! Literal reads of the environment in source code, one table of patterns per language.
//!
//! One rule: group 1 is the name; a second group, if present, is the default as written.

use hydron_domain::analysis::EnvSource;

use super::{Seen, reads_python};
use crate::pattern::patterns;
use crate::repo::File;

patterns! {
    JS = r#"process\.env(?:\.([A-Za-z_]\w*)|\[\s*['"`]([A-Za-z_][\w-]*)['"`]\s*\])(\s*!)?(?:\)?\s*(?:\|\||\?\?)\s*(?:['"`]([^'"`\n]*)['"`]|(\d[\d_.]*|true|false)))?"#;
    JS_META = r"import\.meta\.env\.([A-Za-z_]\w*)";
    JS_DESTRUCTURED = r"(?s)\{([^{}]*)\}\s*=\s*(?:process\.env|import\.meta\.env)\b";
    JS_GETTER = r#"(?:\benv(?:\.(?:int|float|bool|json|array))?|Deno\.env\.get|Env\.get|env\.get|envvar\.get|getEnv|requireEnv|getenv|mustGetEnv|required?EnvVar|(?:[cC]onfigService|this\.config\w*|config)\.(?:get|getOrThrow)(?:<[^>()]*>)?)\(\s*['"`]([A-Z][A-Z0-9_]+)['"`](?:\s*,\s*(?:['"`]([^'"`\n]*)['"`]|(\d+)))?"#;
    JS_BUN = r"Bun\.env\.([A-Za-z_]\w*)";
    JS_SVELTE = r#"import\s*\{([^}]*)\}\s*from\s*['"]\$env/(static|dynamic)/(private|public)['"]"#;
    JS_SVELTE_USE = r"\benv\.([A-Z][A-Z0-9_]+)";
    JS_CONVICT = r#"(?m)^\s*env\s*:\s*['"]([A-Z][A-Z0-9_]+)['"]"#;
    RUBY = r#"ENV(?:\.fetch)?\s*[\[(]\s*['"]([\w-]+)['"]\s*(?:[\])]\s*(?:\|\||\{)\s*(?:['"]([^'"\n]*)['"]|(\d+))|,\s*(?:['"]([^'"\n]*)['"]|([\w.:]+)))?"#;
    GO = r#"os\.(?:Getenv|LookupEnv)\(\s*"([^"]+)"\s*\)"#;
    GO_HELPER = r#"\b\w*[eE]nv\w*\(\s*(?:&?[\w.]+\s*,\s*)?"([A-Z][A-Z0-9_]+)"(?:\s*,\s*"([^"]*)")?"#;
    GO_TAG = r#"\b(?:env|envconfig|mapstructure_env):"([A-Z][A-Z0-9_]+)((?:,\w+)*)"(?:[^`]*?(?:envDefault|default):"([^"]*)")?"#;
    GO_PREFIX = r#"SetEnvPrefix\(\s*"(\w+)""#;
    GO_KEYS = r#"(?:viper\.(?:SetDefault|BindEnv|Get\w*)|\bv\.(?:SetDefault|BindEnv)|[fF]lags\(\)\.\w+?(?:Var)?P?)\(\s*(?:&[\w.]+,\s*)?"([a-z][\w.\-]*)""#;
    GO_FLAGS = r#"(?:EnvVars?\s*:\s*(?:\[\]string\{)?|Envar\(|cli\.EnvVars\()\s*((?:"[A-Z0-9_]+"\s*,?\s*)+)"#;
    PHP = r#"(?:\benv|\bgetenv)\(\s*['"]([A-Za-z]\w*)['"](?:\s*,\s*(?:['"]([^'"\n]*)['"]|(\w+))|\)\s*(?:\?:|\?\?)\s*['"]([^'"\n]*)['"])?"#;
    PHP_SUPER = r#"\$_(?:ENV|SERVER)\[\s*['"]([A-Z][A-Z0-9_]*)['"]\s*\]"#;
    PHP_PERCENT = r"%env\((?:[\w\\]+:)*([A-Za-z_]\w*)\)%";
    RUST = r#"(?:env::|dotenvy::|dotenv::)?var(?:_os)?\(\s*"([A-Za-z_][\w]*)"\s*\)(\s*\.(?:unwrap_or\w*|ok|or_else|unwrap_or_default))?"#;
    RUST_MACRO = r#"\b(?:option_)?env!\(\s*"([A-Z]\w*)""#;
    RUST_CONST = r#"const\s+(\w+)\s*:\s*&(?:'static\s+)?str\s*=\s*"([A-Z][A-Z0-9_]+)""#;
    RUST_CONST_USE = r"(?:env::)?var(?:_os)?\(\s*(?:\w+::)*([A-Z][A-Z0-9_]+)";
    RUST_CLAP = r#"\benv\s*=\s*"([A-Z]\w*)""#;
    RUST_CLAP_FIELD = r"#\[(?:arg|clap)\([^\]]*\benv\b(?:\s*[,)])[^\]]*\]\s*(?:#\[[^\]]*\]\s*|///[^\n]*\n\s*)*(?:pub(?:\([^)]*\))?\s+)?(\w+)\s*:";
    JAVA = r#"System\.getenv\(\s*"([^"]+)"\s*\)|getenv\(\)\.get\(\s*"([^"]+)""#;
    JAVA_VALUE = r"\$\{([A-Z][A-Z0-9_]+)(?::([^}]*))?\}";
    DOTNET = r#"GetEnvironmentVariable\(\s*"([^"]+)""#;
    DOTNET_CONNECTION = r#"GetConnectionString\(\s*"([^"]+)""#;
    DOTNET_CONFIG = r#"[cC]onfiguration\[\s*"([\w:]+)"\s*\]|\.GetValue<\w+>\(\s*"([\w:]+)""#;
    SHELL = r"\$\{([A-Z][A-Z0-9_]+)(:?[-=?])([^}]*)\}";
    UPPER = r#"['"]([A-Z][A-Z0-9_]+)['"]"#;
}

/// Whether a file is source code that can read the environment.
pub(crate) fn is_source(file: &File) -> bool {
    matches!(
        file.extension(),
        "js" | "mjs"
            | "cjs"
            | "jsx"
            | "ts"
            | "mts"
            | "cts"
            | "tsx"
            | "vue"
            | "svelte"
            | "astro"
            | "py"
            | "rb"
            | "ru"
            | "erb"
            | "rake"
            | "go"
            | "php"
            | "rs"
            | "java"
            | "kt"
            | "scala"
            | "cs"
            | "fs"
            | "sh"
            | "template"
            | "conf"
    ) || matches!(file.name(), "Rakefile" | "Gemfile" | "entrypoint" | "docker-entrypoint")
}

/// All sightings in a file.
pub(crate) fn scan(file: &File, text: &str) -> Vec<Seen> {
    let mut out = Vec::new();
    match file.extension() {
        "js" | "mjs" | "cjs" | "jsx" | "ts" | "mts" | "cts" | "tsx" | "vue" | "svelte" | "astro" => {
            javascript(text, &mut out);
        }
        "py" => reads_python::scan(text, &mut out),
        "rb" | "ru" | "erb" | "rake" => ruby(text, &mut out),
        "go" => go(text, &mut out),
        "php" => php(text, &mut out),
        "rs" => rust(text, &mut out),
        "java" | "kt" | "scala" => java(text, &mut out),
        "cs" | "fs" => dotnet(text, &mut out),
        "sh" if starts(file) => shell(text, &mut out),
        "template" | "conf" => template(file, text, &mut out),
        _ if file.name() == "Rakefile" || file.name() == "Gemfile" => ruby(text, &mut out),
        "" => shell(text, &mut out),
        _ => {}
    }
    out
}

/// Pushes each match: the first non-empty group is the name, the next one the default.
fn each(pattern: &regex::Regex, text: &str, names: &[usize], defaults: &[usize], out: &mut Vec<Seen>) {
    for found in pattern.captures_iter(text) {
        let Some(name) = names.iter().find_map(|g| found.get(*g)) else { continue };
        let mut seen = Seen::new(name.as_str(), EnvSource::Code, name.start());
        seen.default = defaults.iter().find_map(|g| found.get(*g)).map(|m| m.as_str().to_owned());
        out.push(seen);
    }
}

fn javascript(text: &str, out: &mut Vec<Seen>) {
    if !text.contains("env") && !text.contains("onfig") {
        return;
    }
    for found in JS.captures_iter(text) {
        let Some(name) = found.get(1).or_else(|| found.get(2)) else { continue };
        let mut seen = Seen::new(name.as_str(), EnvSource::Code, name.start());
        seen.default = found.get(4).or_else(|| found.get(5)).map(|m| m.as_str().to_owned());
        let tail = text.get(name.end()..).unwrap_or_default();
        seen.required = found.get(3).is_some()
            && seen.default.is_none()
            && !tail.trim_start_matches(['!', ' ']).starts_with("==");
        out.push(seen);
    }
    each(&JS_BUN, text, &[1], &[], out);
    each(&JS_GETTER, text, &[1], &[2, 3], out);
    if text.contains("convict") {
        each(&JS_CONVICT, text, &[1], &[], out);
    }
    let before = out.len();
    each(&JS_META, text, &[1], &[], out);
    out.iter_mut().skip(before).for_each(|s| s.build_time = true);
    let whole = ["process.env", "import.meta.env"].iter().any(|name| text.contains(name));
    let destructured = if whole { text } else { "" };
    for found in JS_DESTRUCTURED.captures_iter(destructured).filter_map(|c| c.get(1)) {
        for part in found.as_str().split(',') {
            let (name, default) = part
                .split_once('=')
                .map_or((part, None), |(n, d)| (n, Some(d.trim().trim_matches(['\'', '"', '`']).to_owned())));
            let name = name.split(':').next().unwrap_or_default().trim();
            if name.starts_with(|c: char| c.is_ascii_alphabetic()) && !name.starts_with("...") {
                let mut seen = Seen::new(name, EnvSource::Code, found.start());
                seen.default = default;
                out.push(seen);
            }
        }
    }
    svelte(text, out);
}

fn svelte(text: &str, out: &mut Vec<Seen>) {
    if !text.contains("$env/") {
        return;
    }
    for found in JS_SVELTE.captures_iter(text) {
        let (Some(names), Some(mode)) = (found.get(1), found.get(2)) else { continue };
        if mode.as_str() == "dynamic" {
            each(&JS_SVELTE_USE, text, &[1], &[], out);
            continue;
        }
        for name in names.as_str().split(',').map(|n| n.split(" as ").next().unwrap_or_default().trim()) {
            let mut seen = Seen::new(name, EnvSource::Code, names.start());
            seen.build_time = true;
            seen.required = true;
            out.push(seen);
        }
    }
}

/// Reads in ERB inside of YAML.
pub(crate) fn scan_ruby(text: &str) -> Vec<Seen> {
    let mut out = Vec::new();
    ruby(text, &mut out);
    out
}

fn ruby(text: &str, out: &mut Vec<Seen>) {
    for found in RUBY.captures_iter(text) {
        let (Some(all), Some(name)) = (found.get(0), found.get(1)) else { continue };
        let mut seen = Seen::new(name.as_str(), EnvSource::Code, name.start());
        seen.default = [2, 3, 4, 5].iter().find_map(|g| found.get(*g)).map(|m| m.as_str().to_owned());
        seen.required = all.as_str().contains("fetch")
            && seen.default.is_none()
            && !text
                .get(all.end()..)
                .is_some_and(|t| t.trim_start().starts_with([')', '{']) && t.contains('{'));
        out.push(seen);
    }
}

fn go(text: &str, out: &mut Vec<Seen>) {
    each(&GO, text, &[1], &[], out);
    if text.contains("env") || text.contains("Env") {
        each(&GO_HELPER, text, &[1], &[2], out);
    }
    for found in GO_TAG.captures_iter(text) {
        let Some(name) = found.get(1) else { continue };
        let mut seen = Seen::new(name.as_str(), EnvSource::Schema, name.start());
        seen.required =
            found.get(2).is_some_and(|o| o.as_str().contains("required") || o.as_str().contains("notEmpty"));
        seen.default = found.get(3).map(|m| m.as_str().to_owned());
        out.push(seen);
    }
    for list in GO_FLAGS.captures_iter(text).filter_map(|c| c.get(1)) {
        for name in UPPER.captures_iter(list.as_str()).filter_map(|c| c.get(1)) {
            out.push(Seen::new(name.as_str(), EnvSource::Schema, list.start()));
        }
    }
    viper(text, out);
    // Tables of option names beside a read of the whole environment.
    if text.contains("os.Environ()") {
        for name in UPPER.captures_iter(text).filter_map(|c| c.get(1)).filter(|n| n.as_str().contains('_')) {
            out.push(Seen::new(name.as_str(), EnvSource::Schema, name.start()));
        }
    }
}

/// viper with a prefix: every flag, default and bound key of the file is a variable.
fn viper(text: &str, out: &mut Vec<Seen>) {
    let Some(prefix) =
        GO_PREFIX.captures(text).and_then(|c| c.get(1)).filter(|_| text.contains("AutomaticEnv"))
    else {
        return;
    };
    for key in GO_KEYS.captures_iter(text).filter_map(|c| c.get(1)) {
        let name = format!("{}_{}", prefix.as_str(), key.as_str()).to_uppercase().replace(['-', '.'], "_");
        out.push(Seen::new(&name, EnvSource::Schema, key.start()));
    }
}

fn php(text: &str, out: &mut Vec<Seen>) {
    each(&PHP, text, &[1], &[2, 3, 4], out);
    each(&PHP_PERCENT, text, &[1], &[], out);
    let ignored = [
        "REQUEST_",
        "HTTP_",
        "REMOTE_",
        "SERVER_",
        "SCRIPT_",
        "QUERY_",
        "DOCUMENT_",
        "PHP_",
        "CONTENT_",
        "HTTPS",
        "PATH_INFO",
        "GATEWAY_",
    ];
    for name in PHP_SUPER.captures_iter(text).filter_map(|c| c.get(1)) {
        if !ignored.iter().any(|p| name.as_str().starts_with(p)) {
            out.push(Seen::new(name.as_str(), EnvSource::Code, name.start()));
        }
    }
}

fn rust(text: &str, out: &mut Vec<Seen>) {
    for found in RUST.captures_iter(text) {
        let Some(name) = found.get(1) else { continue };
        let mut seen = Seen::new(name.as_str(), EnvSource::Code, name.start());
        let tail = text.get(found.get(0).map_or(0, |m| m.end())..).unwrap_or_default().trim_start();
        seen.required = found.get(2).is_none()
            && (tail.starts_with(".expect") || tail.starts_with(".unwrap()") || tail.starts_with('?'));
        out.push(seen);
    }
    for name in
        RUST_MACRO.captures_iter(text).filter_map(|c| c.get(1)).filter(|n| !n.as_str().starts_with("CARGO_"))
    {
        let mut seen = Seen::new(name.as_str(), EnvSource::Code, name.start());
        seen.build_time = true;
        out.push(seen);
    }
    each(&RUST_CLAP, text, &[1], &[], out);
    let clap = if text.contains("clap") || text.contains("#[arg") { text } else { "" };
    for found in RUST_CLAP_FIELD.captures_iter(clap) {
        let (Some(all), Some(field)) = (found.get(0), found.get(1)) else { continue };
        let mut seen = Seen::new(&field.as_str().to_uppercase(), EnvSource::Schema, field.start());
        let kind = text.get(all.end()..).unwrap_or_default().trim_start();
        let free = ["Option<", "Vec<", "bool"].iter().any(|k| kind.starts_with(k));
        seen.required = !free && !all.as_str().contains("default");
        out.push(seen);
    }
    let env_module = text.contains("env")
        && (text.contains("_KEY") || text.contains("env_key") || RUST_CONST_USE.is_match(text));
    for found in RUST_CONST.captures_iter(text).filter(|_| env_module) {
        let (Some(name), Some(value)) = (found.get(1), found.get(2)) else { continue };
        let used =
            RUST_CONST_USE.captures_iter(text).filter_map(|c| c.get(1)).any(|m| m.as_str() == name.as_str());
        if used || name.as_str() == value.as_str() {
            out.push(Seen::new(value.as_str(), EnvSource::Code, value.start()));
        }
    }
}

fn java(text: &str, out: &mut Vec<Seen>) {
    each(&JAVA, text, &[1, 2], &[], out);
    each(&JAVA_VALUE, text, &[1], &[2], out);
}

fn dotnet(text: &str, out: &mut Vec<Seen>) {
    each(&DOTNET, text, &[1], &[], out);
    for name in DOTNET_CONNECTION.captures_iter(text).filter_map(|c| c.get(1)) {
        let mut seen =
            Seen::new(&format!("ConnectionStrings__{}", name.as_str()), EnvSource::Code, name.start());
        seen.required = true;
        out.push(seen);
    }
    for found in DOTNET_CONFIG.captures_iter(text) {
        if let Some(name) = found.get(1).or_else(|| found.get(2)) {
            out.push(Seen::new(&name.as_str().replace(':', "__"), EnvSource::Code, name.start()));
        }
    }
}

fn shell(text: &str, out: &mut Vec<Seen>) {
    for found in SHELL.captures_iter(text) {
        let (Some(name), Some(operator)) = (found.get(1), found.get(2)) else { continue };
        let mut seen = Seen::new(name.as_str(), EnvSource::Script, name.start());
        seen.required = operator.as_str().ends_with('?');
        seen.default = found.get(3).filter(|_| !seen.required).map(|m| m.as_str().to_owned());
        out.push(seen);
    }
}

/// Whether a script starts the service, as opposed to helping developers.
fn starts(file: &File) -> bool {
    let words: Vec<String> = crate::path::words(file.name()).collect();
    let helps = ["test", "tests", "wait", "lint", "deploy", "release", "install", "publish", "bench"]
        .iter()
        .any(|h| words.iter().any(|w| w == h));
    !helps
        && ["entrypoint", "start", "run", "boot", "docker", "server", "init", "web", "worker"]
            .iter()
            .any(|h| words.iter().any(|w| w == h))
}

fn template(file: &File, text: &str, out: &mut Vec<Seen>) {
    if !file.path.contains("nginx") && !file.name().contains("template") && !text.contains("proxy_pass") {
        return;
    }
    patterns! { BRACED = r"\$\{([A-Z][A-Z0-9_]+)\}"; }
    for name in BRACED.captures_iter(text).filter_map(|c| c.get(1)) {
        out.push(Seen::new(name.as_str(), EnvSource::Config, name.start()));
    }
}
