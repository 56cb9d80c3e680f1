//! Drafts become services: unique names, chosen values, evidence, findings in order.
//!
//! One rule: nothing is decided here that a rule did not offer; output order depends on content only.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hydron_domain::analysis::{
    AnalyzedService, DependencyNeed, Evidence, Finding, FindingCode, NotAService, ServiceKind, Severity,
};

use crate::draft::{Draft, Found, Stack, edge};
use crate::needs::{binding, table};
use crate::options::Options;
use crate::overlay::images;
use crate::path;
use crate::recipe;
use crate::repo::Repo;

/// Turns everything into services and rejections.
pub(crate) fn services(
    repo: &Repo<'_>,
    options: &Options,
    mut found: Found,
) -> (Vec<AnalyzedService>, Vec<NotAService>) {
    found.drafts.sort_by(|a, b| {
        (&a.dir, a.kind == ServiceKind::Worker, a.name.value()).cmp(&(
            &b.dir,
            b.kind == ServiceKind::Worker,
            b.name.value(),
        ))
    });
    let names = names(&found.drafts, options);
    let subdir = repo.subdir();
    let wanted = |dir: &str| subdir.is_none_or(|s| path::within(dir, s));
    let by_host: BTreeMap<String, String> = found
        .drafts
        .iter()
        .zip(&names)
        .flat_map(|(d, n)| {
            let edges = d.composed.iter().map(|(file, name)| edge(file, name));
            edges.chain(d.hosts.iter().cloned()).chain([n.clone()]).map(|h| (h, n.clone()))
        })
        .collect();
    let mut services: Vec<AnalyzedService> = Vec::new();
    // Names are given before the list is narrowed, so that a service is called the same in every reading.
    for (draft, name) in found.drafts.iter().zip(&names).filter(|(d, _)| wanted(&d.dir)) {
        services.push(service(repo, options, draft, name, &by_host));
    }
    for service in &services {
        check(repo, service);
    }
    for (draft, name) in found.drafts.iter().zip(&names).filter(|(d, _)| wanted(&d.dir)) {
        lock(repo, draft, name);
    }
    cycles(repo, &services);
    found.rejected.retain(|r| !services.iter().any(|s| s.path == r.path));
    found.rejected.retain(|r| subdir.is_none() || r.path != "." && wanted(&r.path));
    (services, found.rejected)
}

fn names(drafts: &[Draft], options: &Options) -> Vec<String> {
    let mut used: BTreeSet<String> = BTreeSet::new();
    let mut list = Vec::new();
    for draft in drafts {
        let own = draft.name.value().cloned();
        let repository = options.repository_name.clone().filter(|_| draft.dir.is_empty());
        let raw = own.or(repository).unwrap_or_else(|| {
            if draft.dir.is_empty() { "app".to_owned() } else { path::base(&draft.dir).to_owned() }
        });
        let base = clean(&raw);
        let mut name = base.clone();
        let mut number = 2;
        while !used.insert(name.clone()) {
            name = format!("{base}-{number}");
            number += 1;
        }
        list.push(name);
    }
    list
}

/// Lower-case letters, digits and dashes, at most 48 of them.
fn clean(name: &str) -> String {
    let mapped: String =
        name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let joined = mapped.split('-').filter(|p| !p.is_empty()).collect::<Vec<_>>().join("-");
    let short: String = joined.chars().take(48).collect();
    let short = short.trim_matches('-').to_owned();
    if short.is_empty() { "app".to_owned() } else { short }
}

