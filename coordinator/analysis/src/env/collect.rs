//! Merges sightings of a variable into one entry of a service.
//!
//! One rule: the strongest source names the place; a default anywhere in code makes it optional; a secret keeps no value.

use hydron_domain::analysis::{EnvNeed, EnvSource};

use super::{Seen, secret};
use crate::draft::Draft;
use crate::field::At;
use crate::formats::dotenv::is_name;

/// Names that JavaScript bundlers define by themselves.
const BUILT_IN: [&str; 10] =
    ["MODE", "DEV", "PROD", "SSR", "BASE_URL", "SITE", "ASSETS_PREFIX", "LEGACY", "VITEST", "JEST_WORKER_ID"];

/// Adds a sighting.
pub(crate) fn add(draft: &mut Draft, seen: Seen, at: &At) {
    let surroundings = matches!(
        seen.name.as_str(),
        "PATH"
            | "PWD"
            | "HOME"
            | "CI"
            | "SHELL"
            | "USER"
            | "TERM"
            | "LANG"
            | "BUNDLE_GEMFILE"
            | "GITHUB_ACTIONS"
    ) || seen.name.starts_with("npm_");
    if surroundings
        || !is_name(&seen.name)
        || seen.name.len() < 2
        || (seen.build_time && BUILT_IN.contains(&seen.name.as_str()))
    {
        return;
    }
    let default = seen.default.filter(|d| d.len() <= 300);
    let is_secret = secret::is_secret(&seen.name, default.as_deref());
    let entry = draft.env.entry(seen.name.clone()).or_insert_with(|| EnvNeed {
        name: seen.name.clone(),
        secret: is_secret,
        required: seen.required,
        default: None,
        build_time: false,
        source: seen.source,
        generate: None,
        file: at.file.clone(),
        line: at.line,
        description: None,
    });
    if seen.source < entry.source {
        entry.source = seen.source;
        entry.file.clone_from(&at.file);
        entry.line = at.line;
    }
    let code = |s: EnvSource| {
        matches!(s, EnvSource::Code | EnvSource::Schema | EnvSource::Config | EnvSource::Framework)
    };
    if code(seen.source) && default.is_some() {
        entry.required = false;
        entry.default = default.clone();
    } else if seen.required && entry.default.is_none() {
        entry.required = true;
    }
    if entry.default.is_none() && default.as_deref().is_some_and(|d| !secret::is_placeholder(d)) {
        entry.default = default;
    }
    entry.secret |= is_secret;
    entry.build_time |= seen.build_time || secret::is_public(&seen.name);
}

/// A variable of a compose service.
pub(crate) fn from_compose(draft: &mut Draft, name: &str, value: Option<&str>, source: EnvSource, at: &At) {
    let mut seen = Seen::new(name, source, 0);
    seen.default = value.filter(|v| !v.contains("${") && !v.starts_with('$')).map(str::to_owned);
    seen.required = value.is_some_and(|v| v.contains(":?"));
    add(draft, seen, at);
}

/// A variable of a platform manifest.
pub(crate) fn from_platform(draft: &mut Draft, name: &str, value: Option<&str>, at: &At) {
    let mut seen = Seen::new(name, EnvSource::Platform, 0);
    seen.default = value.map(str::to_owned);
    add(draft, seen, at);
}

/// Last words: no values of secrets, ambient ones are optional, generatable ones say how.
pub(crate) fn finish(drafts: &mut [Draft]) {
    for draft in drafts {
        let framework = draft.framework_name().to_owned();
        for entry in draft.env.values_mut() {
            if entry.secret {
                entry.default = None;
                entry.generate = entry.generate.or_else(|| secret::generate(&entry.name, &framework));
            }
            if secret::is_ambient(&entry.name) {
                entry.required = false;
            }
        }
    }
}
