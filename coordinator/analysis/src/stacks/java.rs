//! Java and Kotlin: Maven and Gradle modules that make a runnable application.
//!
//! One rule: a module is a service when it carries the framework's plugin or a main class of its own; a parent never is.

use std::collections::{BTreeMap, BTreeSet};

use hydron_domain::analysis::ServiceKind;

use super::node::version::tool_versions;
use super::{Scan, is_worker_name};
use crate::draft::{Draft, Found, Stack};
use crate::field::{At, Field};
use crate::path;
use crate::pattern::patterns;
use crate::repo::{Repo, Role, line_of};

patterns! {
    PARENT = r"(?s)<parent>.*?</parent>";
    TAG_ARTIFACT = r"<artifactId>\s*([\w.\-]+)\s*</artifactId>";
    TAG_VERSION = r"<version>\s*([^<\s]+)\s*</version>";
    TAG_PACKAGING = r"<packaging>\s*(\w+)\s*</packaging>";
    TAG_FINAL_NAME = r"<finalName>\s*([^<\s]+)\s*</finalName>";
    DEPENDENCY = r"(?s)<dependency>\s*(.*?)</dependency>";
    JAVA_PROPERTY = r"<(java\.version|maven\.compiler\.release|maven\.compiler\.source|maven\.compiler\.target|jdk\.version|release\.version|java\.release)>\s*([\d.]+)\s*<";
    GRADLE_DEP = r#"(?m)^\s*(?:implementation|api|runtimeOnly|compile|developmentOnly|kapt|compileOnly)\s*\(?\s*(?:platform\()?\s*['"]([^'"]+)['"]"#;
    GRADLE_VERSION = r#"(?:languageVersion\s*(?:=|\.set\()\s*JavaLanguageVersion\.of\(|sourceCompatibility\s*=?\s*['"]?(?:JavaVersion\.VERSION_)?|jvmToolchain\(|JavaVersion\.VERSION_|targetCompatibility\s*=?\s*['"]?)(\d[\d_.]*)"#;
    GRADLE_PROJECT = r#"\bproject\(\s*(?:path\s*[:=]\s*)?['"](:[^'"]+)['"]"#;
    MAIN_CLASS = r"@SpringBootApplication|@QuarkusMain|SpringApplication\.run|runApplication<|Micronaut\.run";
}

/// What the recipe writer needs.
#[derive(Debug, Clone, Default)]
pub(crate) struct JavaFacts {
    /// The build's root directory (aggregating module).
    pub(crate) root: String,
    pub(crate) gradle: bool,
    pub(crate) wrapper: bool,
    /// Module directory relative to the root; empty for the root itself.
    pub(crate) module: String,
    pub(crate) quarkus: bool,
    /// Dependencies as `group:artifact`.
    pub(crate) deps: BTreeSet<String>,
}

/// Finds Java services.
pub(crate) fn find(scan: &Scan<'_, '_>, found: &mut Found) {
    let repo = scan.repo;
    let mut dirs: BTreeSet<String> = BTreeSet::new();
    for file in repo.files().iter().filter(|f| f.role == Role::Normal) {
        if matches!(file.name(), "pom.xml" | "build.gradle" | "build.gradle.kts") {
            dirs.insert(file.dir().to_owned());
        }
    }
    let artifacts = artifacts(repo, &dirs);
    for dir in dirs {
        if !dir.is_empty() && repo.is_support(&dir) {
            found.reject(&dir, "java.support", "a module for tests or tooling");
            continue;
        }
        module(scan, found, &dir, &artifacts);
    }
}

/// Which directory makes which Maven artifact.
fn artifacts(repo: &Repo<'_>, dirs: &BTreeSet<String>) -> BTreeMap<String, String> {
    let own = |dir: &String| {
        let text = PARENT.replace(repo.read(&path::join(dir, "pom.xml"))?, "").into_owned();
        let (before, _) = text.split_once("<dependencies>").unwrap_or((&text, ""));
        Some((TAG_ARTIFACT.captures(before)?.get(1)?.as_str().to_owned(), dir.clone()))
    };
    dirs.iter().filter_map(own).collect()
}