fn service(
    repo: &Repo<'_>,
    options: &Options,
    draft: &Draft,
    name: &str,
    by_host: &BTreeMap<String, String>,
) -> AnalyzedService {
    let dependencies: Vec<DependencyNeed> =
        draft.needs.iter().map(|(kind, need)| dependency(draft, kind, need)).collect();
    let mut depends_on: BTreeSet<String> =
        draft.depends_on.keys().filter_map(|h| by_host.get(h)).cloned().collect();
    depends_on.remove(name);
    let web = draft.kind == ServiceKind::Web;
    let mut service = AnalyzedService {
        name: name.to_owned(),
        path: path::shown(&draft.dir),
        kind: draft.kind,
        language: draft.language.clone(),
        language_version: draft.version.value().cloned(),
        framework: draft.framework.value().cloned(),
        also: draft.also.iter().cloned().collect(),
        package_manager: draft.package_manager.value().cloned(),
        build: draft.build.value().cloned(),
        start: draft.start.best().filter(|o| o.confidence >= 0.3).map(|o| o.value.clone()),
        release: draft.release.value().cloned(),
        output_dir: if draft.kind == ServiceKind::Static { draft.output_dir.value().cloned() } else { None },
        port: if web { draft.port.value().copied() } else { None },
        health: if draft.kind == ServiceKind::Worker { None } else { draft.health.value().cloned() },
        route_prefix: if web { draft.prefix.value().cloned() } else { None },
        dependencies,
        env: draft.env.values().cloned().collect(),
        dockerfile: recipe::decide(repo, options, draft),
        depends_on: depends_on.into_iter().collect(),
        volumes: draft.volumes.clone(),
        optional: draft.optional,
        evidence: evidence(draft),
    };
    recipe::align(&mut service, draft);
    service
}

fn dependency(draft: &Draft, kind: &str, need: &crate::draft::NeedDraft) -> DependencyNeed {
    DependencyNeed {
        kind: kind.to_owned(),
        required: need.required && !need.alternative,
        version: need.version.clone().or_else(|| need.image.as_deref().and_then(images::version)),
        image: need.image.clone(),
        external: table::is_external(kind),
        binding: binding::bind(draft, kind, need),
    }
}

fn evidence(draft: &Draft) -> Vec<Evidence> {
    let mut list = draft.why.evidence("service");
    list.extend(draft.name.evidence("name"));
    list.extend(draft.framework.evidence("framework"));
    list.extend(draft.version.evidence("language_version"));
    list.extend(draft.package_manager.evidence("package_manager"));
    list.extend(draft.build.evidence("build"));
    list.extend(draft.start.evidence("start"));
    list.extend(draft.release.evidence("release"));
    list.extend(draft.output_dir.evidence("output_dir"));
    list.extend(draft.port.evidence("port"));
    list.extend(draft.health.evidence("health"));
    list.extend(draft.prefix.evidence("route_prefix"));
    for (kind, need) in &draft.needs {
        list.extend(need.reasons.evidence(&format!("dependencies.{kind}")));
    }
    for (host, at) in &draft.depends_on {
        list.push(Evidence {
            field: "depends_on".to_owned(),
            value: host.rsplit('#').next().unwrap_or_default().to_owned(),
            file: at.file.clone(),
            line: at.line,
            rule: "compose.depends_on".to_owned(),
            confidence: 0.9,
            chosen: true,
        });
    }
    list
}

/// Findings about one finished service.
fn check(repo: &Repo<'_>, service: &AnalyzedService) {
    let note = |severity, code, message: String, advice: &str| {
        repo.note(Finding {
            severity,
            code,
            service: Some(service.name.clone()),
            message,
            advice: advice.to_owned(),
            file: None,
            line: None,
        });
    };
    if service.kind != ServiceKind::Static && service.start.is_none() {
        note(
            Severity::Error,
            FindingCode::NoStart,
            format!("{} has no production start command", service.name),
            "Set the start command by hand.",
        );
    }
    for env in service.env.iter().filter(|e| crate::env::secret::is_public(&e.name)) {
        let bare = env
            .name
            .trim_start_matches("NEXT_PUBLIC_")
            .trim_start_matches("VITE_")
            .trim_start_matches("REACT_APP_");
        if crate::env::secret::is_secret(bare, None) && bare.contains("SECRET") {
            note(
                Severity::Warning,
                FindingCode::PublicSecret,
                format!(
                    "{} sounds like a secret, but its prefix puts it into what every browser loads",
                    env.name
                ),
                "Read it on the server under a name without the public prefix.",
            );
        }
    }
    if let Some(version) = service.language_version.as_deref().filter(|v| is_past(&service.language, v)) {
        note(
            Severity::Warning,
            FindingCode::EndOfLife,
            format!("{} {version} no longer gets security fixes", runtime(&service.language)),
            "Move to a supported version; the declared one is still used for the build.",
        );
    }
    let local = service.dependencies.iter().any(|d| d.kind == "sqlite" && d.required);
    if local && service.volumes.is_empty() {
        note(
            Severity::Warning,
            FindingCode::LocalState,
            format!("{} keeps its data in an SQLite file inside its container", service.name),
            "Give the directory of the file a volume, or the data is lost with the next release.",
        );
    }
}

