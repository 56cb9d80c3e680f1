//! An analysis as text for a terminal.
//!
//! One rule: what is missing or doubtful comes first in each service; the order of everything else is the analysis's own.

use std::fmt::Write as _;

use hydron_domain::analysis::{Analysis, AnalyzedService, EnvNeed, Finding, Severity};

/// The whole analysis.
pub fn text(analysis: &Analysis) -> String {
    let mut out = String::new();
    let count = analysis.services.len();
    let _ = writeln!(
        out,
        "{count} service{} in {} files",
        if count == 1 { "" } else { "s" },
        analysis.stats.files
    );
    for workspace in &analysis.workspaces {
        let _ = writeln!(
            out,
            "workspace: {} at {} ({} members)",
            workspace.kind,
            workspace.path,
            workspace.members.len()
        );
    }
    for one in &analysis.services {
        service(&mut out, one);
    }
    if !analysis.not_services.is_empty() {
        out.push_str("\nNot services\n");
        for one in &analysis.not_services {
            let _ = writeln!(out, "  {}  {}", one.path, one.reason);
        }
    }
    if !analysis.findings.is_empty() {
        out.push_str("\nFindings\n");
        for one in &analysis.findings {
            finding(&mut out, one);
        }
    }
    out
}

fn service(out: &mut String, one: &AnalyzedService) {
    let _ = writeln!(out, "\n{}  ({}, {})", one.name, one.kind.as_str(), one.path);
    let missing: Vec<&EnvNeed> =
        one.env.iter().filter(|e| e.required && e.default.is_none() && e.generate.is_none()).collect();
    if !missing.is_empty() {
        let names: Vec<&str> = missing.iter().map(|e| e.name.as_str()).collect();
        let _ = writeln!(out, "  needs a value   {}", names.join(", "));
    }
    line(
        out,
        one,
        "language",
        Some(&format!("{} {}", one.language, one.language_version.as_deref().unwrap_or_default())),
        "language_version",
    );
    line(out, one, "framework", one.framework.as_deref(), "framework");
    line(out, one, "packages", one.package_manager.as_deref(), "package_manager");
    line(out, one, "build", one.build.as_deref(), "build");
    line(out, one, "start", one.start.as_deref(), "start");
    line(out, one, "release", one.release.as_deref(), "release");
    line(out, one, "output", one.output_dir.as_deref(), "output_dir");
    line(out, one, "port", one.port.map(|p| p.to_string()).as_deref(), "port");
    line(out, one, "health", one.health.as_deref(), "health");
    for need in &one.dependencies {
        let how = if need.required { "required" } else { "optional" };
        line(
            out,
            one,
            "depends on",
            Some(&format!("{} ({how})", need.kind)),
            &format!("dependencies.{}", need.kind),
        );
    }
    if !one.depends_on.is_empty() {
        let _ = writeln!(out, "  {:<15} {}", "calls", one.depends_on.join(", "));
    }
    let _ = writeln!(
        out,
        "  {:<15} {} ({} required, {} secret)",
        "variables",
        one.env.len(),
        one.env.iter().filter(|e| e.required).count(),
        one.env.iter().filter(|e| e.secret).count()
    );
    let path = one.dockerfile.path.as_deref().unwrap_or("generated");
    let _ = writeln!(out, "  {:<15} {} ({path})", "dockerfile", one.dockerfile.verdict.as_str());
    for reason in &one.dockerfile.reasons {
        let _ = writeln!(out, "  {:<15} - {reason}", "");
    }
    for line in one.dockerfile.diff.iter().flat_map(|d| d.lines()) {
        let _ = writeln!(out, "  {:<15} | {line}", "");
    }
}

fn line(out: &mut String, one: &AnalyzedService, label: &str, value: Option<&str>, field: &str) {
    let Some(value) = value.map(str::trim).filter(|v| !v.is_empty()) else { return };
    let evidence = one.evidence.iter().find(|e| e.field == field && e.chosen);
    let place = evidence
        .and_then(|e| Some((e.file.as_deref()?, e.line)))
        .map(|(f, l)| l.map_or(f.to_owned(), |l| format!("{f}:{l}")));
    let sure = evidence.map(|e| format!("{:.0} %", e.confidence * 100.0));
    let why = [place, sure].into_iter().flatten().collect::<Vec<_>>().join(", ");
    let _ = if why.is_empty() {
        writeln!(out, "  {label:<15} {value}")
    } else {
        writeln!(out, "  {label:<15} {value}   [{why}]")
    };
}

fn finding(out: &mut String, one: &Finding) {
    let mark = match one.severity {
        Severity::Error => "error  ",
        Severity::Warning => "warning",
        Severity::Info => "info   ",
    };
    let place = one
        .file
        .as_deref()
        .map(|f| one.line.map_or(format!(" ({f})"), |l| format!(" ({f}:{l})")))
        .unwrap_or_default();
    let _ = writeln!(out, "  {mark}  {}{place}\n           {}", one.message, one.advice);
}
