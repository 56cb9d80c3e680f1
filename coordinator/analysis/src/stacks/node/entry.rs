//! How a Node service is started in production.
//!
//! One rule: a script is unwrapped and classified first; `main` counts only if the file exists or the build makes it.

use hydron_domain::analysis::ServiceKind;

use super::package::Package;
use super::rule::{Makes, Rule};
use super::{NodeFacts, Product};
use crate::draft::Draft;
use crate::field::At;
use crate::formats::command;
use crate::path;
use crate::pattern::patterns;
use crate::repo::Repo;

patterns! {
    TS_RUN = r"(?:ts-node(?:-dev)?|tsx|nodemon|node|swc-node)(?:\s+(?:watch|--?[\w-]+(?:[= ](?:ts-node/register|tsconfig-paths/register|dotenv/config|@swc-node/register|esbuild-register))?))*\s+([\w./-]+\.[cm]?[jt]s|[\w./-]+)";
    OUT_DIR = r#""outDir"\s*:\s*"([^"]+)""#;
    ROOT_DIR = r#""rootDir"\s*:\s*"([^"]+)""#;
}

/// Offers start commands.
pub(crate) fn start(repo: &Repo<'_>, draft: &mut Draft, facts: &NodeFacts, rule: Option<&Rule>) {
    if draft.kind == ServiceKind::Static || matches!(facts.product, Product::Files { .. }) {
        return;
    }
    let package = &facts.package;
    let fixed = rule
        .filter(|r| !r.imported && r.id != "nestjs" && matches!(r.makes, Makes::Server))
        .and_then(|r| r.start);
    let named = ["start:prod", "start:production", "serve:prod", "start", "serve", "server"];
    for (rank, name) in (0_u8..).zip(named) {
        let Some(script) = package.script(name) else { continue };
        let at = At::find(repo, &package.file, &format!("\"{name}\""));
        let confidence = 0.85 - 0.02 * f32::from(rank);
        for part in command::parts(script).into_iter().rev() {
            let bare = command::unwrap(part);
            if is_preparation(&bare) || bare.is_empty() {
                continue;
            }
            let dev = command::is_dev(part) || command::is_dev(&bare);
            let shown = if bare.starts_with("node ") || fixed.is_some() || is_tool(&bare) {
                bare
            } else {
                format!("{} {}", facts.manager.name(), run(name))
            };
            draft.start.offer(
                shown,
                if dev { 0.15 } else { confidence },
                &format!("node.start.script.{name}"),
                at,
            );
            break;
        }
    }
    if let Some(start) = fixed {
        draft.start.offer(
            start,
            if draft.start.confidence() > 0.5 { 0.6 } else { 0.75 },
            "node.start.framework",
            At::nowhere(),
        );
        if let Product::Bundle { dir } = &facts.product {
            let inner = path::relative(&package.dir, &facts.root).filter(|i| !i.is_empty());
            let entry = match (dir.as_str(), inner) {
                (".output", _) => "node .output/server/index.mjs".to_owned(),
                (_, Some(inner)) => format!("node {inner}/server.js"),
                (_, None) => "node server.js".to_owned(),
            };
            draft.start.offer(entry, 0.9, "node.start.bundle", At::nowhere());
        }
        return;
    }
    if let Some((file, confidence, rule)) = entry_file(repo, package) {
        draft.start.offer(format!("node {file}"), confidence, rule, At::file(&package.file));
    }
    if let Some(start) = rule.and_then(|r| r.start) {
        draft.start.offer(start, 0.55, "node.start.framework", At::nowhere());
    }
}

fn run(name: &str) -> String {
    if name == "start" { name.to_owned() } else { format!("run {name}") }
}

fn is_tool(command: &str) -> bool {
    [
        "next ",
        "nuxt ",
        "tsx ",
        "bun ",
        "remix-serve",
        "react-router-serve",
        "pm2-runtime",
        "strapi ",
        "keystone ",
    ]
    .iter()
    .any(|t| command.starts_with(t))
}

fn is_preparation(part: &str) -> bool {
    let words: Vec<&str> = part.split_whitespace().collect();
    let builds = words.iter().any(|w| {
        w.contains("build")
            || w.contains("migrate")
            || w.contains("compile")
            || matches!(*w, "generate" | "install" | "ci" | "lint" | "seed" | "tsc" | "deploy")
    });
    builds && !words.first().is_some_and(|w| *w == "node" && words.len() == 2)
}

/// The file that Node runs: what a development script runs, `main`, or a conventional name. With its confidence and rule.
pub(crate) fn entry_file(repo: &Repo<'_>, package: &Package) -> Option<(String, f32, &'static str)> {
    let here = |f: &str| repo.has(&path::join(&package.dir, f));
    for name in ["start", "dev", "start:dev", "serve", "develop", "server"] {
        let script = package.script(name).unwrap_or_default();
        let Some(found) = command::parts(script).into_iter().rev().find_map(|p| TS_RUN.captures(p)) else {
            continue;
        };
        let file = found.get(1).map_or("", |m| m.as_str()).trim_start_matches("./");
        for candidate in
            [file.to_owned(), format!("{file}.js"), format!("{file}/index.js"), format!("{file}.ts")]
        {
            if here(&candidate) && candidate.contains('.') {
                return Some((compiled(repo, package, &candidate), 0.72, "node.start.dev_script_entry"));
            }
        }
    }
    if let Some(main) = package.main.as_deref() {
        let main = main.trim_start_matches("./");
        for candidate in [main.to_owned(), format!("{main}.js"), format!("{main}/index.js")] {
            if here(&candidate) && candidate.contains('.') {
                return Some((compiled(repo, package, &candidate), 0.7, "node.start.main"));
            }
        }
        if ["dist/", "build/", "out/", "lib/"].iter().any(|d| main.starts_with(d))
            && package.scripts.contains_key("build")
        {
            return Some((main.to_owned(), 0.6, "node.start.main_built"));
        }
    }
    let names = [
        "server.js",
        "app.js",
        "index.js",
        "main.js",
        "src/index.js",
        "src/server.js",
        "src/app.js",
        "src/main.js",
        "src/main.ts",
        "src/server.ts",
        "src/index.ts",
        "src/app.ts",
        "server.ts",
        "index.ts",
        "app.ts",
        "main.ts",
        "server/index.js",
        "server/index.ts",
        "bin/www",
        "server.mjs",
        "index.mjs",
        "src/index.mjs",
    ];
    let found = names.iter().find(|n| here(n))?;
    Some((compiled(repo, package, found), 0.5, "node.start.convention"))
}

/// Where the compiler puts a TypeScript file.
fn compiled(repo: &Repo<'_>, package: &Package, file: &str) -> String {
    let Some(stem) = file.strip_suffix(".ts").or_else(|| file.strip_suffix(".mts")) else {
        return file.to_owned();
    };
    let config = repo
        .first_of(&package.dir, &["tsconfig.build.json", "tsconfig.json"])
        .and_then(|p| repo.read(&p))
        .unwrap_or_default();
    let pick = |re: &regex::Regex| {
        re.captures(config)
            .and_then(|c| c.get(1))
            .map(|m| m.as_str().trim_start_matches("./").trim_end_matches('/').to_owned())
    };
    let out = pick(&OUT_DIR).unwrap_or_else(|| "dist".to_owned());
    let root = pick(&ROOT_DIR).unwrap_or_else(|| "src".to_owned());
    let inner = stem.strip_prefix(&format!("{root}/")).unwrap_or(stem);
    if out == "." || out.is_empty() { format!("{stem}.js") } else { format!("{out}/{inner}.js") }
}
