//! Recipes for .NET: restore, publish, then the runtime image with its own unprivileged user.
//!
//! One rule: the context is the directory that holds every referenced project.

use hydron_domain::analysis::ServiceKind;

use super::text::{self, Lines, Recipe};
use super::versions;
use crate::draft::Draft;
use crate::options::Options;
use crate::path;
use crate::repo::{Repo, Role};
use crate::stacks::dotnet::DotnetFacts;

/// Writes the recipe.
pub(crate) fn write(
    repo: &Repo<'_>,
    options: &Options,
    draft: &Draft,
    facts: &DotnetFacts,
) -> Result<Recipe, String> {
    let project = path::relative(&facts.project, &facts.context).unwrap_or(&facts.project).to_owned();
    if !text::plain(&project) || !text::plain(&facts.assembly) {
        return Err("the project's path has characters that do not belong into a path".to_owned());
    }
    let version = versions::pick(options, draft, "dotnet");
    let runtime = if draft.kind == ServiceKind::Worker { "runtime" } else { "aspnet" };
    let port = 8080;
    let mut out = Lines::default();
    out.push(format!(
        "FROM {} AS build",
        text::image(options, &format!("mcr.microsoft.com/dotnet/sdk:{version}"))
    ))
    .push("WORKDIR /src");
    projects(repo, &mut out, facts);
    out.push(text::run(options, &["/root/.nuget/packages"], &format!("dotnet restore {project}")));
    out.push("COPY . .");
    out.push(text::run(
        options,
        &["/root/.nuget/packages"],
        &format!("dotnet publish {project} --configuration Release --no-restore --output /out"),
    ));
    out.gap()
        .push(format!(
            "FROM {}",
            text::image(options, &format!("mcr.microsoft.com/dotnet/{runtime}:{version}"))
        ))
        .push("WORKDIR /app");
    out.push("COPY --from=build /out ./");
    out.push(format!("USER {}", text::USER));
    if draft.kind == ServiceKind::Web {
        out.push(format!("ENV ASPNETCORE_URLS=http://+:{port} PORT={port}"));
        out.push(format!("EXPOSE {port}"));
        out.push(text::bash_health(port));
    }
    out.push(format!("CMD {}", text::exec(&["dotnet".to_owned(), format!("{}.dll", facts.assembly)])));
    Ok(Recipe {
        context: facts.context.clone(),
        content: out.finish(),
        ignore: text::ignore(&["**/bin", "**/obj"]),
    })
}

/// Project files alone, so that the restored packages are a layer that a change of the code keeps.
fn projects(repo: &Repo<'_>, out: &mut Lines, facts: &DotnetFacts) {
    let named = ["global.json", "NuGet.config", "nuget.config"];
    let wanted = |f: &&crate::repo::File| {
        f.role == Role::Normal
            && (matches!(f.extension(), "csproj" | "fsproj" | "props" | "targets")
                || named.contains(&f.name()))
    };
    let files = repo.under(&facts.context).filter(wanted).take(80);
    for file in files.filter_map(|f| path::relative(&f.path, &facts.context)).filter(|f| text::plain(f)) {
        let dir = path::parent(file);
        out.push(format!("COPY {file} ./{}", if dir.is_empty() { String::new() } else { format!("{dir}/") }));
    }
}