/// What a module's build files say it uses.
fn declared(repo: &Repo<'_>, dir: &str) -> BTreeSet<String> {
    let mut deps = BTreeSet::new();
    if let Some(text) = repo.read(&path::join(dir, "pom.xml")) {
        deps.extend(pom_dependencies(text));
    }
    let gradle = repo.first_of(dir, &["build.gradle", "build.gradle.kts"]);
    if let Some(text) = gradle.as_deref().and_then(|f| repo.read(f)) {
        deps.extend(gradle_dependencies(text));
        deps.extend(catalog_dependencies(repo, dir, text));
    }
    deps
}

/// The modules of this repository that a module uses, directly or through others.
fn local_modules(scan: &Scan<'_, '_>, dir: &str, artifacts: &BTreeMap<String, String>) -> BTreeSet<String> {
    let repo = scan.repo;
    let root = build_root(scan, dir, false);
    let mut seen = BTreeSet::new();
    let mut queue = vec![dir.to_owned()];
    while let Some(next) = queue.pop() {
        let mut used: Vec<String> = Vec::new();
        if let Some(text) = repo.read(&path::join(&next, "pom.xml")) {
            let names = pom_dependencies(text);
            used.extend(names.iter().filter_map(|d| artifacts.get(d.split(':').nth(1)?)).cloned());
        }
        let gradle = repo.first_of(&next, &["build.gradle", "build.gradle.kts"]);
        if let Some(text) = gradle.as_deref().and_then(|f| repo.read(f)) {
            let named = GRADLE_PROJECT.captures_iter(text).filter_map(|c| c.get(1));
            let dirs =
                named.map(|m| path::join(&root, &m.as_str().trim_start_matches(':').replace(':', "/")));
            used.extend(dirs.filter(|d| repo.has_dir(d)));
        }
        queue.extend(used.into_iter().filter(|d| d != dir && !d.is_empty() && seen.insert(d.clone())));
    }
    seen
}

fn module(scan: &Scan<'_, '_>, found: &mut Found, dir: &str, artifacts: &BTreeMap<String, String>) {
    let repo = scan.repo;
    let pom_text = repo.read(&path::join(dir, "pom.xml"));
    let gradle_file = repo.first_of(dir, &["build.gradle", "build.gradle.kts"]);
    let gradle_text = gradle_file.as_deref().and_then(|f| repo.read(f));
    let parents = parent_texts(repo, dir);
    let mut deps = declared(repo, dir);
    let own = format!("{}\n{}", pom_text.unwrap_or_default(), gradle_text.unwrap_or_default());
    let code = |needle: &regex::Regex| {
        let main = path::join(dir, "src/main");
        let sources = repo.under(&main).filter(|f| matches!(f.extension(), "java" | "kt" | "groovy"));
        sources.filter_map(|f| repo.text(f)).any(|t| needle.is_match(t))
    };
    let has = |needle: &str| deps.iter().any(|d| d.contains(needle));
    if TAG_PACKAGING
        .captures(&PARENT.replace(&own, ""))
        .and_then(|c| c.get(1))
        .is_some_and(|m| m.as_str() == "pom")
    {
        found.reject(dir, "java.parent", "a parent or aggregator module");
        return;
    }
    let spring = has("org.springframework.boot:")
        || own.contains("org.springframework.boot")
        || own.contains("spring-boot");
    let quarkus = has("io.quarkus:") || own.contains("io.quarkus") || has("io.quarkus.platform");
    let micronaut = has("io.micronaut") || own.contains("io.micronaut");
    let framework = if quarkus && repo.has_dir(&path::join(dir, "src/main")) {
        "quarkus"
    } else if spring
        && (code(&MAIN_CLASS)
            || own.contains("spring-boot-maven-plugin")
                && repo.has_dir(&path::join(dir, "src/main"))
                && !own.contains("<skip>true"))
    {
        "spring-boot"
    } else if micronaut && repo.has_dir(&path::join(dir, "src/main")) {
        "micronaut"
    } else if has("io.dropwizard") {
        "dropwizard"
    } else if has("io.ktor:") || own.contains("io.ktor") {
        "ktor"
    } else if has("io.javalin") {
        "javalin"
    } else if has("com.sparkjava") {
        "spark"
    } else if has("io.vertx") {
        "vertx"
    } else if has("io.helidon") {
        "helidon"
    } else {
        if repo.has_dir(&path::join(dir, "src/main")) {
            found.reject(
                dir,
                "java.library",
                "a module without an application class: a library or command line program",
            );
        }
        return;
    };
    if deps.iter().any(|d| d.contains("aws-lambda-java")) && !own.contains("spring-boot-maven-plugin") {
        found.reject(dir, "java.function", "a cloud function (AWS Lambda): a provider runs it, not a server");
        return;
    }
    let local = local_modules(scan, dir, artifacts);
    deps.extend(local.iter().flat_map(|module| declared(repo, module)));
    let mut draft = draft(scan, dir, framework, deps, &own, &parents, pom_text.is_some());
    draft.sources.extend(local);
    found.drafts.push(draft);
}