/// Says that builds of a service are not repeatable.
fn lock(repo: &Repo<'_>, draft: &Draft, name: &str) {
    let locked = match &draft.stack {
        Stack::Node(facts) => facts.manager.lock.is_some(),
        Stack::Ruby(facts) => facts.has_lock,
        Stack::Rust(facts) => facts.has_lock,
        Stack::Python(_)
        | Stack::Go(_)
        | Stack::Java(_)
        | Stack::Php(_)
        | Stack::Dotnet(_)
        | Stack::Site(_)
        | Stack::Image => true,
    };
    if !locked {
        repo.note(Finding {
            severity: Severity::Info,
            code: FindingCode::NoLockfile,
            service: Some(name.to_owned()),
            message: format!("{name} has no lock file, so two builds can get different dependencies"),
            advice: "Commit the lock file that your package manager writes.".to_owned(),
            file: None,
            line: None,
        });
    }
}

/// Whether a declared version is past its end of life.
fn is_past(language: &str, version: &str) -> bool {
    let digits: String = version
        .chars()
        .skip_while(|c| !c.is_ascii_digit())
        .take_while(|c| c.is_ascii_digit() || *c == '.')
        .collect();
    let mut parts = digits.split('.').map(|p| p.parse::<u32>().unwrap_or(0));
    let (major, minor) = (parts.next().unwrap_or(0), parts.next());
    let exact = version.starts_with(|c: char| c.is_ascii_digit());
    match language {
        "javascript" | "typescript" => exact && (1..=16).contains(&major),
        "python" => exact && (major == 2 || (major == 3 && minor.is_some_and(|m| m <= 8))),
        "ruby" => exact && (major < 3 || (major == 3 && minor == Some(0))) && major > 0,
        "php" => exact && (5..=7).contains(&major),
        _ => false,
    }
}

/// Every circle of services that wait for each other, once.
fn cycles(repo: &Repo<'_>, services: &[AnalyzedService]) {
    let edges: BTreeMap<&str, &[String]> =
        services.iter().map(|s| (s.name.as_str(), s.depends_on.as_slice())).collect();
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for start in edges.keys().copied() {
        let Some(circle) = circle(&edges, start).filter(|_| !told.contains(start)) else { continue };
        told.extend(&circle);
        let way = circle.iter().copied().chain([start]).collect::<Vec<_>>().join(" → ");
        let message = match circle.as_slice() {
            [_] => format!("{start} waits for itself"),
            _ => format!("services wait for each other in a circle: {way}"),
        };
        repo.note(Finding {
            severity: Severity::Warning,
            code: FindingCode::CyclicDependencies,
            service: Some(start.to_owned()),
            message,
            advice: "Hydron starts the services of a circle together: make sure that each retries its connections, or take one dependency out.".to_owned(),
            file: None,
            line: None,
        });
    }
}

/// The shortest way from a service back to itself, beginning with it.
fn circle<'s>(edges: &BTreeMap<&'s str, &'s [String]>, start: &'s str) -> Option<Vec<&'s str>> {
    let mut ways = VecDeque::from([vec![start]]);
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        let next = way.last().and_then(|last| edges.get(last)).into_iter().flat_map(|list| list.iter());
        for name in next.map(String::as_str) {
            if name == start {
                return Some(way);
            }
            if seen.insert(name) {
                ways.push_back(way.iter().copied().chain([name]).collect());
            }
        }
    }
    None
}

/// What runs a language, as people say it.
fn runtime(language: &str) -> &str {
    match language {
        "javascript" | "typescript" => "Node.js",
        "python" => "Python",
        "ruby" => "Ruby",
        "php" => "PHP",
        "java" | "kotlin" => "Java",
        "csharp" | "fsharp" => ".NET",
        other => other,
    }
}
