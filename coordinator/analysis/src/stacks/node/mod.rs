//! JavaScript and TypeScript: from `package.json` to services.
//!
//! One rule: a script named `start` is a claim to be classified, never a command to be trusted.

pub(crate) mod backend;
pub(crate) mod entry;
pub(crate) mod judge;
pub(crate) mod manager;
pub(crate) mod meta;
pub(crate) mod nx;
pub(crate) mod output;
pub(crate) mod package;
pub(crate) mod rule;
pub(crate) mod site;
pub(crate) mod spa;
pub(crate) mod version;

use hydron_domain::analysis::ServiceKind;

use crate::draft::{Draft, Found, Stack};
use crate::field::At;
use crate::path;
use crate::repo::Repo;
use judge::Verdict;
use manager::Manager;
use package::Package;

use super::Scan;

/// What the recipe writer needs.
#[derive(Debug, Clone, Default)]
pub(crate) struct NodeFacts {
    pub(crate) package: Package,
    pub(crate) manager: Manager,
    /// Directory where dependencies are installed: the workspace root or the package's own.
    pub(crate) root: String,
    pub(crate) product: Product,
    /// The script that builds, if there is one.
    pub(crate) build_script: Option<String>,
    /// Path of a Prisma schema, if there is one.
    pub(crate) prisma: Option<String>,
    /// Members of the workspace whose manifests the installer needs.
    pub(crate) members: Vec<String>,
}

/// What the build makes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Product {
    /// A process; dependencies are needed at run time.
    #[default]
    Server,
    /// A self-contained server in one directory (`.next/standalone`, `.output`): no dependencies at run time.
    Bundle {
        /// Directory to copy.
        dir: String,
    },
    /// Files.
    Files {
        /// Directory, relative to the package.
        dir: String,
        /// Serve the index for unknown paths.
        fallback: bool,
    },
}

/// Finds services among the packages.
pub(crate) fn find(scan: &Scan<'_, '_>, found: &mut Found) {
    nx::find(scan, found);
    // A little more than will be described, so that the cap is seen and said.
    let most = scan.repo.caps().services * 2;
    for package in scan.packages {
        if found.drafts.len() > most {
            break;
        }
        match judge::judge(scan, package, found) {
            Verdict::Service(rule) => {
                let draft = draft(scan, package, rule);
                found.drafts.push(draft);
            }
            Verdict::Not { rule, reason } => found.reject(&package.dir, rule, reason),
            Verdict::Silent => {}
        }
    }
}

/// Builds the draft of one package.
pub(crate) fn draft(scan: &Scan<'_, '_>, package: &Package, rule: Option<&'static rule::Rule>) -> Draft {
    let repo = scan.repo;
    let kind = kind(package, rule);
    let manager = manager::decide(repo, scan.packages, package);
    let root = scan.workspaces.node_root(&package.dir).unwrap_or(&package.dir).to_owned();
    let mut facts = NodeFacts { package: package.clone(), manager, root, ..NodeFacts::default() };
    facts.members = scan.workspaces.members_of(&facts.root);
    facts.prisma = prisma(repo, package);
    let mut draft = Draft::new(&package.dir, kind, language(repo, package), Stack::Image);
    name(&mut draft, scan, package);
    if let Some(rule) = rule {
        let dependency = rule.packages.iter().find(|d| package.has(d)).copied().unwrap_or(rule.id);
        let at = At::find(repo, &package.file, &format!("\"{dependency}\""));
        draft.framework.offer(rule.id, 0.95, &format!("node.{}.dependency", rule.id), at);
    }
    also(&mut draft, package);
    version::offer(repo, scan.packages, package, &mut draft.version);
    draft.package_manager = facts.manager.field.clone();
    draft.why.offer(rule.map_or("program", |r| r.id), 0.9, "node.service", At::file(&package.file));
    output::decide(repo, &mut draft, &mut facts, rule);
    facts.build_script = build(&mut draft, &facts, rule, repo);
    entry::start(repo, &mut draft, &facts, rule);
    if draft.kind == ServiceKind::Web {
        draft.port.offer(rule.map_or(3000, |r| r.port), 0.3, "node.port.default", At::nowhere());
    }
    draft.sources.extend(scan.workspaces.local_libraries(scan.packages, package));
    draft.stack = Stack::Node(facts);
    draft
}

