//! Recipes for Node: manifests first, then build, then a slim image with only what runs.
//!
//! One rule: a workspace is installed from its root with every member's manifest; the service alone is built.

use hydron_domain::analysis::ServiceKind;

use super::text::{self, Lines, Recipe};
use super::{site, versions};
use crate::draft::Draft;
use crate::options::Options;
use crate::path;
use crate::repo::Repo;
use crate::stacks::node::{NodeFacts, Product};

/// Writes the recipe.
pub(crate) fn write(
    repo: &Repo<'_>,
    options: &Options,
    draft: &Draft,
    facts: &NodeFacts,
) -> Result<Recipe, String> {
    let version = versions::pick(options, draft, "node");
    let base = text::image(options, &format!("node:{version}-slim"));
    let inner = path::relative(&facts.package.dir, &facts.root).unwrap_or_default().to_owned();
    if !inner.is_empty() && !text::plain(&inner) {
        return Err(format!("the directory {inner:?} has characters that do not belong into a path"));
    }
    let workspace = !facts.members.is_empty();
    let mut out = Lines::default();
    out.push(format!("FROM {base} AS build"));
    out.push("WORKDIR /app");
    if facts.prisma.is_some() {
        out.maybe(text::apt(&["openssl", "ca-certificates"]));
    }
    tool(&mut out, facts);
    manifests(repo, &mut out, facts, workspace);
    install(options, &mut out, facts);
    out.push("COPY . .");
    for line in text::build_variables(draft) {
        out.push(line);
    }
    let mut steps = build(&mut out, draft, facts, &inner, workspace);
    if facts.product == Product::Server && facts.members.is_empty() {
        steps.extend(prune(facts.manager.name()).map(str::to_owned));
    }
    if !steps.is_empty() {
        out.push(format!("RUN {}", steps.join(" \\\n    && ")));
    }
    match &facts.product {
        Product::Files { dir, fallback } => {
            let source = if dir.starts_with("dist/")
                && !inner.is_empty()
                && draft.build.best().is_some_and(|b| b.rule == "nx.build")
            {
                format!("/app/{dir}")
            } else {
                format!("/app/{}", path::join(&inner, dir))
            };
            if !text::plain(&source) {
                return Err(format!(
                    "the output directory {dir:?} has characters that do not belong into a path"
                ));
            }
            out.gap();
            site::serve(options, &mut out, &source, Some("build"), *fallback);
        }
        Product::Bundle { dir } => bundle(repo, &mut out, &base, draft, facts, &inner, dir),
        Product::Server => server(&mut out, &base, draft, facts, &inner)?,
    }
    let context = facts.root.clone();
    Ok(Recipe {
        context,
        content: out.finish(),
        ignore: text::ignore(&[
            "node_modules",
            "**/node_modules",
            "dist",
            "build",
            ".next",
            ".output",
            ".turbo",
            "coverage",
        ]),
    })
}

/// The package manager itself, where the image does not bring it.
fn tool(out: &mut Lines, facts: &NodeFacts) {
    let version = facts.manager.version.as_deref().filter(|v| text::plain(v));
    match facts.manager.name() {
        "pnpm" => {
            let version = version.unwrap_or("10");
            out.push(format!("RUN npm install --global pnpm@{version}"));
        }
        "yarn" if facts.manager.berry => {
            out.push("RUN npm install --global --force corepack && corepack enable");
        }
        "yarn" => {
            out.push("RUN npm install --global --force yarn@1.22.22");
        }
        "bun" => {
            out.push("RUN npm install --global bun@1");
        }
        _ => {}
    }
}

fn manifests(repo: &Repo<'_>, out: &mut Lines, facts: &NodeFacts, workspace: bool) {
    let mut files = vec!["package.json".to_owned()];
    for name in [
        "package-lock.json",
        "npm-shrinkwrap.json",
        "pnpm-lock.yaml",
        "pnpm-workspace.yaml",
        "yarn.lock",
        ".yarnrc.yml",
        "bun.lock",
        "bun.lockb",
        ".npmrc",
        "lerna.json",
        "turbo.json",
    ] {
        if repo.has(&path::join(&facts.root, name)) {
            files.push(name.to_owned());
        }
    }
    out.push(format!("COPY {} ./", files.join(" ")));
    for dir in [".yarn", "patches"] {
        if repo.has_dir(&path::join(&facts.root, dir)) {
            out.push(format!("COPY {dir} ./{dir}"));
        }
    }
    if workspace {
        for member in facts
            .members
            .iter()
            .filter_map(|m| path::relative(m, &facts.root))
            .filter(|m| text::plain(m) && !m.is_empty())
        {
            if repo.has(&path::join(&facts.root, &path::join(member, "package.json"))) {
                out.push(format!("COPY {member}/package.json ./{member}/"));
            }
        }
    }
    if let Some(schema) = &facts.prisma
        && let Some(relative) = path::relative(schema, &facts.root).filter(|r| text::plain(r))
    {
        out.push(format!("COPY {relative} ./{relative}"));
    }
}

