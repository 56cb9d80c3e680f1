//! Findings about the tree as a whole: empty, only documents, only binaries, a language without rules.
//!
//! One rule: when no service was found, exactly one finding says why and what to do.

use std::collections::BTreeMap;

use hydron_domain::analysis::{AnalyzedService, Finding, FindingCode, Severity};

use crate::path;
use crate::repo::{Repo, Role, is_manifest};
use crate::role::is_template;
use crate::tree::EntryKind;

/// Judges the tree.
pub(crate) fn whole_tree(repo: &Repo<'_>, services: &[AnalyzedService]) {
    for file in repo.files().iter().filter(|f| f.kind == EntryKind::Submodule) {
        repo.note(Finding {
            severity: Severity::Info,
            code: FindingCode::Submodule,
            service: None,
            message: format!("{} is a submodule; its files are not part of this reading", file.path),
            advice: "Analyse its repository on its own if it holds a service.".to_owned(),
            file: Some(file.path.clone()),
            line: None,
        });
    }
    if !services.is_empty() {
        return;
    }
    let (code, message, advice) = match repo.subdir() {
        Some(missing) if !repo.has_dir(missing) => (
            FindingCode::MissingPath,
            format!("the repository has no directory {missing}"),
            "Check the spelling, and the branch.".to_owned(),
        ),
        Some(_) | None => unreadable(repo).or_else(|| too_large(repo)).unwrap_or_else(|| reason(repo)),
    };
    repo.note(Finding {
        severity: Severity::Error,
        code,
        service: None,
        message,
        advice,
        file: None,
        line: None,
    });
}

/// Without its manifest a program is only files: what does not parse is the first thing to do.
fn unreadable(repo: &Repo<'_>) -> Option<Reason> {
    let files = repo.unreadable();
    let first = files.first()?;
    let message = match files.len() {
        1 => format!("no service was recognised, and {first} does not parse"),
        more => format!("no service was recognised, and {more} manifests do not parse, {first} among them"),
    };
    let advice =
        format!("Correct {first}, push it, and read the repository again; what is wrong is said below.");
    Some((FindingCode::NoService, message, advice))
}

/// A manifest that is too large to be one.
fn too_large(repo: &Repo<'_>) -> Option<Reason> {
    let most = repo.caps().file_bytes as u64;
    let mut manifests = repo
        .under(repo.subdir().unwrap_or_default())
        .filter(|f| f.role == Role::Normal && is_manifest(f.name()))
        .filter_map(|f| Some((f, repo.size(f).filter(|size| *size > most)?)));
    let (file, size) = manifests.next()?;
    let path = &file.path;
    let message = format!("no service was recognised, and {path} was not read: it has {size} bytes");
    let advice = format!(
        "A manifest names packages and scripts: move other data out of {path}, and read the repository again."
    );
    Some((FindingCode::NoService, message, advice))
}

/// A code, what was seen, and what to do.
type Reason = (FindingCode, String, String);

fn reason(repo: &Repo<'_>) -> Reason {
    let files: Vec<_> = repo.under(repo.subdir().unwrap_or_default()).collect();
    if files.is_empty() {
        return (
            FindingCode::EmptyRepository,
            "the repository has no files".to_owned(),
            "Push the code, or check the branch.".to_owned(),
        );
    }
    if let Some(template) = files.iter().find(|f| f.path.split('/').any(is_template)) {
        return (
            FindingCode::NoService,
            format!("this is a template: names like {} wait for a generator to fill them in", template.path),
            "Generate a project from it, push that, and read its repository.".to_owned(),
        );
    }
    let mut languages: BTreeMap<&str, usize> = BTreeMap::new();
    let mut docs = 0_usize;
    let mut binary = 0_usize;
    for file in files.iter().filter(|f| f.role != Role::Vendored) {
        let lists = file.name().starts_with("requirements") && file.extension() == "txt";
        if let Some(language) = language(if lists { "py" } else { file.extension() }) {
            *languages.entry(language).or_default() += 1;
        } else if is_document(file.name(), file.extension()) {
            docs += 1;
        } else if is_binary(file.extension()) || repo.text(file).is_none() {
            binary += 1;
        }
    }
    let most = languages.iter().max_by_key(|(_, n)| **n).map(|(l, _)| *l);
    match most {
        Some(language) if !known(language) => (
            FindingCode::UnknownLanguage,
            format!("the code is mostly {language}, for which there are no rules yet"),
            "Add a Dockerfile: it is built as it is.".to_owned(),
        ),
        Some(language) => (
            FindingCode::NoService,
            format!(
                "there is {language} code, but nothing that listens or works in the background was recognised"
            ),
            "Name the directory to look at, add a Dockerfile or a Procfile, or add a service by hand."
                .to_owned(),
        ),
        None if docs > 0 => (
            FindingCode::OnlyDocs,
            "there are only documents".to_owned(),
            "Add the code, or an index.html to serve them as a site.".to_owned(),
        ),
        None if binary > 0 => (
            FindingCode::OnlyBinary,
            "there are only binary files".to_owned(),
            "Push the source code, which Hydron builds, or a Dockerfile that says how these files are run."
                .to_owned(),
        ),
        None => (
            FindingCode::NoService,
            "nothing deployable was recognised".to_owned(),
            "Add a Dockerfile, or add a service by hand.".to_owned(),
        ),
    }
}

