//! Recipes for Java: the wrapper or the build tool's image, then a JRE with the archive.
//!
//! One rule: a module is built with what it needs from its root (`-pl … -am`), never alone.

use hydron_domain::analysis::ServiceKind;

use super::text::{self, Lines, Recipe};
use super::versions;
use crate::draft::Draft;
use crate::options::Options;
use crate::path;
use crate::stacks::java::JavaFacts;

/// Writes the recipe.
pub(crate) fn write(options: &Options, draft: &Draft, facts: &JavaFacts) -> Result<Recipe, String> {
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
    out.push(format!("FROM {} AS build", text::image(options, &build_base)))
        .push("WORKDIR /src")
        .push("COPY . .");
    if facts.wrapper {
        out.push(format!("RUN chmod +x {}", if facts.gradle { "gradlew" } else { "mvnw" }));
    }
    let build = draft.build.value().cloned().ok_or("no build command was found")?;
    out.push(text::run(options, &[cache], &build));
    let product = path::join(&facts.module, if facts.gradle { "build" } else { "target" });
    if facts.quarkus {
        out.push(format!("RUN mkdir /out && cp -r {product}/quarkus-app/. /out/"));
    } else {
        let dir = if facts.gradle { format!("{product}/libs") } else { product };
        out.push(format!("RUN mkdir /out && find {dir} -maxdepth 1 -name '*.jar' ! -name '*-plain.jar' ! -name '*-sources.jar' ! -name 'original-*' -exec cp {{}} /out/app.jar ';'"));
    }
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