fn install(options: &Options, out: &mut Lines, facts: &NodeFacts) {
    let locked = facts.manager.lock.is_some();
    let (command, cache) = match (facts.manager.name(), locked) {
        ("pnpm", true) => ("pnpm install --frozen-lockfile", "/root/.local/share/pnpm/store"),
        ("pnpm", false) => ("pnpm install", "/root/.local/share/pnpm/store"),
        ("yarn", true) if facts.manager.berry => ("yarn install --immutable", "/root/.yarn/berry/cache"),
        ("yarn", true) => ("yarn install --frozen-lockfile", "/usr/local/share/.cache/yarn"),
        ("yarn", false) => ("yarn install", "/usr/local/share/.cache/yarn"),
        ("bun", true) => ("bun install --frozen-lockfile", "/root/.bun/install/cache"),
        ("bun", false) => ("bun install", "/root/.bun/install/cache"),
        (_, true) => ("npm ci", "/root/.npm"),
        (_, false) => ("npm install", "/root/.npm"),
    };
    out.push(text::run(options, &[cache], command));
}

/// Takes what only the build needed out of the dependencies.
fn prune(manager: &str) -> Option<&'static str> {
    match manager {
        "pnpm" => Some("CI=true pnpm prune --prod --ignore-scripts"),
        "npm" => Some("npm prune --omit=dev"),
        _ => None,
    }
}

/// The commands that build, one after the other.
fn build(out: &mut Lines, draft: &Draft, facts: &NodeFacts, inner: &str, workspace: bool) -> Vec<String> {
    let mut steps = Vec::new();
    if facts.prisma.is_some() {
        let schema =
            facts.prisma.as_deref().and_then(|s| path::relative(s, &facts.root)).filter(|s| text::plain(s));
        steps.push(format!(
            "npx prisma generate{}",
            schema.map(|s| format!(" --schema {s}")).unwrap_or_default()
        ));
    }
    let dummies: Vec<String> = draft
        .env
        .values()
        .filter(|e| e.required && e.default.is_none() && !e.build_time && text::plain(&e.name))
        .map(|e| format!("{}=build-only", e.name))
        .collect();
    let values =
        if matches!(draft.framework_name(), "nextjs" | "sveltekit" | "nuxt" | "astro" | "tanstack-start")
            && !dummies.is_empty()
        {
            format!("{} ", dummies.join(" "))
        } else {
            String::new()
        };
    let name = facts.package.name.as_deref().filter(|n| text::plain(n));
    let manager = facts.manager.name();
    if draft.framework_name() == "sveltekit"
        && !facts.package.has("@sveltejs/adapter-node")
        && facts.product == Product::Server
    {
        out.push("# The repository's adapter makes no server: this build uses adapter-node instead.");
        let add = match manager {
            "pnpm" => "pnpm add --save-dev",
            "yarn" => "yarn add --dev",
            "bun" => "bun add --dev",
            _ => "npm install --no-save --legacy-peer-deps",
        };
        steps.push(format!("{add} @sveltejs/adapter-node@5 && sed -i 's#@sveltejs/adapter-[a-z]*#@sveltejs/adapter-node#' svelte.config.js"));
    }
    let command = match (&facts.build_script, workspace && !inner.is_empty(), manager, name) {
        (Some(script), true, "pnpm", Some(name)) => {
            Some(format!("pnpm --filter \"{name}...\" run --if-present {script}"))
        }
        (Some(script), true, "yarn", Some(name)) => Some(format!("yarn workspace {name} run {script}")),
        (Some(script), true, _, Some(name)) => Some(format!("npm run {script} --workspace {name}")),
        (Some(script), true, _, None) => Some(format!("npm run {script} --workspace {inner}")),
        (Some(script), false, _, _) => Some(format!("{manager} run {script}")),
        (None, _, _, _) => draft.build.value().cloned(),
    };
    if let Some(command) = command {
        steps.push(format!("{values}{command}"));
    }
    steps
}

