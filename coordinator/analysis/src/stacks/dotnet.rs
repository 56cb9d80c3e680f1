//! .NET: projects whose SDK makes a web application or a worker.
//!
//! One rule: the SDK attribute decides; properties may come from `Directory.Build.props` above the project.

use hydron_domain::analysis::ServiceKind;

use super::Scan;
use crate::draft::{Draft, Found, Stack};
use crate::field::At;
use crate::path;
use crate::pattern::patterns;
use crate::repo::{File, Repo, Role, line_of};

patterns! {
    SDK = r#"<Project\s+Sdk="([^"]+)""#;
    TARGET = r"<TargetFrameworks?>\s*([^<]+?)\s*</TargetFrameworks?>";
    PACKAGE = r#"<PackageReference\s+Include="([^"]+)""#;
    PROJECT = r#"<ProjectReference\s+Include="([^"]+)""#;
    GLOBAL_SDK = r#""version"\s*:\s*"([\d.]+)""#;
    ASSEMBLY = r"<AssemblyName>\s*([^<]+?)\s*</AssemblyName>";
}

/// What the recipe writer needs.
#[derive(Debug, Clone, Default)]
pub(crate) struct DotnetFacts {
    /// Path of the project file.
    pub(crate) project: String,
    pub(crate) assembly: String,
    /// Build context: the directory that holds every referenced project.
    pub(crate) context: String,
    pub(crate) packages: Vec<String>,
}

/// Finds .NET services.
pub(crate) fn find(scan: &Scan<'_, '_>, found: &mut Found) {
    let repo = scan.repo;
    let projects: Vec<&File> =
        repo.files().iter().filter(|f| matches!(f.extension(), "csproj" | "fsproj" | "vbproj")).collect();
    for file in projects.iter().filter(|f| f.role == Role::Normal) {
        let Some(text) = repo.text(file) else { continue };
        let dir = file.dir();
        let name = file.name().rsplit_once('.').map_or("", |(n, _)| n);
        let test = text.contains("Microsoft.NET.Test.Sdk")
            || name.ends_with("Tests")
            || name.ends_with(".Test")
            || repo.is_support(dir);
        let sdk = SDK.captures(text).and_then(|c| c.get(1)).map_or("", |m| m.as_str());
        let kind = match sdk {
            _ if test => {
                found.reject(dir, "dotnet.test", "a test project");
                continue;
            }
            "Microsoft.NET.Sdk.Web" => ServiceKind::Web,
            "Microsoft.NET.Sdk.Worker" => ServiceKind::Worker,
            "Microsoft.NET.Sdk.BlazorWebAssembly" => {
                let hosted = projects
                    .iter()
                    .filter_map(|p| repo.text(p))
                    .any(|t| t.contains("Microsoft.NET.Sdk.Web") && t.contains(file.name()));
                if hosted {
                    found.reject(dir, "dotnet.blazor_hosted", "a Blazor front end that a web project hosts");
                    continue;
                }
                ServiceKind::Static
            }
            _ if text.contains("Microsoft.Extensions.Hosting") && text.contains("<OutputType>Exe") => {
                ServiceKind::Worker
            }
            _ => {
                found.reject(dir, "dotnet.library", "a library or a command line program");
                continue;
            }
        };
        let library = kind == ServiceKind::Web && text.contains("<OutputType>Library");
        let entry = repo
            .under(dir)
            .any(|f| matches!(f.name(), "Program.cs" | "Program.fs" | "Startup.cs" | "Program.vb"));
        if library || !entry {
            found.reject(dir, "dotnet.library", "a web SDK project without a program of its own");
            continue;
        }
        let draft = draft(repo, file, text, kind, name);
        found.drafts.push(draft);
    }
}

