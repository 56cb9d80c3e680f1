//! Reads of the environment in Python: `os.environ`, environs, decouple, django-environ, and the project's own helpers.
//!
//! One rule: a function whose body reads `os.environ[param]` is a reader itself; its literal calls count as reads.

use std::collections::BTreeSet;

use hydron_domain::analysis::EnvSource;

use super::Seen;
use crate::pattern::patterns;

patterns! {
    INDEX = r#"\benviron\[\s*['"]([\w-]+)['"]\s*\]"#;
    GET = r#"(?:\benviron\.get|\bgetenv|environ\.setdefault)\(\s*['"]([\w-]+)['"]\s*(?:,\s*(?:default\s*=\s*)?([^\n]*))?"#;
    LIBRARY = r#"\b(?:env|ENV|config|environ|Env|settings_env)(?:\.(?:str|bool|int|float|list|url|db|db_url|cache|cache_url|email_url|json|get_value|path|dict|tuple|search_url|log_level|decimal|timedelta))?\(\s*['"]([A-Za-z]\w*)['"]\s*([^\n]*)"#;
    DJ_DATABASE_URL = r"dj_database_url\.config\(";
    DJ_NAME = r#"dj_database_url\.config\([^)]*env\s*=\s*['"](\w+)['"]"#;
    TESTED = r#"['"]([\w-]+)['"]\s+in\s+(?:os\.)?environ\b"#;
    HELPER = r"(?m)^(?:async\s+)?def\s+(\w+)\s*\(\s*(\w+)[^)]*\)[^\n]*:\n((?:[ \t]+[^\n]*\n|\n){1,12})";
    DEFAULT = r#"default\s*=\s*(?:['"]([^'"]*)['"]|([\w.\[\]]+))"#;
    LITERAL = r#"^\s*(?:['"]([^'"]*)['"]|(\d+|True|False|None))"#;
}

/// All sightings in a Python file.
pub(crate) fn scan(text: &str, out: &mut Vec<Seen>) {
    let environ = if text.contains("environ") { text } else { "" };
    let tested: BTreeSet<&str> =
        TESTED.captures_iter(environ).filter_map(|c| c.get(1)).map(|m| m.as_str()).collect();
    for name in INDEX.captures_iter(environ).filter_map(|c| c.get(1)) {
        let mut seen = Seen::new(name.as_str(), EnvSource::Code, name.start());
        let tail = text.get(name.end()..).unwrap_or_default();
        let assigned = tail
            .trim_start_matches(['"', '\''])
            .trim_start()
            .strip_prefix(']')
            .is_some_and(|t| t.trim_start().starts_with('=') && !t.trim_start().starts_with("=="));
        seen.required = !assigned && !is_conditional(text, name.start()) && !tested.contains(name.as_str());
        out.push(seen);
    }
    let gets = if environ.is_empty() && !text.contains("getenv") { "" } else { text };
    for found in GET.captures_iter(gets) {
        let Some(name) = found.get(1) else { continue };
        let mut seen = Seen::new(name.as_str(), EnvSource::Code, name.start());
        seen.default = found.get(2).and_then(|m| literal(m.as_str()));
        out.push(seen);
    }
    let library = ["environs", "decouple", "environ.", "starlette.config", "import environ", "from environ"]
        .iter()
        .any(|l| text.contains(l));
    if library {
        for found in LIBRARY.captures_iter(text) {
            let (Some(name), tail) = (found.get(1), found.get(2).map_or("", |m| m.as_str())) else {
                continue;
            };
            let mut seen = with_tail(name, tail);
            seen.required &= !is_conditional(text, name.start());
            out.push(seen);
        }
    }
    if text.contains("dj_database_url") && DJ_DATABASE_URL.is_match(text) {
        let name = DJ_NAME.captures(text).and_then(|c| c.get(1)).map_or("DATABASE_URL", |m| m.as_str());
        out.push(Seen::new(name, EnvSource::Code, text.find("dj_database_url.config").unwrap_or(0)));
    }
    helpers(text, out);
}

/// Whether a read stands below an `if`, so that the program runs without the variable.
fn is_conditional(text: &str, offset: usize) -> bool {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let before = text.get(..offset).unwrap_or_default();
    let mut lines = before.rsplit('\n');
    let mut depth = lines.next().map_or(0, indent);
    for line in lines.filter(|l| !l.trim().is_empty()).take(200) {
        if depth == 0 {
            return false;
        }
        if indent(line) < depth {
            depth = indent(line);
            let opener = line.trim_start();
            if ["if ", "elif ", "else:", "else ", "try:", "except"].iter().any(|o| opener.starts_with(o)) {
                return true;
            }
        }
    }
    false
}

fn with_tail(name: regex::Match<'_>, tail: &str) -> Seen {
    let mut seen = Seen::new(name.as_str(), EnvSource::Code, name.start());
    let named =
        DEFAULT.captures(tail).and_then(|c| c.get(1).or_else(|| c.get(2))).map(|m| m.as_str().to_owned());
    let positional = tail.trim_start().strip_prefix(',').and_then(literal);
    let closed = tail.trim_start().starts_with(')');
    seen.default = named.or(positional).map(|d| if d == "None" { String::new() } else { d });
    seen.required = closed || (seen.default.is_none() && !tail.contains("default"));
    seen
}

fn literal(text: &str) -> Option<String> {
    let found = LITERAL.captures(text)?;
    let value = found.get(1).or_else(|| found.get(2))?.as_str();
    (value != "None").then(|| value.to_owned())
}

/// Calls of the file's own readers.
fn helpers(text: &str, out: &mut Vec<Seen>) {
    if !text.contains("environ") && !text.contains("getenv") {
        return;
    }
    let mut names: Vec<String> = Vec::new();
    for found in HELPER.captures_iter(text) {
        let (Some(name), Some(parameter), Some(body)) = (found.get(1), found.get(2), found.get(3)) else {
            continue;
        };
        let reads = ["environ.get(", "environ[", "getenv("]
            .iter()
            .any(|r| body.as_str().contains(&format!("{r}{}", parameter.as_str())));
        if reads {
            names.push(name.as_str().to_owned());
        }
    }
    for helper in names.iter().take(16) {
        for (at, _) in text.match_indices(&format!("{helper}(")) {
            let rest = text.get(at + helper.len() + 1..).unwrap_or_default().trim_start();
            let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) else { continue };
            let Some(name) = rest.get(1..).and_then(|r| r.split(quote).next()) else { continue };
            let mut seen = Seen::new(name, EnvSource::Code, at);
            let tail = rest.get(name.len() + 2..).unwrap_or_default().lines().next().unwrap_or_default();
            seen.default = tail.trim_start().strip_prefix(',').and_then(literal);
            out.push(seen);
        }
    }
}
