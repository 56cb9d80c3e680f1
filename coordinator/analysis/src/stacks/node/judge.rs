//! Is this `package.json` a service, and of which framework?
//!
//! One rule: every refusal carries its reason; a manifest that is only a helper of another stack is silent.

use super::package::Package;
use super::rule::{self, Rule};
use super::spa;
use crate::draft::Found;
use crate::formats::command;
use crate::path;
use crate::pattern::patterns;
use crate::repo::{Repo, Role};
use crate::stacks::Scan;

patterns! {
    SERVES = r"(?:createServer\s*\(|\.listen\s*\(|Bun\.serve\s*\(|Deno\.serve\s*\(|new\s+Worker\s*\()";
}

/// The judgement of one package.
pub(crate) enum Verdict {
    /// A service, with its framework if one is known.
    Service(Option<&'static Rule>),
    /// Not a service.
    Not { rule: &'static str, reason: String },
    /// Nothing to say: the directory's own stack decides.
    Silent,
}

/// Judges one package.
pub(crate) fn judge(scan: &Scan<'_, '_>, package: &Package, found: &Found) -> Verdict {
    let not = |rule, reason: &str| Verdict::Not { rule, reason: reason.to_owned() };
    if package.role_aux || (!package.dir.is_empty() && scan.repo.is_support(&package.dir)) {
        return not("node.support", "tests, docs, examples or tooling, not a part that is deployed");
    }
    if found.drafts.iter().any(|d| d.dir == package.dir && matches!(d.stack, crate::draft::Stack::Node(_))) {
        return Verdict::Silent;
    }
    if let Some(refusal) = not_for_servers(scan.repo, package) {
        return refusal;
    }
    if package.deps.is_empty() && package.dev.is_empty() && package.scripts.is_empty() {
        return not("node.descriptor", "the manifest has neither dependencies nor scripts");
    }
    let nx_root = scan.repo.has(&path::join(&package.dir, "nx.json"))
        && found.drafts.iter().any(|d| d.dir != package.dir && path::within(&d.dir, &package.dir));
    if nx_root {
        return Verdict::Silent;
    }
    let rule = framework(scan.repo, package);
    let hosted = found.drafts.iter().any(|d| path::within(&package.dir, &d.dir) && d.dir == package.dir);
    if hosted {
        return if rule.is_some_and(|r| r.imported) && starts_server(package) {
            Verdict::Service(rule)
        } else {
            Verdict::Silent
        };
    }
    if let Some(rule) = rule {
        if is_library(scan.repo, package, rule) {
            return not(
                "node.library",
                "a library: it has an entry for importers and no application of its own",
            );
        }
        if is_shared(scan, package) || spa::is_spa(rule) && is_part(scan, package) {
            return not("node.library", SHARED);
        }
        return Verdict::Service(Some(rule));
    }
    if is_workspace_root(scan, package) {
        return Verdict::Silent;
    }
    if package.has_bin && !starts_server(package) {
        return not("node.cli", "a command line program (`bin`) without a server");
    }
    if starts_server(package) && serves(scan.repo, package) {
        return if is_shared(scan, package) { not("node.library", SHARED) } else { Verdict::Service(None) };
    }
    if let Some(rule) = library_rule(scan, package) {
        return Verdict::Service(Some(rule));
    }
    not("node.no_server", "no framework, no page and no start script that runs a server")
}

/// The first rule that fits.
pub(crate) fn framework(repo: &Repo<'_>, package: &Package) -> Option<&'static Rule> {
    rule::all().find(|rule| fits(repo, package, rule))
}

fn fits(repo: &Repo<'_>, package: &Package, rule: &Rule) -> bool {
    let named = rule.packages.iter().copied();
    if rule.imported {
        let mut named = named
            .filter(|p| package.deps.contains(*p))
            .chain(rule.companions.iter().copied().filter(|p| package.deps.contains(*p)));
        return rule.packages.iter().any(|p| package.deps.contains(*p))
            && named.any(|p| imports(repo, package, p));
    }
    if spa::is_spa(rule) {
        return package.has_any(rule.packages) && spa::bundler(repo, package).is_some();
    }
    if !package.has_any(rule.packages) {
        return false;
    }
    match rule.id {
        "angular" => {
            repo.has(&path::join(&package.dir, "angular.json"))
                || repo.has(&path::join(&package.dir, "project.json"))
        }
        "nextjs" => has_pages(repo, package),
        "astro" | "nuxt" | "sveltekit" | "gatsby" => has_config_or_script(repo, package, rule.packages),
        "vitepress" | "docusaurus" | "vuepress" => !package.has_exports,
        _ => true,
    }
}

fn has_pages(repo: &Repo<'_>, package: &Package) -> bool {
    let dirs = ["pages", "app", "src/pages", "src/app"];
    let config = ["next.config.js", "next.config.ts", "next.config.mjs", "next.config.cjs"];
    package.scripts.values().any(|s| s.contains("next "))
        || repo.first_of(&package.dir, &config).is_some()
        || (dirs.iter().any(|d| repo.has_dir(&path::join(&package.dir, d))) && package.deps.contains("next"))
}

fn has_config_or_script(repo: &Repo<'_>, package: &Package, names: &[&str]) -> bool {
    let stems = ["astro.config", "nuxt.config", "svelte.config", "gatsby-config"];
    let config = repo.in_dir(&package.dir).any(|f| stems.iter().any(|s| f.name().starts_with(s)));
    let tool = |s: &String| {
        names.iter().any(|n| s.contains(path::base(n))) || s.contains("nuxi") || s.contains("vite")
    };
    config || package.scripts.values().any(tool)
}

/// Whether code of the package imports a module.
pub(crate) fn imports(repo: &Repo<'_>, package: &Package, module: &str) -> bool {
    let needles =
        [format!("'{module}'"), format!("\"{module}\""), format!("'{module}/"), format!("\"{module}/")];
    repo.under(&package.dir)
        .filter(|f| f.role == Role::Normal && is_code(f.extension()))
        .filter_map(|f| repo.text(f))
        .any(|text| needles.iter().any(|n| text.contains(n.as_str())))
        || package
            .scripts
            .values()
            .any(|s| s.split_whitespace().next().is_some_and(|w| w == module.trim_end_matches("-cli")))
}

/// Whether an extension is JavaScript or TypeScript.
pub(crate) fn is_code(extension: &str) -> bool {
    matches!(
        extension,
        "js" | "mjs" | "cjs" | "jsx" | "ts" | "mts" | "cts" | "tsx" | "vue" | "svelte" | "astro"
    )
}

fn not_for_servers(repo: &Repo<'_>, package: &Package) -> Option<Verdict> {
    let not = |rule, reason: &str| Some(Verdict::Not { rule, reason: reason.to_owned() });
    if package.has_any(&["expo", "react-native"]) && !package.has("react-native-web")
        || package.deps.contains("expo")
    {
        return not(
            "node.mobile",
            "a mobile app (Expo or React Native): it is shipped to stores, not to a server",
        );
    }
    // A page that can also run inside of a desktop shell knows the shell's interface; the shell brings its own tools.
    let shell = package.has("@tauri-apps/cli") || repo.has_dir(&path::join(&package.dir, "src-tauri"));
    if shell || package.has_any(&["electron", "electron-builder", "@electron-forge/cli"]) {
        return not("node.desktop", "a desktop app (Electron or Tauri)");
    }
    let manifest = ["manifest.json", "public/manifest.json", "src/manifest.json"];
    let extension = repo
        .first_of(&package.dir, &manifest)
        .and_then(|p| repo.read(&p))
        .is_some_and(|t| t.contains("manifest_version"));
    if extension
        || package.has_any(&["wxt", "@crxjs/vite-plugin", "webextension-polyfill", "plasmo", "@types/chrome"])
    {
        return not("node.extension", "a browser extension");
    }
    if package.engines.contains_key("vscode") {
        return not("node.vscode", "an editor extension");
    }
    None
}

fn is_library(repo: &Repo<'_>, package: &Package, rule: &Rule) -> bool {
    let app_script =
        ["start", "serve", "preview", "dev", "develop"].iter().any(|s| package.scripts.contains_key(*s));
    if rule.imported || rule.id == "nestjs" {
        let entry = super::entry::entry_file(repo, package).is_some();
        let published =
            (package.has_exports || package.main.is_some()) && !package.private && package.name.is_some();
        return !starts_server(package) && ((published && !entry) || !serves(repo, package));
    }
    if spa::is_spa(rule) {
        let published = package.has_exports && !package.scripts.contains_key("start");
        return published && !repo.has(&path::join(&package.dir, "index.html"))
            || !(app_script || package.scripts.contains_key("build"));
    }
    false
}

const SHARED: &str = "a library that other packages of the workspace are made of";

/// Whether another package of the workspace depends on this one.
fn is_used(scan: &Scan<'_, '_>, package: &Package) -> bool {
    let Some(name) = package.name.as_deref().filter(|_| !package.dir.is_empty()) else { return false };
    let uses = |p: &&Package| p.dir != package.dir && !p.role_aux && p.deps.contains(name);
    scan.workspaces.node_root(&package.dir).is_some() && scan.packages.iter().any(|p| uses(&p))
}

/// A package that is published with an entry for importers and that another package uses, without an image of its own.
fn is_shared(scan: &Scan<'_, '_>, package: &Package) -> bool {
    let published = !package.private && (package.has_exports || package.main.is_some());
    published && !scan.repo.has(&path::join(&package.dir, "Dockerfile")) && is_used(scan, package)
}

/// A page that nothing builds by itself and that another package takes in.
fn is_part(scan: &Scan<'_, '_>, package: &Package) -> bool {
    !package.scripts.keys().any(|s| s.contains("build") || s == "generate") && is_used(scan, package)
}

/// The framework of the workspace library that a package with an image of its own only starts.
fn library_rule(scan: &Scan<'_, '_>, package: &Package) -> Option<&'static Rule> {
    if !scan.repo.has(&path::join(&package.dir, "Dockerfile")) {
        return None;
    }
    let dirs = scan.workspaces.local_libraries(scan.packages, package);
    let direct =
        |p: &&Package| p.name.as_ref().is_some_and(|n| package.deps.contains(n)) && dirs.contains(&p.dir);
    scan.packages.iter().filter(direct).find_map(|p| framework(scan.repo, p).filter(|r| r.imported))
}

fn is_workspace_root(scan: &Scan<'_, '_>, package: &Package) -> bool {
    scan.workspaces.all.iter().any(|w| w.path == path::shown(&package.dir) && !w.members.is_empty())
}

/// Whether a script starts something in production, or `main` names a program.
pub(crate) fn starts_server(package: &Package) -> bool {
    let runs = |s: &str| {
        let bare = command::unwrap(s);
        command::parts(&bare).iter().any(|part| {
            let part = command::unwrap(part);
            let tool = crate::path::base(part.split_whitespace().next().unwrap_or_default());
            matches!(
                tool,
                "node"
                    | "nodemon"
                    | "ts-node"
                    | "ts-node-dev"
                    | "tsx"
                    | "bun"
                    | "pm2"
                    | "pm2-runtime"
                    | "nest"
                    | "fastify"
                    | "deno"
                    | "babel-node"
                    | "swc-node"
            )
        })
    };
    ["start:prod", "start", "serve", "start:production", "server", "dev", "start:dev"]
        .iter()
        .filter_map(|s| package.script(s))
        .any(runs)
}

fn serves(repo: &Repo<'_>, package: &Package) -> bool {
    repo.under(&package.dir)
        .filter(|f| f.role == Role::Normal && is_code(f.extension()))
        .filter_map(|f| repo.text(f))
        .any(|text| SERVES.is_match(text))
}
