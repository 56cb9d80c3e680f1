//! Recipes for files: an unprivileged nginx with a small configuration of its own.
//!
//! One rule: dotfiles are never served, and the check needs only the shell.

use hydron_domain::analysis::ServiceKind;

use super::text::{self, Lines, Recipe, STATIC_PORT};
use crate::draft::Draft;
use crate::options::Options;
use crate::stacks::site::SiteFacts;

/// The web server's version, if the caller names none.
const NGINX: &str = "1.28";

/// Writes the recipe of a site without a Node build.
pub(crate) fn write(options: &Options, draft: &Draft, facts: SiteFacts) -> Result<Recipe, String> {
    let mut out = Lines::default();
    let output = draft.output_dir.value().map_or(".", String::as_str);
    if !text::plain(output) {
        return Err(format!("the output directory {output:?} has characters that do not belong into a path"));
    }
    match facts {
        SiteFacts::Plain => {
            serve(options, &mut out, output, None, false);
        }
        SiteFacts::Hugo { extended, modules, npm } => {
            hugo(options, &mut out, extended, modules, npm);
            serve(options, &mut out, "/src/public", Some("build"), false);
        }
        SiteFacts::Jekyll { gemfile } => {
            let base = text::image(options, "ruby:3.3");
            out.push(format!("FROM {base} AS build")).push("WORKDIR /src");
            if gemfile {
                out.push("COPY Gemfile Gemfile.loc[k] ./")
                    .push("RUN bundle install")
                    .push("COPY . .")
                    .push("RUN JEKYLL_ENV=production bundle exec jekyll build --destination /src/_site");
            } else {
                out.push("RUN gem install jekyll --no-document")
                    .push("COPY . .")
                    .push("RUN JEKYLL_ENV=production jekyll build --destination /src/_site");
            }
            serve(options, out.gap_owned(), "/src/_site", Some("build"), false);
        }
        SiteFacts::MkDocs => {
            let version = super::versions::pick(options, draft, "python");
            let base = text::image(options, &format!("python:{version}-slim"));
            out.push(format!("FROM {base} AS build"))
                .push("WORKDIR /src")
                .push("RUN pip install --no-cache-dir mkdocs-material");
            out.push("COPY . .").push("RUN mkdocs build --site-dir /src/site");
            serve(options, out.gap_owned(), "/src/site", Some("build"), false);
        }
    }
    debug_assert!(draft.kind == ServiceKind::Static);
    Ok(Recipe {
        context: draft.dir.clone(),
        content: out.finish(),
        ignore: text::ignore(&["node_modules", "public", "resources", "_site", "*.md"]),
    })
}

impl Lines {
    /// A gap, and the same lines again: keeps the calls above readable.
    fn gap_owned(&mut self) -> &mut Self {
        self.gap()
    }
}

fn hugo(options: &Options, out: &mut Lines, extended: bool, modules: bool, npm: bool) {
    let base = text::image(options, "hugomods/hugo:exts-0.148");
    out.push(format!("FROM {base} AS build")).push("WORKDIR /src");
    if npm {
        out.push("COPY package*.json ./").push("RUN npm ci || npm install");
    }
    out.push("COPY . .");
    let note = match (extended, modules) {
        (true, true) => "# The extended build compiles SCSS; Go fetches the modules.",
        (true, false) => "# The extended build compiles SCSS.",
        (false, _) => "# Plain Hugo would do; the extended build is a superset.",
    };
    out.push(note).push("RUN hugo --gc --minify --destination /src/public").gap();
}

/// The last stage: nginx with the files.
pub(crate) fn serve(options: &Options, out: &mut Lines, source: &str, stage: Option<&str>, fallback: bool) {
    let version = options.default_versions.get("nginx").map_or(NGINX, String::as_str);
    let base = text::image(options, &format!("nginx:{version}"));
    out.push(format!("FROM {base}"));
    // The dollar signs are nginx's.
    out.push("# hadolint ignore=SC2016");
    out.push(format!("RUN printf '%s\\n' {} > /etc/nginx/nginx.conf", configuration(fallback)));
    let from = stage.map_or(String::new(), |s| format!("--from={s} "));
    let source = if source == "." { ".".to_owned() } else { format!("{}/", source.trim_end_matches('/')) };
    out.push(format!("COPY {from}{source} /srv/www/"));
    out.push(format!("USER {}", text::USER));
    out.push(format!("EXPOSE {STATIC_PORT}"));
    let probe = "read -r pid < /tmp/nginx.pid && kill -0 \"$pid\"".to_owned();
    out.push(format!(
        "{} CMD {}",
        text::HEALTH_OPTIONS,
        text::exec(&["sh".to_owned(), "-c".to_owned(), probe])
    ));
    out.push("STOPSIGNAL SIGQUIT");
    out.push("ENTRYPOINT []");
    out.push("CMD [\"nginx\", \"-c\", \"/etc/nginx/nginx.conf\", \"-g\", \"daemon off;\"]");
}

/// The configuration, one quoted line after the other.
fn configuration(fallback: bool) -> String {
    let missing = if fallback { "/index.html" } else { "=404" };
    let lines = [
        "worker_processes auto;".to_owned(),
        "pid /tmp/nginx.pid;".to_owned(),
        "error_log stderr warn;".to_owned(),
        "events { worker_connections 1024; }".to_owned(),
        "http {".to_owned(),
        "  include /etc/nginx/mime.types;".to_owned(),
        "  default_type application/octet-stream;".to_owned(),
        "  access_log off;".to_owned(),
        "  sendfile on;".to_owned(),
        "  gzip on;".to_owned(),
        "  gzip_types text/css application/javascript application/json image/svg+xml;".to_owned(),
        "  client_body_temp_path /tmp/client; proxy_temp_path /tmp/proxy; fastcgi_temp_path /tmp/fastcgi;"
            .to_owned(),
        "  uwsgi_temp_path /tmp/uwsgi; scgi_temp_path /tmp/scgi;".to_owned(),
        "  server {".to_owned(),
        format!("    listen {STATIC_PORT};"),
        "    root /srv/www;".to_owned(),
        "    location ~ /\\.(?!well-known) { deny all; }".to_owned(),
        format!("    location / {{ try_files $uri $uri/ $uri.html {missing}; }}"),
        "  }".to_owned(),
        "}".to_owned(),
    ];
    let quoted: Vec<String> = lines.iter().map(|l| format!("'{l}'")).collect();
    quoted.join(" \\\n    ")
}
