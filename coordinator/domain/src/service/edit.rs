//! What a person may change about a service, checked field by field.
//!
//! Rule: a command is split into words here and never sees a shell of ours; shell features belong into the Dockerfile.

use hydron_proto::names::{RelPath, ServiceName};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{DockerfileOrigin, Service, ServiceKind, ServiceSpec};

/// Changes to a service; absent fields stay.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ServiceEdit {
    /// New name.
    pub name: Option<String>,
    /// `web`, `worker` or `static`.
    pub kind: Option<ServiceKind>,
    /// Language.
    pub language: Option<String>,
    /// Framework.
    pub framework: Option<String>,
    /// Build command, for people; what is built is the Dockerfile.
    pub build: Option<String>,
    /// Start command; replaces the image's own.
    pub start: Option<String>,
    /// Port inside the container.
    pub port: Option<u32>,
    /// Path that answers when it is well; empty to check the port only.
    pub health_path: Option<String>,
    /// The text of the Dockerfile.
    pub dockerfile: Option<DockerfileEdit>,
    /// Build context in the repository.
    pub path: Option<String>,
    /// Names of services that must be up first.
    pub depends_on: Option<Vec<String>>,
    /// Public path prefix, e.g. `/api`; empty for none.
    pub route_prefix: Option<String>,
}

/// A new text for a Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DockerfileEdit {
    /// The whole text.
    pub content: String,
}

/// A value that cannot be used, and the field it stands in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct InvalidEdit {
    /// Field of the request.
    pub field: &'static str,
    /// What is wrong and what to do.
    pub problem: String,
}

const MAX_DOCKERFILE: usize = 64 * 1024;

/// The service after the edit; edited fields are remembered so that the next reading leaves them alone.
pub fn apply_edit(service: &Service, edit: &ServiceEdit) -> Result<(ServiceName, ServiceSpec), InvalidEdit> {
    let mut spec = service.spec.clone();
    let mut name = service.name.clone();
    if let Some(text) = &edit.name {
        name = text.parse().map_err(|error| invalid("name", error))?;
        if name != service.name && (spec.dependency.is_some() || !spec.volumes.is_empty()) {
            return Err(invalid("name", "its data is kept under its name; it cannot be renamed"));
        }
        if name != service.name && spec.found_as.is_none() {
            spec.found_as = Some(service.name.clone());
        }
        spec.edited.insert("name".to_owned());
    }
    if let Some(kind) = edit.kind {
        if (kind == ServiceKind::Dependency) != (spec.kind == ServiceKind::Dependency) {
            return Err(invalid("kind", "a dependency stays one, and nothing else becomes one"));
        }
        spec.kind = kind;
        spec.edited.insert("kind".to_owned());
    }
    text_field(&mut spec, "language", edit.language.as_ref(), |spec, text| {
        text.clone_into(&mut spec.language);
    })?;
    text_field(&mut spec, "framework", edit.framework.as_ref(), |spec, text| spec.framework = some(text))?;
    text_field(&mut spec, "build", edit.build.as_ref(), |spec, text| spec.build = some(text))?;
    if let Some(text) = &edit.start {
        split_command(text).map_err(|problem| invalid("start", problem))?;
    }
    text_field(&mut spec, "start", edit.start.as_ref(), |spec, text| spec.start = some(text))?;
    if let Some(port) = edit.port {
        let port = u16::try_from(port).ok().filter(|port| *port > 0);
        spec.port = Some(port.ok_or_else(|| invalid("port", "must be a number from 1 to 65535"))?);
        spec.edited.insert("port".to_owned());
    }
    if let Some(path) = &edit.health_path {
        spec.health_path = some(url_path("health_path", path)?);
        spec.edited.insert("health_path".to_owned());
    }
    if let Some(prefix) = &edit.route_prefix {
        spec.route_prefix = some(url_path("route_prefix", prefix)?);
        spec.edited.insert("route_prefix".to_owned());
    }
    if let Some(dockerfile) = &edit.dockerfile {
        spec.dockerfile.content = Some(dockerfile_text(&dockerfile.content)?);
        spec.dockerfile.origin = DockerfileOrigin::Edited;
        // What was said about the repository's file does not hold for a text of one's own.
        spec.dockerfile.verdict = None;
        spec.dockerfile.diff = None;
        spec.dockerfile.notes.clear();
        spec.edited.insert("dockerfile".to_owned());
    }
    if let Some(path) = &edit.path {
        let trimmed = path.trim_end_matches('/').trim_start_matches("./");
        let plain = if trimmed == "." { "" } else { trimmed };
        spec.context = plain.parse::<RelPath>().map_err(|error| invalid("path", error))?;
        spec.edited.insert("path".to_owned());
        // Git's hash of another directory is not known here; the commit's own counts until the next reading.
        if let Some(source) = &mut spec.source {
            source.tree_hash = source.commit.to_string();
        }
    }
    if let Some(names) = &edit.depends_on {
        let names: Result<_, _> = names.iter().map(|name| name.parse::<ServiceName>()).collect();
        spec.depends_on = names.map_err(|error| invalid("depends_on", error))?;
        if spec.depends_on.contains(&name) {
            return Err(invalid("depends_on", "a service cannot depend on itself"));
        }
        spec.edited.insert("depends_on".to_owned());
    }
    Ok((name, spec))
}

