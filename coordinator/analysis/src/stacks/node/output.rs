//! What the build makes: a server, a self-contained bundle, or files, and where.
//!
//! One rule: the configuration decides (`output: 'export'`, an adapter, `outDir`), the framework's default only fills in.

use hydron_domain::analysis::{Finding, FindingCode, ServiceKind, Severity};

use super::rule::{Makes, Rule};
use super::{NodeFacts, Product, spa};
use crate::draft::Draft;
use crate::field::At;
use crate::formats::json;
use crate::path;
use crate::pattern::patterns;
use crate::repo::Repo;

patterns! {
    OUT_DIR = r#"outDir\s*:\s*(?:path\.\w+\(\s*__dirname\s*,\s*)?['"`]([^'"`]+)['"`]"#;
    EXPORT = r#"output\s*:\s*['"]export['"]"#;
    STANDALONE = r#"output\s*:\s*[^,\n]*['"]standalone['"]"#;
    ADAPTER = r"@sveltejs/adapter-(\w+)";
    SSR_FALSE = r"ssr\s*:\s*false";
    ASTRO_SERVER = r#"output\s*:\s*['"](?:server|hybrid)['"]"#;
    ELEVENTY_OUT = r#"output\s*:\s*['"]([^'"]+)['"]"#;
    NITRO_PRESET = r#"preset\s*:\s*['"]([\w-]+)['"]"#;
}

/// Decides the product and the output directory.
pub(crate) fn decide(repo: &Repo<'_>, draft: &mut Draft, facts: &mut NodeFacts, rule: Option<&Rule>) {
    let dir = facts.package.dir.clone();
    let config = |stems: &[&str]| config_text(repo, &dir, stems);
    let Some(rule) = rule else { return };
    match rule.id {
        "nextjs" => next(draft, facts, config(&["next.config"]).as_ref()),
        "nuxt" => nuxt(draft, facts, config(&["nuxt.config"]).as_ref()),
        "sveltekit" => sveltekit(repo, draft, facts, config(&["svelte.config", "vite.config"]).as_ref()),
        "tanstack-start" | "solid-start" | "nitro" => {
            facts.product = Product::Bundle { dir: ".output".to_owned() }
        }
        "remix" | "react-router" => {
            let config = config(&["react-router.config", "remix.config", "vite.config"]);
            if let Some((file, _)) = config.filter(|(_, t)| SSR_FALSE.is_match(t)) {
                files(draft, facts, "build/client", true, At::find(repo, &file, "ssr"));
            }
        }
        "astro" => astro(repo, draft, facts, config(&["astro.config"]).as_ref()),
        "angular" => angular(repo, draft, facts),
        "eleventy" => {
            let config = config(&["eleventy.config", ".eleventy"]);
            let out = config.as_ref().and_then(|(_, t)| ELEVENTY_OUT.captures(t)).and_then(|c| c.get(1));
            files(draft, facts, out.map_or("_site", |m| m.as_str()), false, At::nowhere());
        }
        _ => match rule.makes {
            Makes::Server => {}
            Makes::Files { fallback } => {
                let bundled = spa::bundler(repo, &facts.package).map(|(name, out)| {
                    draft.also.insert(name.to_owned());
                    out
                });
                let default = bundled.or(rule.output).unwrap_or("dist");
                let config = config(&["vite.config", "vue.config", "rsbuild.config", "webpack.config"]);
                let set = config
                    .as_ref()
                    .and_then(|(f, t)| Some((f.clone(), OUT_DIR.captures(t)?.get(1)?.as_str().to_owned())));
                match set {
                    Some((file, out)) => files(
                        draft,
                        facts,
                        out.trim_start_matches("./"),
                        fallback,
                        At::find(repo, &file, "outDir"),
                    ),
                    None => files(draft, facts, default, fallback, At::nowhere()),
                }
            }
        },
    }
}

fn files(draft: &mut Draft, facts: &mut NodeFacts, dir: &str, fallback: bool, at: At) {
    draft.kind = ServiceKind::Static;
    let seen = at.file.is_some();
    draft.output_dir.offer(dir.trim_end_matches('/'), if seen { 0.9 } else { 0.6 }, "node.output", at);
    facts.product = Product::Files { dir: dir.trim_end_matches('/').to_owned(), fallback };
}

fn next(draft: &mut Draft, facts: &mut NodeFacts, config: Option<&(String, String)>) {
    let Some((file, text)) = config else { return };
    if EXPORT.is_match(text) {
        files(draft, facts, "out", false, At::file(file));
    } else if STANDALONE.is_match(text) || text.contains("standalone") {
        facts.product = Product::Bundle { dir: ".next/standalone".to_owned() };
    }
}

