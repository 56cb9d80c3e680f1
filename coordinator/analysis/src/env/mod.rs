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
use crate::repo::Repo;
use crate::sources::Source;

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
pub(crate) fn find(repo: &Repo<'_>, drafts: &mut [Draft], sources: &[Source<'_>]) {
    code(drafts, sources);
    examples::apply(repo, drafts);
    config::apply(repo, drafts);
    config::dockerfiles(repo, drafts);
    config::implied(repo, drafts);
    collect::finish(drafts);
}

fn code(drafts: &mut [Draft], sources: &[Source<'_>]) {
    for source in sources {
        for (seen, line) in &source.shown.env {
            let at = At::line(&source.file.path, *line);
            for owner in &source.owners {
                if let Some(draft) = drafts.get_mut(*owner) {
                    collect::add(draft, seen.clone(), &at);
                }
            }
        }
    }
}