/// A self-contained server directory: Next.js standalone, Nuxt, Nitro.
fn bundle(
    repo: &Repo<'_>,
    out: &mut Lines,
    base: &str,
    draft: &Draft,
    facts: &NodeFacts,
    inner: &str,
    dir: &str,
) {
    let port = text::port(draft, 3000);
    out.gap().push(format!("FROM {base}"));
    out.maybe(text::apt(&["tini"]));
    out.push(format!("ENV NODE_ENV=production PORT={port} HOST=0.0.0.0 HOSTNAME=0.0.0.0 NITRO_PORT={port}"));
    out.push("WORKDIR /app");
    let here = path::join(inner, dir);
    let entry = if dir == ".next/standalone" {
        out.push(format!("COPY --from=build --chown=1000:1000 /app/{here} ./"));
        out.push(format!(
            "COPY --from=build --chown=1000:1000 /app/{} ./{}",
            path::join(inner, ".next/static"),
            path::join(inner, ".next/static")
        ));
        if repo.has_dir(&path::join(&facts.package.dir, "public")) {
            let public = path::join(inner, "public");
            out.push(format!("COPY --from=build --chown=1000:1000 /app/{public} ./{public}"));
        }
        path::join(inner, "server.js")
    } else {
        out.push(format!("COPY --from=build --chown=1000:1000 /app/{here} ./{dir}"));
        format!("{dir}/server/index.mjs")
    };
    finish(out, draft, port);
    out.push(text::INIT);
    out.push(format!("CMD {}", text::exec(&["node".to_owned(), entry])));
}

fn server(out: &mut Lines, base: &str, draft: &Draft, facts: &NodeFacts, inner: &str) -> Result<(), String> {
    let start = draft
        .start
        .best()
        .filter(|o| o.confidence >= 0.3)
        .map(|o| o.value.clone())
        .ok_or("no start command was found")?;
    let port = text::port(draft, 3000);
    out.gap().push(format!("FROM {base}"));
    let packages: &[&str] =
        if facts.prisma.is_some() { &["ca-certificates", "openssl", "tini"] } else { &["tini"] };
    out.maybe(text::apt(packages));
    let web = draft.kind == ServiceKind::Web;
    out.push(format!(
        "ENV NODE_ENV=production{}",
        if web { format!(" PORT={port} HOST=0.0.0.0 HOSTNAME=0.0.0.0") } else { String::new() }
    ));
    out.push("WORKDIR /app");
    out.push("COPY --from=build --chown=1000:1000 /app ./");
    if !inner.is_empty() {
        out.push(format!("WORKDIR /app/{inner}"));
    }
    finish(out, draft, port);
    out.push(text::INIT);
    out.push(text::cmd(&direct(&start, facts)));
    Ok(())
}

/// A start that would need the package manager is run by its own binary instead.
fn direct(start: &str, facts: &NodeFacts) -> String {
    let manager = facts.manager.name();
    let script = start.strip_prefix(manager).map(str::trim).map(|s| s.strip_prefix("run ").unwrap_or(s));
    if let Some(text) = script.and_then(|s| facts.package.script(s)) {
        let bare = crate::formats::command::unwrap(text);
        return if bare.starts_with("node ") { bare } else { local_bin(text) };
    }
    local_bin(start)
}

/// `next start` → `node_modules/.bin/next start`.
fn local_bin(command: &str) -> String {
    let first = command.split_whitespace().next().unwrap_or_default();
    let runtime = matches!(first, "node" | "npm" | "pnpm" | "yarn" | "bun" | "deno" | "sh" | "bash")
        || first.contains('/')
        || first.contains('=');
    if runtime || command.contains("&&") {
        if command.contains("&&") {
            format!("PATH=$PATH:node_modules/.bin; {command}")
        } else {
            command.to_owned()
        }
    } else {
        format!("node_modules/.bin/{command}")
    }
}

fn finish(out: &mut Lines, draft: &Draft, port: u16) {
    out.push("# The user that every Node image brings.").push("USER 1000:1000");
    if draft.kind != ServiceKind::Web {
        return;
    }
    out.push(format!("EXPOSE {port}"));
    let path = draft
        .health
        .best()
        .filter(|o| o.confidence >= 0.6)
        .map(|o| o.value.as_str())
        .filter(|p| text::plain(p));
    let probe = match path {
        Some(path) => format!(
            "fetch('http://127.0.0.1:'+(process.env.PORT||{port})+'{path}').then(r=>process.exit(r.status<500?0:1),()=>process.exit(1))"
        ),
        None => format!(
            "require('net').connect(process.env.PORT||{port},'127.0.0.1').on('connect',()=>process.exit(0)).on('error',()=>process.exit(1))"
        ),
    };
    out.push(format!(
        "{} CMD {}",
        text::HEALTH_OPTIONS,
        text::exec(&["node".to_owned(), "-e".to_owned(), probe])
    ));
}
