//! Recipes for Rust: manifests with empty sources first, then the real build, then a slim image.
//!
//! One rule: the dependency layer is built from the lock file and manifests alone, so that code changes reuse it.

use super::go;
use super::text::{self, Lines, Recipe};
use super::versions;
use crate::draft::Draft;
use crate::options::Options;
use crate::path;
use crate::stacks::rust::RustFacts;

/// Writes the recipe.
pub(crate) fn write(options: &Options, draft: &Draft, facts: &RustFacts) -> Result<Recipe, String> {
    if !text::plain(&facts.package) || !text::plain(&facts.binary) {
        return Err("the package's name has characters that do not belong into a command".to_owned());
    }
    let version = versions::pick(options, draft, "rust");
    let base = text::image(options, &format!("rust:{version}-slim-bookworm"));
    let run_base = text::image(options, "debian:bookworm-slim");
    let port = text::port(draft, 8080);
    let build_packages: Vec<&str> = facts
        .libraries
        .iter()
        .map(|(b, _)| *b)
        .chain(if facts.libraries.is_empty() { None } else { Some("pkg-config") })
        .collect();
    let run_packages: Vec<&str> =
        facts.libraries.iter().map(|(_, r)| *r).chain(["ca-certificates", "tini"]).collect();
    let locked = if facts.has_lock { " --locked" } else { "" };
    let target = format!("cargo build --release{locked} --package {} --bin {}", facts.package, facts.binary);
    let mut out = Lines::default();
    out.push(format!("FROM {base} AS build"));
    out.maybe(text::apt(&build_packages));
    out.push("WORKDIR /src");
    if options.builder.cache_mounts {
        out.push("COPY . .");
        out.push(format!("RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \\\n    {target} && mkdir /out && cp target/release/{} /out/", facts.binary));
    } else if facts.members.is_empty() {
        out.push(if facts.has_lock { "COPY Cargo.toml Cargo.lock ./" } else { "COPY Cargo.toml ./" });
        out.push(format!("RUN mkdir src && echo 'fn main() {{}}' > src/main.rs && touch src/lib.rs && (cargo build --release{locked} || true) && rm -r src"));
        out.push("COPY . .");
        out.push(format!("RUN find src -name '*.rs' -exec touch {{}} + && {target} && mkdir /out && cp target/release/{} /out/", facts.binary));
    } else {
        dependencies(facts, locked, &mut out);
        out.push("COPY . .");
        out.push(format!("RUN find . -path ./target -prune -o -name '*.rs' -exec touch {{}} + \\\n    && {target} && mkdir /out && cp target/release/{} /out/", facts.binary));
    }
    out.gap().push(format!("FROM {run_base}"));
    out.maybe(text::apt(&run_packages));
    out.push("WORKDIR /app");
    out.push(format!("COPY --from=build /out/{} ./", facts.binary));
    let inner = path::relative(&draft.dir, &facts.root).unwrap_or_default().to_owned();
    for dir in facts.assets.iter().filter(|d| text::plain(d)) {
        out.push(format!("COPY {} ./{dir}", path::join(&inner, dir)));
    }
    if draft.framework_name() == "rocket" {
        out.push(format!("ENV ROCKET_ADDRESS=0.0.0.0 ROCKET_PORT={port}"));
    }
    go::tail(&mut out, draft, port);
    out.push(text::INIT);
    out.push(text::cmd(&go::start(draft, &facts.binary)));
    Ok(Recipe {
        context: facts.root.clone(),
        content: out.finish(),
        ignore: text::ignore(&["target", "**/target"]),
    })
}

/// The dependencies of a workspace as a layer of their own: every manifest beside an empty program, built once.
fn dependencies(facts: &RustFacts, locked: &str, out: &mut Lines) {
    let members: Vec<&str> = facts.members.iter().map(String::as_str).filter(|m| text::plain(m)).collect();
    out.push(if facts.has_lock { "COPY Cargo.toml Cargo.lock ./" } else { "COPY Cargo.toml ./" });
    for member in members.iter().filter(|m| **m != ".") {
        out.push(format!("COPY {member}/Cargo.toml ./{member}/"));
    }
    let all = members.join(" ");
    let stub = "mkdir -p \"$member/src\" && echo 'fn main() {}' > \"$member/src/main.rs\" && touch \"$member/src/lib.rs\"";
    out.push(format!(
        "RUN for member in {all}; do {stub}; done \\\n    && (cargo build --release{locked} --package {} || true) \\\n    && for member in {all}; do rm -r \"$member/src\"; done",
        facts.package
    ));
}
