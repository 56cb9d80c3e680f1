//! Recipes for Java: the wrapper or the build tool's image, then a JRE with the archive.
//!
//! One rule: a module is built with what it needs from its root (`-pl … -am`), never alone.

use hydron_domain::analysis::ServiceKind;

use super::text::{self, Lines, Recipe};
use super::versions;
use crate::draft::Draft;
use crate::options::Options;
use crate::path;
use crate::repo::{Repo, Role};
use crate::stacks::java::JavaFacts;

/// Writes the recipe.
pub(crate) fn write(
    repo: &Repo<'_>,
    options: &Options,
    draft: &Draft,
    facts: &JavaFacts,
) -> Result<Recipe, String> {
    if !facts.module.is_empty() && !text::plain(&facts.module) {
        return Err("the module's path has characters that do not belong into a path".to_owned());
    }
    let version = versions::pick(options, draft, "java");
    let tool = if facts.gradle {
        format!("gradle:8-jdk{version}")
    } else {
        format!("maven:3.9-eclipse-temurin-{version}")
    };
    let build_base = if facts.wrapper { format!("eclipse-temurin:{version}-jdk") } else { tool };
    let cache = if facts.gradle { "/root/.gradle" } else { "/root/.m2" };
    let port = text::port(draft, 8080);
    let mut out = Lines::default();
    out.push(format!("FROM {} AS build", text::image(options, &build_base))).push("WORKDIR /src");
    manifests(repo, &mut out, facts);
    let runner = match (facts.gradle, facts.wrapper) {
        (true, true) => "./gradlew",
        (true, false) => "gradle",
        (false, true) => "./mvnw",
        (false, false) => "mvn",
    };
    let runnable = if facts.wrapper { format!("chmod +x {runner} && ") } else { String::new() };
    out.push(
        "# A layer of its own for what the build needs; what cannot be resolved yet is fetched by the build.",
    );
    let fetch = if facts.gradle {
        format!("{runner} --no-daemon --quiet dependencies || true")
    } else {
        format!("{runner} -B -q -DskipTests dependency:go-offline || true")
    };
    out.push(text::run(options, &[cache], &format!("{runnable}{fetch}"))).push("COPY . .");
    let build = draft.build.value().cloned().ok_or("no build command was found")?;
    let mut steps = format!("{runnable}{build} && mkdir /out && ");
    let product = path::join(&facts.module, if facts.gradle { "build" } else { "target" });
    if facts.quarkus {
        steps.push_str("cp -r ");
        steps.push_str(&product);
        steps.push_str("/quarkus-app/. /out/");
    } else {
        let dir = if facts.gradle { format!("{product}/libs") } else { product };
        steps.push_str("find ");
        steps.push_str(&dir);
        steps.push_str(" -maxdepth 1 -name '*.jar' ! -name '*-plain.jar' ! -name '*-sources.jar' ! -name 'original-*' -exec cp {} /out/app.jar ';'");
    }
    out.push(text::run(options, &[cache], &steps));
    out.gap()
        .push(format!("FROM {}", text::image(options, &format!("eclipse-temurin:{version}-jre"))))
        .push("WORKDIR /app");
    out.push("COPY --from=build /out/ ./");
    out.push(format!("USER {}", text::USER));
    if draft.kind == ServiceKind::Web {
        let variable = if facts.quarkus { "QUARKUS_HTTP_PORT" } else { "SERVER_PORT" };
        out.push(format!("ENV PORT={port} {variable}={port}"));
        out.push(format!("EXPOSE {port}"));
        out.push(text::bash_health(port));
    }
    let archive = if facts.quarkus { "quarkus-run.jar" } else { "app.jar" };
    let words = ["java", "-XX:MaxRAMPercentage=75", "-jar", archive].map(str::to_owned);
    out.push(format!("CMD {}", text::exec(&words)));
    Ok(Recipe {
        context: facts.root.clone(),
        content: out.finish(),
        ignore: text::ignore(&["target", "**/target", "build", "**/build", ".gradle"]),
    })
}

/// Build files of every module, so that the dependencies are a layer that a change of the code keeps.
fn manifests(repo: &Repo<'_>, out: &mut Lines, facts: &JavaFacts) {
    let mut dirs = vec![String::new()];
    let names: &[&str] = if facts.gradle {
        &[
            "gradlew",
            "settings.gradle",
            "settings.gradle.kts",
            "build.gradle",
            "build.gradle.kts",
            "gradle.properties",
        ]
    } else {
        &["mvnw", "pom.xml"]
    };
    let modules = repo.under(&facts.root).filter(|f| f.role == Role::Normal && names.contains(&f.name()));
    dirs.extend(modules.filter_map(|f| path::relative(f.dir(), &facts.root)).map(str::to_owned));
    dirs.sort();
    dirs.dedup();
    for dir in dirs.iter().filter(|d| d.is_empty() || text::plain(d)).take(MOST_MODULES) {
        let there =
            names.iter().map(|name| path::join(dir, name)).filter(|f| repo.has(&path::join(&facts.root, f)));
        let files: Vec<String> = there.collect();
        if !files.is_empty() {
            let target = if dir.is_empty() { "./".to_owned() } else { format!("./{dir}/") };
            out.push(format!("COPY {} {target}", files.join(" ")));
        }
    }
    for dir in [".mvn", "gradle"] {
        if repo.has_dir(&path::join(&facts.root, dir)) {
            out.push(format!("COPY {dir} ./{dir}"));
        }
    }
}

/// More modules than this share one layer with the code.
const MOST_MODULES: usize = 60;
