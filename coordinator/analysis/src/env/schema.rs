//! Settings schemas: zod, Joi, envalid, JSON schema for @fastify/env, class-validator; pydantic; PHP enums.
//!
//! One rule: a schema counts only in a file that shows it describes the environment.

use hydron_domain::analysis::EnvSource;

use super::Seen;
use crate::pattern::patterns;
use crate::repo::File;

patterns! {
    JS_KEY = r#"(?m)^[ \t]*['"]?([A-Z][A-Z0-9_]+)['"]?\s*:\s*((?:z|zod|Joi|joi|yup|v|t|Type|S|envalid|s|schema|vine|Env\.schema|str|num|bool|url|port|host|email|json|makeValidator|\w*[sS]chema|string\w*|number\w*|bool\w*|optional\w*|\w+)\b(?:[.(][^\n]*|[ \t]*$)|[ \t]*$)"#;
    JSON_KEY = r"(?m)^[ \t]*([A-Z][A-Z0-9_]+)\s*:\s*\{";
    CLASS_FIELD = r"(?m)^[ \t]+(?:public\s+|readonly\s+)?([A-Z][A-Z0-9_]+)([!?]?)\s*:\s*\w";
    PY_CLASS = r"(?m)^class\s+(\w+)\s*\(([^)]*)\)\s*:[^\n]*\n((?:[ \t]+[^\n]*(?:\n|$)|\n)*)";
    PY_FIELD = r"(?m)^    (\w+)\s*:\s*([^=\n#]+?)\s*(?:=\s*([^\n]+))?$";
    PY_PREFIX = r#"env_prefix\s*=\s*['"](\w*)['"]"#;
    PY_ALIAS = r#"(?:validation_alias|alias|env)\s*=\s*['"](\w+)['"]"#;
    PHP_CASE = r"(?m)^\s*case\s+\w+\s*=\s*'([A-Z][A-Z0-9_]+)'\s*;";
    DEFAULT = r#"\.default\(\s*(?:['"`]([^'"`]*)['"`]|([\w.]+))|\bdefault\s*:\s*(?:['"`]([^'"`]*)['"`]|([\w.]+))"#;
}

/// All schema keys in a file.
pub(crate) fn scan(file: &File, text: &str) -> Vec<Seen> {
    let mut out = Vec::new();
    match file.extension() {
        "js" | "mjs" | "cjs" | "ts" | "mts" | "cts" | "tsx" | "jsx" => javascript(text, &mut out),
        "py" => python(text, &mut out),
        "php"
            if text.contains("enum ")
                && (text.contains("env(")
                    || text.contains("getenv")
                    || text.contains("loadFromEnv")
                    || file.name().contains("Env")) =>
        {
            for name in PHP_CASE.captures_iter(text).filter_map(|c| c.get(1)) {
                out.push(Seen::new(name.as_str(), EnvSource::Schema, name.start()));
            }
        }
        _ => {}
    }
    out
}

fn javascript(text: &str, out: &mut Vec<Seen>) {
    // Most files hold none of the words; all but two of them hold these letters.
    if !["nv", "ConfigModule", "validationSchema"].iter().any(|letters| text.contains(letters)) {
        return;
    }
    let about_env = [
        "process.env",
        "createEnv",
        "envsafe",
        "cleanEnv",
        "envalid",
        "@fastify/env",
        "fastify-env",
        "env-schema",
        "ConfigModule",
        "validationSchema",
        "runtimeEnv",
        "EnvironmentVariables",
        "envSchema",
        "EnvSchema",
        "env.schema",
    ]
    .iter()
    .any(|w| text.contains(w));
    if !about_env {
        return;
    }
    let library = [
        "zod",
        "joi",
        "Joi",
        "envalid",
        "yup",
        "valibot",
        "envsafe",
        "@sinclair/typebox",
        "createEnv",
        "arktype",
        "z.object",
        "superstruct",
        "Env.create",
    ]
    .iter()
    .any(|w| text.contains(w));
    if library {
        let keys: Vec<regex::Captures<'_>> = JS_KEY.captures_iter(text).collect();
        for (at, found) in keys.iter().enumerate() {
            let (Some(name), Some(rest)) = (found.get(1), found.get(2)) else { continue };
            if rest.as_str().starts_with(&format!("process.env.{}", name.as_str()))
                || rest.as_str().starts_with("import.meta")
            {
                continue;
            }
            let end = keys
                .get(at + 1)
                .and_then(|n| n.get(0))
                .map_or(text.len().min(rest.end() + 400), |m| m.start());
            let body = text.get(rest.start()..end).unwrap_or(rest.as_str());
            out.push(js_key(name, body));
        }
    }
    if text.contains("properties")
        && (text.contains("@fastify/env")
            || text.contains("env-schema")
            || text.contains("fastify-env")
            || text.contains("envSchema"))
    {
        for found in JSON_KEY.captures_iter(text) {
            let Some(name) = found.get(1) else { continue };
            let body = text.get(name.end()..).unwrap_or_default().split('}').next().unwrap_or_default();
            let mut seen = js_key(name, body);
            seen.required = false;
            let listed = text
                .find("required")
                .and_then(|r| text.get(r..))
                .and_then(|t| t.split(']').next())
                .is_some_and(|l| {
                    l.contains(&format!("'{}'", name.as_str()))
                        || l.contains(&format!("\"{}\"", name.as_str()))
                });
            seen.required |= listed && seen.default.is_none();
            out.push(seen);
        }
    }
    if text.contains("class-validator")
        && (text.contains("plainToInstance")
            || text.contains("plainToClass")
            || text.contains("EnvironmentVariables"))
    {
        for found in CLASS_FIELD.captures_iter(text) {
            let Some(name) = found.get(1) else { continue };
            let mut seen = Seen::new(name.as_str(), EnvSource::Schema, name.start());
            let above = text.get(..name.start()).unwrap_or_default();
            let decorators = above.rsplit([';', '{']).next().unwrap_or_default();
            let optional = ["@IsOptional", "@ValidateIf", "@Optional"].iter().any(|d| decorators.contains(d));
            seen.required = !optional && found.get(2).is_none_or(|m| m.as_str() != "?");
            out.push(seen);
        }
    }
}

