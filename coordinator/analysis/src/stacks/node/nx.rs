//! Nx: applications are `project.json` files; dependencies may stand only in the root manifest.
//!
//! One rule: the framework comes from the project's own executor and files, never from the root's dependency list alone.

use hydron_domain::analysis::ServiceKind;

use super::package::Package;
use super::rule::{self, Rule};
use super::{Product, judge};
use crate::draft::{Found, Stack};
use crate::field::At;
use crate::formats::json;
use crate::path;
use crate::repo::{Repo, Role};
use crate::stacks::Scan;

/// Finds Nx applications.
pub(crate) fn find(scan: &Scan<'_, '_>, found: &mut Found) {
    let repo = scan.repo;
    let Some(root) = scan.packages.iter().find(|p| repo.has(&path::join(&p.dir, "nx.json"))) else { return };
    let dirs: std::collections::BTreeSet<String> = repo
        .under(&root.dir)
        .filter(|f| f.role != Role::Vendored && f.name() == "project.json")
        .map(|f| f.dir().to_owned())
        .chain(
            repo.under(&path::join(&root.dir, "apps"))
                .filter(|f| f.name() == "package.json")
                .map(|f| f.dir().to_owned()),
        )
        .collect();
    for dir in dirs {
        let file = path::join(&dir, "project.json");
        let value = repo.read(&file).and_then(|t| json::parse(t).ok()).unwrap_or_default();
        let declared = json::text(&value, "projectType");
        let own = scan.packages.iter().find(|p| p.dir == dir);
        if own.is_some_and(|p| p.dir != root.dir && !p.deps.is_empty() && judge::framework(repo, p).is_some())
        {
            continue;
        }
        if declared == Some("library") {
            found.reject(&dir, "nx.library", "an Nx library");
            continue;
        }
        let application = declared == Some("application")
            || dir.starts_with("apps/")
            || path::parent(&dir) == path::join(&root.dir, "apps");
        if !application {
            continue;
        }
        let Some(rule) = framework(repo, root, &dir, &value) else {
            found.reject(
                &dir,
                "nx.no_target",
                "an Nx application without a build or serve target (tests or tooling)",
            );
            continue;
        };
        if repo.is_support(&dir) && dir != root.dir {
            found.reject(&dir, "nx.support", "an Nx project for tests or tooling");
            continue;
        }
        let draft = draft(scan, root, own, &dir, &value, rule);
        found.drafts.push(draft);
    }
}

fn framework(
    repo: &Repo<'_>,
    root: &Package,
    dir: &str,
    project: &serde_json::Value,
) -> Option<&'static Rule> {
    let targets = json::at(project, "targets").map(ToString::to_string).unwrap_or_default();
    let executor = |id: &str| targets.contains(id);
    let file = |names: &[&str]| repo.first_of(dir, names).is_some();
    let id = if executor("@nx/angular") || executor("@angular") || executor("@nrwl/angular") {
        "angular"
    } else if executor("@nx/next")
        || executor("@nrwl/next")
        || file(&["next.config.js", "next.config.ts", "next.config.mjs"])
    {
        "nextjs"
    } else if file(&["nuxt.config.ts"]) {
        "nuxt"
    } else if file(&["src/main.tsx", "src/main.jsx", "src/index.tsx"]) && root.has("react") {
        "react"
    } else if file(&["src/App.vue", "src/app/App.vue"]) {
        "vue"
    } else if file(&["src/main.ts", "src/main.js", "src/index.ts"])
        && !file(&["cypress.config.ts", "playwright.config.ts"])
    {
        let probe = Package { dir: dir.to_owned(), deps: root.deps.clone(), ..Package::default() };
        return rule::all().find(|r| {
            (r.imported || r.id == "nestjs")
                && r.packages.iter().any(|p| root.deps.contains(*p) && judge::imports(repo, &probe, p))
        });
    } else {
        return None;
    };
    rule::all().find(|r| r.id == id)
}

fn draft(
    scan: &Scan<'_, '_>,
    root: &Package,
    own: Option<&Package>,
    dir: &str,
    project: &serde_json::Value,
    rule: &'static Rule,
) -> crate::draft::Draft {
    let mut package = root.clone();
    dir.clone_into(&mut package.dir);
    if dir != root.dir {
        package.scripts.clear();
        package.main = None;
    }
    package.name =
        own.and_then(|p| p.name.clone()).or_else(|| json::text(project, "name").map(str::to_owned));
    let mut draft = super::draft(scan, &package, Some(rule));
    let name = json::text(project, "name").map_or_else(|| path::base(dir).to_owned(), str::to_owned);
    let file = path::join(dir, "project.json");
    let name = if name.is_empty() { "app".to_owned() } else { name };
    draft.name.offer(path::base(&name), 0.8, "nx.name", At::file(&file));
    draft.build.offer(format!("npx nx build {name}"), 0.95, "nx.build", At::file(&file));
    let options = json::at(project, "targets.build.options");
    let out = options.and_then(|o| json::text(o, "outputPath").or_else(|| json::text(o, "outputPath.base")));
    let out = out.map_or_else(
        || if dir.is_empty() { "dist".to_owned() } else { format!("dist/{dir}") },
        str::to_owned,
    );
    if draft.kind == ServiceKind::Static {
        draft.output_dir = crate::field::Field::default();
        draft.output_dir.offer(out.clone(), 0.8, "nx.output", At::find(scan.repo, &file, "outputPath"));
    } else if rule.imported || rule.id == "nestjs" {
        let main = options
            .and_then(|o| json::text(o, "main"))
            .map_or("main.js".to_owned(), |m| path::base(m).replace(".ts", ".js"));
        draft.start.offer(
            format!("node {out}/{main}"),
            0.9,
            "nx.start",
            At::find(scan.repo, &file, "outputPath"),
        );
    }
    if let Stack::Node(facts) = &mut draft.stack {
        facts.root.clone_from(&root.dir);
        facts.build_script = None;
        if let Product::Files { dir: product, .. } = &mut facts.product {
            product.clone_from(&out);
        }
    }
    draft
}
