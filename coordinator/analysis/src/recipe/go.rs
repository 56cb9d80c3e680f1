//! Recipes for Go: modules first, a static binary, a slim image.
//!
//! One rule: C is linked only where a driver needs it, and then against the same Debian release that runs it.

use hydron_domain::analysis::ServiceKind;

use super::text::{self, Lines, Recipe};
use super::versions;
use crate::draft::Draft;
use crate::options::Options;
use crate::stacks::go::GoFacts;

/// Writes the recipe.
pub(crate) fn write(options: &Options, draft: &Draft, facts: &GoFacts) -> Result<Recipe, String> {
    if !text::plain(&facts.package) || !text::plain(&facts.binary) {
        return Err("the main package's path has characters that do not belong into a path".to_owned());
    }
    let version = versions::pick(options, draft, "go");
    let base = text::image(options, &format!("golang:{version}-bookworm"));
    let run_base = text::image(options, "debian:bookworm-slim");
    let cache: &[&str] = &["/go/pkg/mod", "/root/.cache/go-build"];
    let port = text::port(draft, 8080);
    let mut out = Lines::default();
    out.push(format!("FROM {base} AS build")).push("WORKDIR /src");
    if facts.has_module {
        out.push(if facts.has_sum { "COPY go.mod go.sum ./" } else { "COPY go.mod ./" });
        out.push(text::run(options, cache, "go mod download"));
    }
    out.push("COPY . .");
    if !facts.has_module {
        out.push("RUN go mod init app && go mod tidy");
    }
    let cgo = u8::from(facts.cgo);
    out.push(format!("ENV CGO_ENABLED={cgo}"));
    out.push(text::run(
        options,
        cache,
        &format!("go build -trimpath -ldflags=\"-s -w\" -o /out/{} {}", facts.binary, facts.package),
    ));
    out.gap().push(format!("FROM {run_base}"));
    out.maybe(text::apt(&["ca-certificates"]));
    out.push("WORKDIR /app");
    out.push(format!("COPY --from=build /out/{} ./", facts.binary));
    for dir in facts.assets.iter().filter(|d| text::plain(d)) {
        out.push(format!("COPY {dir} ./{dir}"));
    }
    tail(&mut out, draft, port);
    out.push(text::cmd(&start(draft, &facts.binary)));
    Ok(Recipe {
        context: facts.module_dir.clone(),
        content: out.finish(),
        ignore: text::ignore(&["bin", "tmp", "node_modules"]),
    })
}

/// The lines before the command that all compiled programs share.
pub(crate) fn tail(out: &mut Lines, draft: &Draft, port: u16) {
    out.push(format!("RUN chown {} /app", text::USER));
    out.push(format!("USER {}", text::USER));
    if draft.kind == ServiceKind::Web {
        out.push(format!("ENV PORT={port}"));
        out.push(format!("EXPOSE {port}"));
        out.push(text::bash_health(port));
    }
    out.push("STOPSIGNAL SIGTERM");
}

/// The author's start if it runs this binary, else the binary alone.
pub(crate) fn start(draft: &Draft, binary: &str) -> String {
    let own = draft.start.best().filter(|o| o.confidence > 0.65).map(|o| o.value.clone());
    let program = format!("./{binary}");
    match own {
        Some(text) => {
            let (first, rest) = text.split_once(' ').map_or((text.as_str(), ""), |(f, r)| (f, r));
            if first.rsplit('/').next() == Some(binary) {
                format!("{program} {rest}").trim().to_owned()
            } else {
                program
            }
        }
        None => program,
    }
}
