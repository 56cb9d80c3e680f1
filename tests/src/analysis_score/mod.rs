//! The scorer: truth and reading in, measures and misses out.
//!
//! One rule: a repository that cannot be found is an error, not a silent pass.

mod compare;
mod git_tree;
mod measure;
mod truth;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, bail};
use hydron_analysis::Options;

use git_tree::GitTree;
use measure::Totals;
use truth::Case;

/// Scores every case and prints the table.
pub(crate) fn run(cases: &Path, repos: &Path, only: Option<&str>, verbose: bool) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(cases).with_context(|| format!("cannot read {}", cases.display()))?;
    let cases: Vec<Case> = serde_json::from_str(&text).context("the cases do not parse")?;
    let mut totals = Totals::default();
    let mut out = std::io::stdout().lock();
    for case in cases.iter().filter(|c| only.is_none_or(|o| c.repo.contains(o))) {
        let tree = GitTree::open(&find(repos, &case.repo)?, &case.commit)?;
        let options = Options {
            repository_name: case.repo.rsplit('/').next().map(str::to_owned),
            ..Options::default()
        };
        let started = Instant::now();
        let analysis = hydron_analysis::analyze(&tree, &options, &mut |_| {})
            .map_err(|e| anyhow::anyhow!("{}: {e}", case.repo))?;
        let took = started.elapsed();
        let misses = compare::compare(case, &analysis, &mut totals);
        if !misses.is_empty() || verbose {
            writeln!(out, "\n{} ({} files, {} ms)", case.repo, analysis.stats.files, took.as_millis())?;
        }
        for miss in misses {
            writeln!(out, "  {miss}")?;
        }
        if verbose {
            writeln!(out, "{}", hydron_analysis::render::text(&analysis))?;
        }
    }
    totals.print(&mut out)?;
    Ok(())
}

/// The git directory or work tree of a repository under the given root.
fn find(root: &Path, repo: &str) -> anyhow::Result<PathBuf> {
    let (owner, name) = repo.split_once('/').context("a repository is named owner/name")?;
    let places = [
        format!("{owner}+{name}/repo/.git"),
        format!("{owner}+{name}/repo"),
        format!("{owner}/{name}"),
        format!("{owner}__{name}"),
        name.to_owned(),
    ];
    match places.iter().map(|p| root.join(p)).find(|p| p.exists()) {
        Some(path) => Ok(path),
        None => bail!("{repo} is not under {}; looked for {}", root.display(), places.join(", ")),
    }
}
