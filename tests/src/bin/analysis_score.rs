//! Scores the analysis against hand-made truth: `analysis-score --cases FILE --repos DIR [--only NAME] [--verbose]`.
//!
//! One rule: it compares, it never adjusts; the rules are those of the cases' own description (paths match services,
//! accepted alternatives count, optional things are neither rewarded nor punished).

#[path = "../analysis_score/mod.rs"]
mod analysis_score;

use std::path::PathBuf;

use anyhow::{Context as _, bail};

fn main() -> anyhow::Result<()> {
    let mut cases = None;
    let mut repos = None;
    let mut only = None;
    let mut verbose = false;
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--cases" => cases = args.next().map(PathBuf::from),
            "--repos" => repos = args.next().map(PathBuf::from),
            "--only" => only = args.next(),
            "--verbose" => verbose = true,
            other => bail!(
                "unknown option {other}; usage: analysis-score --cases FILE --repos DIR [--only NAME] [--verbose]"
            ),
        }
    }
    let cases = cases.context("--cases FILE is missing")?;
    let repos = repos.context("--repos DIR is missing")?;
    analysis_score::run(&cases, &repos, only.as_deref(), verbose)
}