fn js_key(name: regex::Match<'_>, body: &str) -> Seen {
    let mut seen = Seen::new(name.as_str(), EnvSource::Schema, name.start());
    seen.default = DEFAULT
        .captures(body)
        .and_then(|c| [1, 2, 3, 4].iter().find_map(|g| c.get(*g)))
        .map(|m| m.as_str().to_owned());
    let optional = ["optional", "nullish", "nullable", ".catch("].iter().any(|o| body.contains(o));
    let helper = own_helper(body);
    seen.default = seen.default.or_else(|| helper.clone().filter(|d| !d.is_empty()));
    seen.required = seen.default.is_none() && !optional && helper.is_none();
    seen
}

/// A helper of the project (`stringBool("false")`): its literal argument is the default; without one it is its own affair.
fn own_helper(body: &str) -> Option<String> {
    let (name, rest) = body.split_once('(')?;
    let library = [
        "z", "str", "num", "bool", "url", "port", "host", "email", "json", "string", "number", "boolean",
        "optional",
    ]
    .contains(&name.trim());
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if library || !plain {
        return None;
    }
    let argument = rest.split([')', ',']).next().unwrap_or_default().trim();
    Some(argument.trim_matches(['"', '\'', '`']).to_owned())
}

fn python(text: &str, out: &mut Vec<Seen>) {
    let settings =
        ["BaseSettings", "pydantic_settings", "pydantic-settings"].iter().any(|w| text.contains(w))
            || text.contains("AppSettings")
            || text.contains("Settings)");
    if !settings {
        return;
    }
    for class in PY_CLASS.captures_iter(text) {
        let (Some(bases), Some(body)) = (class.get(2), class.get(3)) else { continue };
        if !bases.as_str().contains("Settings") {
            continue;
        }
        let prefix = PY_PREFIX.captures(body.as_str()).and_then(|c| c.get(1)).map_or("", |m| m.as_str());
        for field in PY_FIELD.captures_iter(body.as_str()) {
            let (Some(name), Some(kind)) = (field.get(1), field.get(2)) else { continue };
            let value = field.get(3).map_or("", |m| m.as_str());
            if matches!(name.as_str(), "model_config" | "Config" | "class")
                || kind.as_str().starts_with("ClassVar")
                || name.as_str().starts_with('_')
            {
                continue;
            }
            let alias = PY_ALIAS.captures(value).and_then(|c| c.get(1)).map(|m| m.as_str().to_uppercase());
            let env = alias.unwrap_or_else(|| format!("{prefix}{}", name.as_str()).to_uppercase());
            let mut seen = Seen::new(&env, EnvSource::Schema, body.start() + name.start());
            let bare = value.is_empty()
                || value.starts_with("Field(...")
                || (value.starts_with("Field(")
                    && !value.contains("default")
                    && value.contains("env")
                    && !value.contains("None"));
            let optional = kind.as_str().contains("Optional") || kind.as_str().contains("None");
            seen.required = bare && !optional;
            if !bare && value.starts_with(['"', '\'']) {
                seen.default = Some(value.trim_matches(['"', '\'']).to_owned());
            } else if !bare && value.chars().all(|c| c.is_ascii_alphanumeric() || c == '.') && value != "None"
            {
                seen.default = Some(value.to_owned());
            }
            out.push(seen);
        }
    }
}