fn kind(package: &Package, rule: Option<&rule::Rule>) -> ServiceKind {
    let worker = super::is_worker_name(path::base(&package.dir))
        || package.short_name().is_some_and(super::is_worker_name);
    match rule {
        Some(rule) if rule.kind() == ServiceKind::Static => ServiceKind::Static,
        Some(rule) if worker && rule.imported => ServiceKind::Worker,
        None if worker => ServiceKind::Worker,
        Some(_) | None => ServiceKind::Web,
    }
}

fn name(draft: &mut Draft, scan: &Scan<'_, '_>, package: &Package) {
    if package.dir.is_empty() {
        if let Some(name) = package.short_name() {
            draft.name.offer(name, 0.7, "node.name.manifest", At::find(scan.repo, &package.file, "\"name\""));
        }
    } else {
        draft.name.offer(path::base(&package.dir), 0.6, "name.directory", At::nowhere());
    }
}

fn language(repo: &Repo<'_>, package: &Package) -> &'static str {
    let config =
        repo.first_of(&package.dir, &["tsconfig.json", "tsconfig.base.json", "tsconfig.app.json"]).is_some();
    if config || (package.has("typescript") && !repo.has(&path::join(&package.dir, "jsconfig.json"))) {
        "typescript"
    } else {
        "javascript"
    }
}

/// Libraries worth naming beside the framework.
const NOTABLE: [(&str, &str); 34] = [
    ("@prisma/client", "prisma"),
    ("prisma", "prisma"),
    ("drizzle-orm", "drizzle"),
    ("typeorm", "typeorm"),
    ("sequelize", "sequelize"),
    ("mongoose", "mongoose"),
    ("knex", "knex"),
    ("@mikro-orm/core", "mikro-orm"),
    ("objection", "objection"),
    ("kysely", "kysely"),
    ("react", "react"),
    ("vue", "vue"),
    ("svelte", "svelte"),
    ("vite", "vite"),
    ("vite-ssg", "vite-ssg"),
    ("webpack", "webpack"),
    ("@trpc/server", "trpc"),
    ("next-auth", "next-auth"),
    ("better-auth", "better-auth"),
    ("bullmq", "bullmq"),
    ("bull", "bull"),
    ("graphql", "graphql"),
    ("socket.io", "socket.io"),
    ("express", "express"),
    ("fastify", "fastify"),
    ("nodemailer", "nodemailer"),
    ("better-sqlite3", "better-sqlite3"),
    ("config", "node-config"),
    ("redux", "redux"),
    ("react-scripts", "create-react-app"),
    ("nx", "nx"),
    ("mysql2", "mysql2"),
    ("pg", "pg"),
    ("unocss", "unocss"),
];

fn also(draft: &mut Draft, package: &Package) {
    let framework = draft.framework_name().to_owned();
    let found = NOTABLE.iter().filter(|(dep, name)| package.has(dep) && *name != framework);
    draft.also.extend(found.map(|(_, name)| (*name).to_owned()));
}

/// Offers the build and names its script.
fn build(draft: &mut Draft, facts: &NodeFacts, rule: Option<&rule::Rule>, repo: &Repo<'_>) -> Option<String> {
    let package = &facts.package;
    let scripts = ["build:prod", "build:production", "build", "compile", "dist"];
    let script = scripts.iter().find(|s| package.scripts.contains_key(**s));
    let script = package.scripts.get_key_value("build").map(|(k, _)| k.as_str()).or(script.copied());
    if let Some(script) = script {
        let run = format!("{} run {script}", facts.manager.name());
        draft.build.offer(
            run,
            0.9,
            "node.build.script",
            At::find(repo, &package.file, &format!("\"{script}\"")),
        );
        return Some(script.to_owned());
    }
    if let Some(command) = rule.and_then(|r| r.build) {
        draft.build.offer(format!("npx {command}"), 0.5, "node.build.framework", At::nowhere());
    }
    None
}

fn prisma(repo: &Repo<'_>, package: &Package) -> Option<String> {
    if !package.has_any(&["prisma", "@prisma/client"]) {
        return None;
    }
    let direct =
        repo.first_of(&package.dir, &["prisma/schema.prisma", "src/prisma/schema.prisma", "schema.prisma"]);
    direct.or_else(|| repo.under(&package.dir).find(|f| f.extension() == "prisma").map(|f| f.path.clone()))
}