fn draft(
    scan: &Scan<'_, '_>,
    dir: &str,
    framework: &'static str,
    deps: BTreeSet<String>,
    own: &str,
    parents: &[(String, String)],
    maven: bool,
) -> Draft {
    let repo = scan.repo;
    let has = |needle: &str| {
        deps.iter().any(|d| d.contains(needle)) || (framework == "spring-boot" && own.contains(needle))
    };
    let web = framework != "spring-boot"
        || [
            "starter-web",
            "webflux",
            "starter-graphql",
            "starter-jersey",
            "cloud-starter-gateway",
            "config-server",
            "eureka-server",
            "boot-admin-starter-server",
            "starter-data-rest",
            "cloud-gateway",
            "starter-hateoas",
            "netflix-zuul",
            "cloud-starter-zuul",
            "turbine",
            "hystrix-dashboard",
            "vaadin-spring-boot-starter",
            "authorization-server",
            "starter-jetty",
            "starter-tomcat",
            "starter-undertow",
        ]
        .iter()
        .any(|w| has(w))
        || deps.is_empty();
    let name_hint = path::base(dir);
    let kind = if web && (has("starter-web") || !is_worker_name(name_hint)) {
        ServiceKind::Web
    } else {
        ServiceKind::Worker
    };
    let language =
        if repo.under(&path::join(dir, "src/main/kotlin")).next().is_some() { "kotlin" } else { "java" };
    let mut draft = Draft::new(dir, kind, language, Stack::Image);
    let file = if maven {
        path::join(dir, "pom.xml")
    } else {
        repo.first_of(dir, &["build.gradle", "build.gradle.kts"]).unwrap_or_default()
    };
    let artifact =
        TAG_ARTIFACT.captures(&PARENT.replace(own, "")).and_then(|c| c.get(1)).map(|m| m.as_str().to_owned());
    if dir.is_empty() {
        if let Some(name) = &artifact {
            draft.name.offer(name.clone(), 0.7, "java.name.artifact", At::find(repo, &file, name));
        }
    } else {
        draft.name.offer(path::base(dir), 0.6, "name.directory", At::nowhere());
    }
    let needle = if framework == "spring-boot" { "spring-boot" } else { framework };
    draft.framework.offer(framework, 0.95, &format!("java.{framework}"), At::find(repo, &file, needle));
    draft.why.offer(format!("{framework} application"), 0.9, "java.service", At::file(&file));
    let root = build_root(scan, dir, maven);
    let relative = path::relative(dir, &root).unwrap_or_default().to_owned();
    let (tool, confidence) = if maven { ("maven", 0.95) } else { ("gradle", 0.93) };
    draft.package_manager.offer(tool, confidence, "java.build_tool", At::file(&file));
    if maven && repo.first_of(dir, &["build.gradle", "build.gradle.kts"]).is_some() {
        draft.package_manager.offer("gradle", 0.8, "java.build_tool", At::nowhere());
    }
    version(repo, dir, &file, own, parents, &mut draft.version);
    let wrapper = repo.has(&path::join(&root, if maven { "mvnw" } else { "gradlew" }));
    let runner = match (maven, wrapper) {
        (true, true) => "./mvnw",
        (true, false) => "mvn",
        (false, true) => "./gradlew",
        (false, false) => "gradle",
    };
    let build = match (maven, relative.is_empty()) {
        (true, true) => format!("{runner} -B -DskipTests package"),
        (true, false) => format!("{runner} -B -pl {relative} -am -DskipTests package"),
        (false, true) => format!("{runner} build -x test"),
        (false, false) => format!("{runner} :{}:build -x test", relative.replace('/', ":")),
    };
    draft.build.offer(build, 0.85, "java.build", At::file(&file));
    draft.start.offer(
        start(framework, maven, own, artifact.as_deref(), &relative),
        0.6,
        "java.start",
        At::file(&file),
    );
    if kind == ServiceKind::Web {
        draft.port.offer(default_port(framework), 0.3, "java.port.default", At::nowhere());
    }
    if has("spring-boot-starter-actuator") {
        draft.health.offer("/actuator/health", 0.8, "java.actuator", At::find(repo, &file, "actuator"));
    }
    if has("smallrye-health") {
        draft.health.offer(
            "/q/health",
            0.8,
            "java.smallrye_health",
            At::find(repo, &file, "smallrye-health"),
        );
    }
    for (needle, name) in
        [("flyway", "flyway"), ("liquibase", "liquibase"), ("data-jpa", "jpa"), ("hibernate", "hibernate")]
    {
        if has(needle) {
            draft.also.insert(name.to_owned());
        }
    }
    draft.stack = Stack::Java(JavaFacts {
        root,
        gradle: !maven,
        wrapper,
        module: relative,
        quarkus: framework == "quarkus",
        deps,
    });
    draft
}