/// Splits a command into words: blanks separate, quotes group, nothing is expanded.
pub fn split_command(text: &str) -> Result<Vec<String>, &'static str> {
    const SHELL: &str =
        "is plain words and quotes only; put `$`, pipes, redirects and `&&` into the Dockerfile";
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in text.chars() {
        let expands = quote != Some('\'') && matches!(c, '$' | '`' | '\\');
        let steers = quote.is_none() && "|&;<>()*?~#".contains(c);
        if c.is_control() && c != '\t' {
            return Err("must stand on one line");
        }
        if expands || steers {
            return Err(SHELL);
        }
        match quote {
            Some(open) if c == open => quote = None,
            None if matches!(c, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => words.extend(word.take()),
            Some(_) | None => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err("has a quote that is not closed");
    }
    words.extend(word);
    Ok(words)
}

fn text_field(
    spec: &mut ServiceSpec,
    field: &'static str,
    value: Option<&String>,
    set: impl FnOnce(&mut ServiceSpec, &str),
) -> Result<(), InvalidEdit> {
    let Some(text) = value else { return Ok(()) };
    let text = text.trim();
    if text.len() > 1000 || text.chars().any(char::is_control) {
        return Err(invalid(field, "must be one line of at most 1000 characters"));
    }
    set(spec, text);
    spec.edited.insert(field.to_owned());
    Ok(())
}

fn url_path<'a>(field: &'static str, text: &'a str) -> Result<&'a str, InvalidEdit> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./~%?=&+:@".contains(&b);
    if text.is_empty() || (text.starts_with('/') && text.len() <= 200 && text.bytes().all(plain)) {
        return Ok(text);
    }
    Err(invalid(field, "must start with `/` and contain only letters, digits and `- _ . / ~`"))
}

fn dockerfile_text(text: &str) -> Result<String, InvalidEdit> {
    if text.len() > MAX_DOCKERFILE {
        return Err(invalid("dockerfile", "is longer than 64 KiB"));
    }
    let starts = |line: &str| line.trim_start().to_ascii_uppercase().starts_with("FROM ");
    if !text.lines().any(starts) || text.contains('\0') {
        return Err(invalid("dockerfile", "needs a `FROM` line; start with a base image"));
    }
    Ok(text.to_owned())
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn invalid(field: &'static str, problem: impl std::fmt::Display) -> InvalidEdit {
    InvalidEdit { field, problem: problem.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_words_and_never_shell() {
        assert_eq!(
            split_command("gunicorn --bind '0.0.0.0:8000' app:app").unwrap(),
            ["gunicorn", "--bind", "0.0.0.0:8000", "app:app"]
        );
        assert_eq!(split_command("node \"my server.js\" ''").unwrap(), ["node", "my server.js", ""]);
        for text in
            ["a; b", "a && b", "a | b", "a > b", "a $(id)", "a `id`", "a $PORT", "a\nb", "a 'b", "a \\ b"]
        {
            assert!(split_command(text).is_err(), "{text}");
        }
    }
}
