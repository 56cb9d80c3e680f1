//! Environment variables: reads in code, settings schemas, configuration files, examples, images.
//!
//! One rule: every source is turned into `Seen` facts first; `collect` alone merges them into a service.

pub(crate) mod collect;
pub(crate) mod config;
pub(crate) mod examples;
pub(crate) mod reads;
pub(crate) mod reads_python;
pub(crate) mod schema;
pub(crate) mod secret;

use hydron_domain::analysis::EnvSource;

use crate::draft::Draft;
use crate::field::At;
use crate::repo::{Lines, Repo, Role};

/// One sighting of a variable.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    pub(crate) name: String,
    pub(crate) default: Option<String>,
    pub(crate) required: bool,
    pub(crate) source: EnvSource,
    pub(crate) build_time: bool,
    pub(crate) offset: usize,
}

impl Seen {
    /// A sighting at an offset of a text.
    pub(crate) fn new(name: &str, source: EnvSource, offset: usize) -> Self {
        Self { name: name.to_owned(), default: None, required: false, source, build_time: false, offset }
    }
}

/// Finds the variables of all drafts.
pub(crate) fn find(repo: &Repo<'_>, drafts: &mut [Draft]) {
    code(repo, drafts);
    examples::apply(repo, drafts);
    config::apply(repo, drafts);
    config::dockerfiles(repo, drafts);
    config::implied(repo, drafts);
    collect::finish(drafts);
}

fn code(repo: &Repo<'_>, drafts: &mut [Draft]) {
    for file in repo.files().iter().filter(|f| f.role == Role::Normal) {
        if !reads::is_source(file) || !drafts.iter().any(|d| d.owns(&file.path)) {
            continue;
        }
        let Some(text) = repo.text(file) else { continue };
        let mut seen = reads::scan(file, text);
        seen.extend(schema::scan(file, text));
        if seen.is_empty() {
            continue;
        }
        let lines = Lines::of(text);
        for draft in drafts.iter_mut().filter(|d| d.owns(&file.path)) {
            for one in &seen {
                let at = At::line(&file.path, lines.at(one.offset));
                collect::add(draft, one.clone(), &at);
            }
        }
    }
}