fn start(framework: &str, maven: bool, own: &str, artifact: Option<&str>, relative: &str) -> String {
    let prefix = if relative.is_empty() { String::new() } else { format!("{relative}/") };
    if framework == "quarkus" {
        return format!(
            "java -jar {prefix}{}/quarkus-app/quarkus-run.jar",
            if maven { "target" } else { "build" }
        );
    }
    if !maven {
        return format!("java -jar {prefix}build/libs/*.jar");
    }
    let text = PARENT.replace(own, "");
    let final_name = TAG_FINAL_NAME
        .captures(&text)
        .and_then(|c| c.get(1))
        .map(|m| m.as_str().to_owned())
        .filter(|n| !n.contains("${"));
    let version = TAG_VERSION
        .captures(&text)
        .and_then(|c| c.get(1))
        .map(|m| m.as_str().to_owned())
        .filter(|v| !v.contains("${"));
    match (final_name, artifact, version) {
        (Some(name), _, _) if relative.is_empty() => format!("java -jar target/{name}.jar"),
        (None, Some(artifact), Some(version)) if relative.is_empty() && own.find("<version>").is_some() => {
            format!("java -jar target/{artifact}-{version}.jar")
        }
        _ => format!("java -jar {prefix}target/*.jar"),
    }
}

fn default_port(framework: &str) -> u16 {
    match framework {
        "javalin" => 7070,
        "spark" => 4567,
        _ => 8080,
    }
}

fn build_root(scan: &Scan<'_, '_>, dir: &str, maven: bool) -> String {
    let kind = if maven { "maven" } else { "gradle" };
    let shown = path::shown(dir);
    let root = scan
        .workspaces
        .all
        .iter()
        .filter(|w| w.kind == kind && w.members.contains(&shown))
        .min_by_key(|w| path::depth(&w.path));
    root.map_or(dir.to_owned(), |w| if w.path == "." { String::new() } else { w.path.clone() })
}

fn parent_texts(repo: &Repo<'_>, dir: &str) -> Vec<(String, String)> {
    let mut list = Vec::new();
    let mut dir = dir;
    while !dir.is_empty() {
        dir = path::parent(dir);
        for name in ["pom.xml", "build.gradle", "build.gradle.kts", "gradle.properties"] {
            let file = path::join(dir, name);
            if let Some(text) = repo.read(&file) {
                list.push((file, text.to_owned()));
            }
        }
    }
    list
}