fn known(language: &str) -> bool {
    matches!(
        language,
        "Python"
            | "JavaScript"
            | "TypeScript"
            | "Go"
            | "Rust"
            | "Ruby"
            | "PHP"
            | "Java"
            | "Kotlin"
            | "C#"
            | "F#"
            | "HTML"
    )
}

fn language(extension: &str) -> Option<&'static str> {
    Some(match extension {
        "py" => "Python",
        "js" | "mjs" | "cjs" | "jsx" => "JavaScript",
        "ts" | "tsx" | "mts" => "TypeScript",
        "go" => "Go",
        "rs" => "Rust",
        "rb" => "Ruby",
        "php" => "PHP",
        "java" => "Java",
        "kt" => "Kotlin",
        "cs" => "C#",
        "fs" => "F#",
        "html" | "htm" => "HTML",
        "c" | "h" => "C",
        "cc" | "cpp" | "cxx" | "hpp" => "C++",
        "ex" | "exs" => "Elixir",
        "erl" => "Erlang",
        "hs" => "Haskell",
        "scala" => "Scala",
        "clj" | "cljs" => "Clojure",
        "swift" => "Swift",
        "dart" => "Dart",
        "lua" => "Lua",
        "pl" | "pm" => "Perl",
        "zig" => "Zig",
        "cr" => "Crystal",
        "nim" => "Nim",
        "ml" | "mli" => "OCaml",
        "gleam" => "Gleam",
        "jl" => "Julia",
        "r" | "R" => "R",
        "cob" | "cbl" => "COBOL",
        _ => return None,
    })
}

fn is_document(name: &str, extension: &str) -> bool {
    matches!(
        extension.to_ascii_lowercase().as_str(),
        "md" | "mdx" | "rst" | "txt" | "adoc" | "pdf" | "tex" | "org"
    ) || matches!(
        name.to_ascii_uppercase().as_str(),
        "LICENSE" | "README" | "COPYING" | "AUTHORS" | "NOTICE" | "CHANGELOG"
    )
}

fn is_binary(extension: &str) -> bool {
    matches!(
        extension.to_ascii_lowercase().as_str(),
        "png"
            | "jpg"
            | "jpeg"
            | "gif"
            | "ico"
            | "webp"
            | "zip"
            | "gz"
            | "tar"
            | "jar"
            | "exe"
            | "so"
            | "dll"
            | "bin"
            | "mp4"
            | "mp3"
            | "woff"
            | "woff2"
            | "ttf"
            | "wasm"
            | "sqlite"
            | "db"
    )
}

/// Leaves out what was seen outside of the directory that was asked for.
pub(crate) fn narrow(findings: &mut Vec<Finding>, services: &[AnalyzedService], subdir: &str) {
    let known = |name: &str| services.iter().any(|s| s.name == name);
    findings.retain(|f| match (&f.service, &f.file) {
        (Some(service), _) => known(service),
        (None, Some(file)) => path::within(file, subdir),
        (None, None) => true,
    });
}

/// Most serious first, then by file; service directories become service names; doubles fall away.
pub(crate) fn order(findings: &mut Vec<Finding>, services: &[AnalyzedService]) {
    for finding in findings.iter_mut() {
        if let Some(service) =
            finding.service.as_ref().and_then(|n| services.iter().find(|s| &s.path == n && &s.name != n))
        {
            finding.service = Some(service.name.clone());
        }
    }
    let key =
        |f: &Finding| (f.severity, f.code, f.service.clone(), f.file.clone(), f.line, f.message.clone());
    findings.sort_by_key(key);
    findings.dedup();
}
