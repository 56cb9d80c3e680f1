//! Pure reading of repositories: a file tree in, an `Analysis` out, byte-identical for the same input.
//!
//! One rule: no network, no process, no file system, no clock; the caller hands in a [`FileTree`].
//! The order of the pipeline is the order of `analyze` below; each step is a module of the same name.

mod draft;
mod embed;
mod env;
mod field;
mod finish;
mod formats;
mod listen;
mod needs;
mod options;
mod overlay;
pub mod parsers;
mod path;
mod pattern;
mod recipe;
pub mod render;
mod repo;
mod role;
mod routes;
mod sources;
mod spread;
mod stacks;
mod tree;
mod verdict;
mod workspace;

pub use options::{BuilderCaps, Caps, Options, PATIENCE_S};
pub use overlay::compose_matrix::{COMPOSE_KEYS, ComposeKey, ComposeSupport};
pub use tree::{Entry, EntryKind, FileTree, MemoryTree, TreeError, Unlisted};

use hydron_domain::analysis::{Analysis, AnalysisStep};

use repo::Repo;
use stacks::Scan;
use stacks::node::package;
use workspace::Workspaces;

/// Reads a tree. `progress` is told each step as it begins.
pub fn analyze(
    tree: &dyn FileTree,
    options: &Options,
    progress: &mut dyn FnMut(AnalysisStep),
) -> Result<Analysis, TreeError> {
    progress(AnalysisStep::ReadingTree);
    let repo = Repo::walk(tree, options.caps, options.subdir.as_deref())?;
    progress(AnalysisStep::ReadingManifests);
    let packages = package::read_all(&repo);
    let workspaces = Workspaces::read(&repo, &packages);
    let scan = Scan { repo: &repo, workspaces: &workspaces, packages: &packages };
    progress(AnalysisStep::DetectingServices);
    let mut found = stacks::find(&scan);
    found.cap(&repo, options.caps.services);
    embed::fold(&repo, &mut found);
    let offered = overlay::compose::apply(&repo, &mut found);
    overlay::dockerfiles::link(&repo, &mut found.drafts);
    overlay::dockerfiles::alone(&repo, &mut found);
    overlay::procfile::apply(&repo, &mut found.drafts);
    overlay::platform::apply(&repo, &mut found.drafts);
    overlay::kubernetes::apply(&repo, &mut found.drafts);
    overlay::hints::apply(&repo, &mut found.drafts);
    embed::settle(&repo, &mut found);
    let sources = sources::read(&repo, &found.drafts);
    listen::find(&repo, &mut found.drafts, &sources);
    progress(AnalysisStep::ReadingEnvironment);
    env::find(&repo, &mut found.drafts, &sources);
    progress(AnalysisStep::DetectingDependencies);
    needs::find(&scan, &mut found.drafts, &offered);
    embed::edges(&repo, &mut found.drafts);
    progress(AnalysisStep::WritingDockerfiles);
    let (services, not_services) = finish::services(&repo, options, found);
    verdict::whole_tree(&repo, &services);
    let subdir = repo.subdir().map(str::to_owned);
    let (mut findings, stats) = repo.finish();
    verdict::order(&mut findings, &services);
    if let Some(subdir) = &subdir {
        verdict::narrow(&mut findings, &services, subdir);
    }
    Ok(Analysis { services, not_services, findings, workspaces: workspaces.all, stats })
}
