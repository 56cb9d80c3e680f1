//! Recipes for Ruby: gems into a layer of their own, assets compiled without secrets.
//!
//! One rule: `SECRET_KEY_BASE_DUMMY` lets assets compile; no key ever stands in the image.

use hydron_domain::analysis::ServiceKind;

use super::text::{self, Lines, Recipe};
use super::versions;
use crate::draft::Draft;
use crate::options::Options;
use crate::stacks::ruby::RubyFacts;

/// Writes the recipe.
pub(crate) fn write(options: &Options, draft: &Draft, facts: &RubyFacts) -> Result<Recipe, String> {
    let version = versions::pick(options, draft, "ruby");
    let base = text::image(options, &format!("ruby:{version}-slim"));
    let start = draft
        .start
        .best()
        .filter(|o| o.confidence >= 0.3)
        .map(|o| o.value.clone())
        .ok_or("no start command was found")?;
    let port = text::port(draft, 3000);
    let has = |g: &str| facts.gems.contains(g);
    let mut build = vec!["build-essential", "git", "libyaml-dev", "pkg-config"];
    let mut run = vec!["libjemalloc2"];
    for (gem, dev, lib) in [
        ("pg", "libpq-dev", "libpq5"),
        ("mysql2", "default-libmysqlclient-dev", "libmariadb3"),
        ("sqlite3", "libsqlite3-dev", "libsqlite3-0"),
        ("image_processing", "libvips-dev", "libvips42"),
    ] {
        if has(gem) {
            build.push(dev);
            run.push(lib);
        }
    }
    if facts.node {
        build.extend(["nodejs", "npm"]);
    }
    let mut out = Lines::default();
    out.push(format!("FROM {base} AS build"));
    out.maybe(text::apt(&build)).push("WORKDIR /app");
    out.push("ENV BUNDLE_DEPLOYMENT=1 BUNDLE_PATH=/usr/local/bundle BUNDLE_WITHOUT=development:test RAILS_ENV=production RACK_ENV=production");
    out.push("COPY Gemfile Gemfile.loc[k] .ruby-versio[n] ./");
    let frozen = if facts.has_lock { "" } else { "BUNDLE_DEPLOYMENT=0 " };
    out.push(text::run(options, &["/usr/local/bundle/cache"], &format!("{frozen}bundle install")));
    if facts.node {
        out.push("COPY package*.json yarn.loc[k] ./").push("RUN npm install");
    }
    out.push("COPY . .");
    if facts.rails && facts.assets {
        out.push("RUN SECRET_KEY_BASE_DUMMY=1 bundle exec rails assets:precompile");
    }
    out.gap().push(format!("FROM {base}"));
    out.maybe(text::apt(&run)).push("WORKDIR /app");
    out.push(format!("ENV BUNDLE_DEPLOYMENT=1 BUNDLE_PATH=/usr/local/bundle BUNDLE_WITHOUT=development:test RAILS_ENV=production RACK_ENV=production RAILS_LOG_TO_STDOUT=1 PORT={port}"));
    out.push("COPY --from=build /usr/local/bundle /usr/local/bundle");
    out.push(format!("COPY --from=build --chown={} /app ./", text::USER));
    out.push(format!("USER {}", text::USER));
    if draft.kind == ServiceKind::Web {
        out.push(format!("EXPOSE {port}"));
        let probe =
            format!("require 'socket'; TCPSocket.new('127.0.0.1', ENV.fetch('PORT', '{port}').to_i).close");
        out.push(format!(
            "{} CMD {}",
            text::HEALTH_OPTIONS,
            text::exec(&["ruby".to_owned(), "-e".to_owned(), probe])
        ));
    }
    out.push(text::cmd(&start));
    Ok(Recipe {
        context: draft.dir.clone(),
        content: out.finish(),
        ignore: text::ignore(&["log", "tmp", "node_modules", "config/master.key", "storage"]),
    })
}
