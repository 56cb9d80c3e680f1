//! How each service becomes an image: the repository's Dockerfile judged, or ours written.
//!
//! One rule: the writer gets facts, never text of the repository that it does not quote; every recipe is multi-stage where
//! something is built, runs as a user of its own, starts in exec form, and checks its health without a tool.

mod dotnet;
mod go;
mod java;
mod judge;
mod node;
mod php;
mod python;
mod ruby;
mod rust;
mod site;
mod text;
mod versions;

use hydron_domain::analysis::{
    AnalyzedService, DockerfileReading, DockerfileVerdict, Finding, FindingCode, ServiceKind, Severity,
};

use crate::draft::{Draft, Stack};
use crate::options::Options;
use crate::path;
use crate::repo::Repo;
use judge::Judgement;
use text::Recipe;

/// Decides what will be built for a draft.
pub(crate) fn decide(repo: &Repo<'_>, options: &Options, draft: &Draft) -> DockerfileReading {
    let Some(link) = &draft.dockerfile else {
        return written(repo, options, draft, DockerfileVerdict::Generate, Vec::new());
    };
    let judgement = judge::judge(repo, options, draft, link);
    let mut reading = DockerfileReading {
        found: true,
        path: Some(link.path.clone()),
        context: link.context.clone(),
        target: link.target.clone(),
        verdict: DockerfileVerdict::Accept,
        reasons: Vec::new(),
        content: None,
        diff: None,
        ignore: None,
        build_args: link.args.iter().map(|(n, v)| format!("{n}={v}")).collect(),
    };
    match judgement {
        Judgement::Fit(reasons) => reading.reasons = reasons,
        Judgement::Repaired { content, reasons } => {
            reading.verdict = DockerfileVerdict::Repair;
            reading.diff = Some(text::diff(&link.path, repo.read(&link.path).unwrap_or_default(), &content));
            reading.content = Some(content);
            reading.reasons = reasons;
        }
        Judgement::Unfit(reasons) => {
            let ours = written(repo, options, draft, DockerfileVerdict::Replace, reasons.clone());
            let service = Some(path::shown(&draft.dir));
            repo.note(Finding {
                severity: Severity::Warning,
                code: FindingCode::UnfitDockerfile,
                service,
                message: format!("{} is not fit for production: {}", link.path, reasons.join("; ")),
                advice: "A new Dockerfile is proposed; look at it before approving.".to_owned(),
                file: Some(link.path.clone()),
                line: None,
            });
            reading = DockerfileReading { found: true, path: Some(link.path.clone()), ..ours };
        }
    }
    reading
}

fn written(
    repo: &Repo<'_>,
    options: &Options,
    draft: &Draft,
    verdict: DockerfileVerdict,
    mut reasons: Vec<String>,
) -> DockerfileReading {
    let recipe = write(repo, options, draft);
    let (context, content, ignore, verdict) = match recipe {
        Ok(recipe) => (recipe.context, Some(recipe.content), Some(recipe.ignore), verdict),
        Err(reason) => {
            reasons.push(reason);
            (draft.dir.clone(), None, None, DockerfileVerdict::Missing)
        }
    };
    DockerfileReading {
        found: false,
        path: None,
        context,
        target: None,
        verdict,
        reasons,
        content,
        diff: None,
        ignore,
        build_args: Vec::new(),
    }
}

fn write(repo: &Repo<'_>, options: &Options, draft: &Draft) -> Result<Recipe, String> {
    match &draft.stack {
        Stack::Node(facts) => node::write(repo, options, draft, facts),
        Stack::Python(facts) => python::write(options, draft, facts),
        Stack::Site(facts) => site::write(options, draft, *facts),
        Stack::Go(facts) => go::write(options, draft, facts),
        Stack::Rust(facts) => rust::write(options, draft, facts),
        Stack::Java(facts) => java::write(repo, options, draft, facts),
        Stack::Ruby(facts) => ruby::write(options, draft, facts),
        Stack::Php(facts) => php::write(options, draft, facts),
        Stack::Dotnet(facts) => dotnet::write(repo, options, draft, facts),
        Stack::Image => {
            Err("only its own Dockerfile says how this is built, and that one is not fit; correct it"
                .to_owned())
        }
    }
}

/// Resolves a declared version of every tool, for what throws texts at it.
pub(crate) fn try_versions(declared: &str) {
    drop(versions::choose(declared, &["18", "20", "22"], "22"));
    drop(versions::choose(declared, &["3.9", "3.13"], "3.13"));
}

/// Whether the linked Dockerfile cannot work, so that its command says nothing.
pub(crate) fn is_unusable(repo: &Repo<'_>, draft: &Draft, link: &crate::draft::DockerfileLink) -> bool {
    !matches!(draft.stack, Stack::Image) && judge::is_unusable(repo, draft, link)
}

/// Makes port and context of the finished service agree with the recipe that will be built.
pub(crate) fn align(service: &mut AnalyzedService, draft: &Draft) {
    let ours = matches!(service.dockerfile.verdict, DockerfileVerdict::Generate | DockerfileVerdict::Replace);
    if service.kind == ServiceKind::Static {
        let declared = draft
            .port
            .best()
            .filter(|o| o.rule.starts_with("dockerfile.") || o.rule.starts_with("compose."))
            .map(|o| o.value);
        service.port = Some(if ours { text::STATIC_PORT } else { declared.unwrap_or(80) });
    }
    // A repair that adds the command writes it as ours does.
    let writes_command = ours || service.dockerfile.verdict == DockerfileVerdict::Repair;
    if writes_command && service.kind == ServiceKind::Web && matches!(draft.stack, Stack::Python(_)) {
        service.start =
            service.start.as_deref().map(|s| python::with_port(s, text::port(draft, 8000), draft));
    }
    if ours && service.kind == ServiceKind::Web {
        match &draft.stack {
            Stack::Php(_) => service.port = Some(8000),
            Stack::Dotnet(_) => service.port = Some(8080),
            Stack::Node(_)
            | Stack::Python(_)
            | Stack::Ruby(_)
            | Stack::Go(_)
            | Stack::Rust(_)
            | Stack::Java(_)
            | Stack::Site(_)
            | Stack::Image => {}
        }
    }
    if service.dockerfile.context.is_empty() {
        ".".clone_into(&mut service.dockerfile.context);
    }
}