fn nuxt(draft: &mut Draft, facts: &mut NodeFacts, config: Option<&(String, String)>) {
    let generates = facts
        .package
        .script("build")
        .is_some_and(|s| s.contains("nuxt generate") || s.contains("nuxi generate"));
    let preset = config
        .and_then(|(_, t)| NITRO_PRESET.captures(t))
        .and_then(|c| c.get(1))
        .map(|m| m.as_str().to_owned());
    if generates || preset.as_deref() == Some("static") {
        files(draft, facts, ".output/public", true, At::nowhere());
    } else {
        facts.product = Product::Bundle { dir: ".output".to_owned() };
    }
}

fn sveltekit(repo: &Repo<'_>, draft: &mut Draft, facts: &mut NodeFacts, config: Option<&(String, String)>) {
    let Some((file, text)) = config else { return };
    let adapter = ADAPTER.captures(text).and_then(|c| c.get(1)).map_or("auto", |m| m.as_str());
    match adapter {
        "static" => files(draft, facts, "build", text.contains("fallback"), At::file(file)),
        "node" => {}
        other => repo.note(Finding {
            severity: Severity::Warning,
            code: FindingCode::NeedsChange,
            service: Some(path::shown(&draft.dir)),
            message: format!("{file} uses adapter-{other}: the build makes no Node server"),
            advice: "Use @sveltejs/adapter-node; the generated Dockerfile does this for its own build."
                .to_owned(),
            file: Some(file.clone()),
            line: crate::repo::line_of(text, "adapter-"),
        }),
    }
}

fn astro(repo: &Repo<'_>, draft: &mut Draft, facts: &mut NodeFacts, config: Option<&(String, String)>) {
    let server = config.is_some_and(|(_, t)| ASTRO_SERVER.is_match(t)) || facts.package.has("@astrojs/node");
    if !server {
        files(draft, facts, "dist", false, At::nowhere());
        return;
    }
    draft.kind = ServiceKind::Web;
    let at = config.map_or_else(At::nowhere, |(f, _)| At::find(repo, f, "output"));
    draft.start.offer("node ./dist/server/entry.mjs", 0.9, "node.astro.server", at);
    draft.port.offer(4321_u16, 0.4, "node.astro.port", At::nowhere());
}

fn angular(repo: &Repo<'_>, draft: &mut Draft, facts: &mut NodeFacts) {
    let file = path::join(&facts.package.dir, "angular.json");
    let Some(value) = repo.read(&file).and_then(|t| json::parse(t).ok()) else {
        files(draft, facts, "dist", true, At::nowhere());
        return;
    };
    let projects = json::keys(&value, "projects");
    let default = json::text(&value, "defaultProject").map(str::to_owned);
    let is_app = |p: &&String| {
        value
            .get("projects")
            .and_then(|v| v.get(p.as_str()))
            .and_then(|v| v.get("projectType"))
            .and_then(|v| v.as_str())
            != Some("library")
    };
    let project = default.or_else(|| projects.iter().find(is_app).cloned()).unwrap_or_default();
    let build = value
        .get("projects")
        .and_then(|v| v.get(&project))
        .and_then(|v| json::at(v, "architect.build").or_else(|| json::at(v, "targets.build")));
    let options = build.and_then(|b| b.get("options"));
    let builder = build.and_then(|b| json::text(b, "builder")).unwrap_or_default();
    let path = options.and_then(|o| o.get("outputPath"));
    let base = path
        .and_then(|p| p.as_str().or_else(|| json::text(p, "base")))
        .map_or_else(|| format!("dist/{project}"), str::to_owned);
    let application = builder.ends_with(":application");
    let browser =
        path.and_then(|p| json::text(p, "browser")).unwrap_or(if application { "browser" } else { "" });
    let out = if browser.is_empty() { base.clone() } else { format!("{base}/{browser}") };
    let ssr = options.and_then(|o| o.get("ssr")).is_some_and(|s| s.as_bool() != Some(false))
        && facts.package.has("@angular/ssr");
    if ssr {
        draft.kind = ServiceKind::Web;
        draft.start.offer(
            format!("node {base}/server/server.mjs"),
            0.85,
            "node.angular.ssr",
            At::find(repo, &file, "\"ssr\""),
        );
        return;
    }
    files(draft, facts, &out, true, At::find(repo, &file, "outputPath"));
}

/// The first configuration file with one of these stems, and its text.
pub(crate) fn config_text(repo: &Repo<'_>, dir: &str, stems: &[&str]) -> Option<(String, String)> {
    for stem in stems {
        for extension in ["js", "ts", "mjs", "cjs", "mts"] {
            let path = path::join(dir, &format!("{stem}.{extension}"));
            if let Some(text) = repo.read(&path) {
                return Some((path, text.to_owned()));
            }
        }
    }
    None
}