fn version(
    repo: &Repo<'_>,
    dir: &str,
    file: &str,
    own: &str,
    parents: &[(String, String)],
    field: &mut Field<String>,
) {
    let texts = std::iter::once((file.to_owned(), own.to_owned())).chain(parents.iter().cloned());
    for (rank, (file, text)) in (0_u8..).zip(texts) {
        let confidence = 0.93 - 0.02 * f32::from(rank.min(10));
        if let Some(found) = JAVA_PROPERTY.captures(&text).and_then(|c| c.get(2)) {
            let line = line_of(&text, found.as_str());
            let version = found.as_str().strip_prefix("1.").unwrap_or(found.as_str());
            field.offer(version, confidence, "java.version.maven", At { file: Some(file.clone()), line });
        }
        if let Some(found) = GRADLE_VERSION.captures(&text).and_then(|c| c.get(1)) {
            let version = found.as_str().trim_start_matches("1.").trim_start_matches("1_");
            field.offer(
                version,
                confidence - 0.01,
                "java.version.gradle",
                At { file: Some(file), line: None },
            );
        }
    }
    for (name, trim) in [(".java-version", ""), (".sdkmanrc", "java=")] {
        let path = path::join(dir, name);
        if let Some((version, line)) = repo.read(&path).and_then(super::node::version::first_line) {
            field.offer(version.trim_start_matches(trim), 0.85, "java.version.file", At::line(&path, line));
        }
    }
    if let Some((version, at)) = tool_versions(repo, dir, &["java"]) {
        field.offer(version, 0.84, "java.version.tool_versions", at);
    }
}

fn pom_dependencies(text: &str) -> BTreeSet<String> {
    let mut list = BTreeSet::new();
    let clean = remove_comments(text);
    for block in DEPENDENCY.captures_iter(&clean).filter_map(|c| c.get(1)) {
        let block = block.as_str();
        if block.contains("<scope>test</scope>") || block.contains("<scope>import</scope>") {
            continue;
        }
        let pick = |tag: &str| {
            let (_, rest) = block.split_once(&format!("<{tag}>"))?;
            Some(rest.split('<').next().unwrap_or_default().trim().to_owned())
        };
        if let (Some(group), Some(artifact)) = (pick("groupId"), pick("artifactId")) {
            list.insert(format!("{group}:{artifact}"));
        }
    }
    list
}

fn remove_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("<!--") {
        out.push_str(before);
        rest = after.split_once("-->").map_or("", |(_, tail)| tail);
    }
    out.push_str(rest);
    out
}

fn gradle_dependencies(text: &str) -> BTreeSet<String> {
    let found = GRADLE_DEP.captures_iter(text).filter_map(|c| c.get(1));
    found.map(|m| m.as_str().split(':').take(2).collect::<Vec<_>>().join(":")).collect()
}

/// Aliases of a Gradle version catalogue (`libs.spring.web`) that the build file uses.
fn catalog_dependencies(repo: &Repo<'_>, dir: &str, text: &str) -> BTreeSet<String> {
    let mut list = BTreeSet::new();
    let mut here = dir;
    loop {
        let file = path::join(here, "gradle/libs.versions.toml");
        if let Some(table) = repo.read(&file).and_then(|t| t.parse::<toml::Table>().ok()) {
            for (alias, value) in table.get("libraries").and_then(toml::Value::as_table).into_iter().flatten()
            {
                let module = value.get("module").and_then(toml::Value::as_str).or_else(|| value.as_str());
                let used = text.contains(&format!("libs.{}", alias.replace(['-', '_'], ".")));
                if let (Some(module), true) = (module, used) {
                    list.insert(module.split(':').take(2).collect::<Vec<_>>().join(":"));
                }
            }
        }
        if here.is_empty() {
            return list;
        }
        here = path::parent(here);
    }
}
