//! Sentences that set something: a field of a service, or variables.
//!
//! Rule: the value of a variable is only ever a placeholder here; a text in its place is not understood.

use super::intent::{Field, Intent, Which};
use super::verbs::{one_service, which};
use super::words::Words;
use crate::assistant::hidden::is_placeholder;

const OF: [&str; 4] = ["of", "for", "on", "in"];
const TO: [&str; 4] = ["to", "=", "as", "is"];

/// `NAME=value` alone, `env NAME=value`.
pub(super) fn bare(words: &mut Words<'_>) -> Option<Intent> {
    let mut rest = words.clone();
    rest.eat(&["env", "export"]);
    let assigned = rest.peek()?.split_once('=').is_some_and(|(_, value)| is_placeholder(unquoted(value)));
    if !assigned {
        return None;
    }
    let intent = variables(&mut rest, false)?;
    *words = rest;
    Some(intent)
}

/// What follows "set".
pub(super) fn set(words: &mut Words<'_>) -> Option<Intent> {
    for read in [field, field_of_service, said_variables] {
        let mut rest = words.clone();
        if let Some(intent) = read(&mut rest)
            && rest.is_over()
        {
            *words = rest;
            return Some(intent);
        }
    }
    None
}

/// "set the port of api to 8080", "set port to 8080 for api".
fn field(words: &mut Words<'_>) -> Option<Intent> {
    words.skip(&["the"]);
    let field = match words.peek().and_then(|word| word.split_once('=')) {
        Some((name, value)) if !value.is_empty() => return field_equals(words, name, value),
        Some(_) | None => field_name(words)?,
    };
    let mut service = None;
    if words.eat(&OF) {
        words.skip(&["the"]);
        service = Some(words.take()?.to_owned());
        words.eat(&["service"]);
        if !words.eat(&TO) {
            return None;
        }
    } else {
        words.eat(&TO);
        if words.left() >= 3 {
            words.drop_last(&["service"]);
            service = words.take_last_after(&OF).map(str::to_owned);
        }
    }
    finish(words, field, service)
}

/// "set port=8080 for api"
fn field_equals(words: &mut Words<'_>, name: &str, value: &str) -> Option<Intent> {
    let field = field_name(&mut Words::of(name))?;
    words.take();
    let service = if words.eat(&OF) { one_service(words).ok()? } else { None };
    Some(Intent::Set { field, value: value.to_owned(), service })
}

/// "set api port to 8080", "set api's health path to /up".
fn field_of_service(words: &mut Words<'_>) -> Option<Intent> {
    words.skip(&["the"]);
    let named = words.take()?;
    let service = named.strip_suffix("'s").or_else(|| named.strip_suffix("\u{2019}s")).unwrap_or(named);
    words.eat(&["service"]);
    let field = field_name(words)?;
    words.eat(&TO);
    finish(words, field, Some(service.to_owned()))
}

fn finish(words: &mut Words<'_>, field: Field, service: Option<String>) -> Option<Intent> {
    let value = words.take_rest().trim().to_owned();
    (!value.is_empty()).then_some(Intent::Set { field, value, service })
}

fn field_name(words: &mut Words<'_>) -> Option<Field> {
    let names: [(&[&str], Field); 5] = [
        (&["port", "port number"], Field::Port),
        (&["start", "start command", "start cmd", "command"], Field::Start),
        (&["build", "build command", "build cmd"], Field::Build),
        (
            &[
                "health",
                "health path",
                "health check",
                "healthcheck",
                "health_path",
                "health check path",
                "health endpoint",
            ],
            Field::Health,
        ),
        (&["framework"], Field::Framework),
    ];
    names.into_iter().find(|(phrases, _)| words.eat_phrase(phrases)).map(|(_, field)| field)
}

/// "set env NAME=value for api as secret", "set NAME for api to value".
fn said_variables(words: &mut Words<'_>) -> Option<Intent> {
    words.skip(&["the", "a", "an", "new"]);
    let mut secret = words.eat(&["secret"]);
    words.eat_phrase(&[
        "env",
        "environment variable",
        "environment variables",
        "env variable",
        "env variables",
        "env var",
        "env vars",
        "variable",
        "variables",
        "var",
        "vars",
        "environment",
        "value",
    ]);
    secret |= words.eat(&["secret"]);
    words.skip(&["the", "of"]);
    variables(words, secret)
}

fn variables(words: &mut Words<'_>, said_secret: bool) -> Option<Intent> {
    let mut secret = said_secret;
    for phrase in ["as a secret", "as secret", "secret"] {
        secret |= words.left() > 1 && words.drop_last_phrase(phrase);
    }
    let mut variables = Vec::new();
    let mut services = Which::Unsaid;
    while let Some(word) = words.peek() {
        if !variables.is_empty() && words.eat(&OF) {
            services = which(words);
            break;
        }
        if words.eat(&["and", "variable", "var"]) {
            continue;
        }
        if words.eat_phrase(&["as secret", "as a secret"]) {
            secret = true;
            continue;
        }
        words.take();
        if let Some((name, value)) =
            word.split_once('=').filter(|(name, value)| !name.is_empty() && !value.is_empty())
        {
            variables.push((env_name(name)?, placeholder(value)?));
            continue;
        }
        let name = env_name(word.trim_end_matches('='))?;
        words.eat(&["variable", "var"]);
        if words.eat(&OF) {
            services = service_before_value(words)?;
        }
        if words.is_over() && variables.is_empty() {
            return Some(Intent::VariableWithoutValue(name));
        }
        if !word.ends_with('=') && !words.eat(&TO) {
            return None;
        }
        if variables.is_empty() && words.peek().is_some_and(|next| placeholder(next).is_none()) {
            return one_service(words).ok().map(|_| Intent::VariableWithoutValue(name));
        }
        variables.push((name, placeholder(words.take()?)?));
    }
    (!variables.is_empty()).then_some(Intent::SetVariables { variables, which: services, secret })
}

/// "… for the api service to …"
fn service_before_value(words: &mut Words<'_>) -> Option<Which> {
    words.skip(&["the"]);
    if words.eat(&["all", "every"]) {
        words.skip(&["services", "service", "of", "them"]);
        return Some(Which::All);
    }
    let name = words.take()?.to_owned();
    words.eat(&["service"]);
    Some(Which::Named(vec![name]))
}

fn env_name(word: &str) -> Option<String> {
    let fits = !word.is_empty()
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !word.starts_with(|c: char| c.is_ascii_digit());
    fits.then(|| word.to_owned())
}

fn placeholder(word: &str) -> Option<String> {
    let word = unquoted(word);
    is_placeholder(word).then(|| word.to_owned())
}

fn unquoted(word: &str) -> &str {
    word.trim_matches(|c| matches!(c, '"' | '\'' | '`'))
}
