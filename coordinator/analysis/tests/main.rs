//! The analysis seen from outside: small repositories of our own in, services out.
//!
//! One rule: each test is one sentence about behaviour; the fixtures are invented, and each shows one trap.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod anchors;
mod bad_input;
mod compose;
mod corpora;
mod dependencies;
mod environment;
mod golden;
mod hostile;
mod layouts;
mod products;
mod recipes;
mod services;
mod traps;

use hydron_analysis::{MemoryTree, Options, analyze};
use hydron_domain::analysis::{Analysis, AnalyzedService, FindingCode};

/// Reads files given as path and text.
fn read(files: &[(&str, &str)]) -> Analysis {
    let options = Options { repository_name: Some("sample".to_owned()), ..Options::default() };
    analyze(&MemoryTree::new(files.iter().copied()), &options, &mut |_| {}).unwrap()
}

/// The only service.
fn only(files: &[(&str, &str)]) -> AnalyzedService {
    let analysis = read(files);
    assert_eq!(analysis.services.len(), 1, "{:?}\n{:?}", summary(&analysis), analysis.not_services);
    analysis.services.into_iter().next().unwrap()
}

/// Name, path, kind, framework of every service.
fn summary(analysis: &Analysis) -> Vec<String> {
    let line = |s: &AnalyzedService| {
        format!("{} {} {} {}", s.path, s.name, s.kind.as_str(), s.framework.as_deref().unwrap_or("-"))
    };
    analysis.services.iter().map(line).collect()
}

fn has_finding(analysis: &Analysis, code: FindingCode) -> bool {
    analysis.findings.iter().any(|f| f.code == code)
}