fn draft(repo: &Repo<'_>, file: &File, text: &str, kind: ServiceKind, name: &str) -> Draft {
    let dir = file.dir();
    let language = if file.extension() == "fsproj" { "fsharp" } else { "csharp" };
    let mut draft = Draft::new(dir, kind, language, Stack::Image);
    draft.name.offer(name.replace('.', "-").to_lowercase(), 0.6, "dotnet.name", At::file(&file.path));
    let id = match kind {
        ServiceKind::Web => "aspnetcore",
        ServiceKind::Worker => "dotnet-worker",
        ServiceKind::Static => "blazor",
    };
    draft.framework.offer(id, 0.96, "dotnet.sdk", At::find(repo, &file.path, "Sdk="));
    draft.why.offer("the project's SDK", 0.95, "dotnet.service", At::find(repo, &file.path, "Sdk="));
    draft.package_manager.offer("nuget", 0.95, "dotnet.nuget", At::file(&file.path));
    let major = version(repo, dir, &file.path, text, &mut draft);
    let references = closure(repo, &file.path);
    let context = references.iter().fold(dir.to_owned(), |common, r| common_dir(&common, r));
    let context = props_dir(repo, dir).map_or(context.clone(), |p| common_dir(&context, &p));
    let assembly =
        ASSEMBLY.captures(text).and_then(|c| c.get(1)).map_or(name.to_owned(), |m| m.as_str().to_owned());
    draft.build.offer(
        format!("dotnet publish {} -c Release -o out", file.path),
        0.85,
        "dotnet.build",
        At::file(&file.path),
    );
    draft.start.offer(format!("dotnet {assembly}.dll"), 0.6, "dotnet.start", At::file(&file.path));
    if kind == ServiceKind::Web {
        draft.port.offer(
            if major.is_some_and(|m| m < 8) { 80_u16 } else { 8080 },
            0.3,
            "dotnet.port",
            At::nowhere(),
        );
    }
    draft.sources.extend(references.iter().cloned());
    let packages = PACKAGE.captures_iter(text).filter_map(|c| c.get(1)).map(|m| m.as_str().to_owned());
    let mut packages: Vec<String> = packages.collect();
    for reference in &references {
        for project in repo.in_dir(reference).filter(|f| f.extension().ends_with("proj")) {
            let text = repo.text(project).unwrap_or_default();
            packages
                .extend(PACKAGE.captures_iter(text).filter_map(|c| c.get(1)).map(|m| m.as_str().to_owned()));
        }
    }
    draft.stack = Stack::Dotnet(DotnetFacts { project: file.path.clone(), assembly, context, packages });
    draft
}

fn version(repo: &Repo<'_>, dir: &str, file: &str, text: &str, draft: &mut Draft) -> Option<u32> {
    let mut major = None;
    let mut offer = |found: &str, confidence: f32, rule: &str, at: At, draft: &mut Draft| {
        let first = found.split(';').next().unwrap_or(found);
        let number = first.trim_start_matches("netcoreapp").trim_start_matches("net");
        draft.version.offer(number, confidence, rule, at);
        major = major.or_else(|| number.split('.').next().and_then(|n| n.parse().ok()));
    };
    if let Some(found) = TARGET.captures(text).and_then(|c| c.get(1)).filter(|m| !m.as_str().contains('$')) {
        offer(
            found.as_str(),
            0.93,
            "dotnet.version.target",
            At { file: Some(file.to_owned()), line: line_of(text, "<TargetFramework") },
            draft,
        );
    }
    let mut here = dir;
    loop {
        let props = path::join(here, "Directory.Build.props");
        let text = repo.read(&props).unwrap_or_default();
        if let Some(found) = TARGET.captures(text).and_then(|c| c.get(1)) {
            offer(
                found.as_str(),
                0.9,
                "dotnet.version.props",
                At::find(repo, &props, "<TargetFramework"),
                draft,
            );
        }
        let global = path::join(here, "global.json");
        if let Some(found) = repo.read(&global).and_then(|t| GLOBAL_SDK.captures(t)).and_then(|c| c.get(1)) {
            draft.version.offer(
                found.as_str(),
                0.8,
                "dotnet.version.global",
                At::find(repo, &global, "version"),
            );
        }
        if here.is_empty() {
            return major;
        }
        here = path::parent(here);
    }
}

/// Directories of all projects that a project references, directly or not.
fn closure(repo: &Repo<'_>, project: &str) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    let mut queue = vec![project.to_owned()];
    while let Some(next) = queue.pop() {
        let Some(text) = repo.read(&next) else { continue };
        for found in PROJECT.captures_iter(text).filter_map(|c| c.get(1)) {
            let Some(target) = path::resolve(path::parent(&next), &found.as_str().replace('\\', "/")) else {
                continue;
            };
            let dir = path::parent(&target).to_owned();
            if !seen.contains(&dir) && seen.len() < 200 {
                seen.push(dir);
                queue.push(target);
            }
        }
    }
    seen.sort();
    seen
}

fn props_dir(repo: &Repo<'_>, dir: &str) -> Option<String> {
    let mut here = dir;
    loop {
        if repo
            .first_of(here, &["Directory.Build.props", "Directory.Packages.props", "global.json"])
            .is_some()
        {
            return Some(here.to_owned());
        }
        if here.is_empty() {
            return None;
        }
        here = path::parent(here);
    }
}

fn common_dir(a: &str, b: &str) -> String {
    let shared = a.split('/').zip(b.split('/')).take_while(|(x, y)| x == y).map(|(x, _)| x);
    shared.collect::<Vec<_>>().join("/")
}
