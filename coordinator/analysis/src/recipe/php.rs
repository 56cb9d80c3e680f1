//! Recipes for PHP: Composer, front-end assets if any, then FrankenPHP with the web root.
//!
//! One rule: the development server (`artisan serve`) never runs in production.

use super::text::{self, Lines, Recipe};
use super::versions;
use crate::draft::Draft;
use crate::options::Options;
use crate::stacks::php::PhpFacts;

/// Writes the recipe.
pub(crate) fn write(options: &Options, draft: &Draft, facts: &PhpFacts) -> Result<Recipe, String> {
    if !facts.web_root.is_empty() && !text::plain(&facts.web_root) {
        return Err("the web root has characters that do not belong into a path".to_owned());
    }
    let version = versions::pick(options, draft, "php");
    let base = text::image(options, &format!("dunglas/frankenphp:1-php{version}-bookworm"));
    let mut extensions: Vec<&str> = vec!["opcache", "intl", "zip"];
    for (kind, extension) in [
        ("postgres", "pdo_pgsql"),
        ("mysql", "pdo_mysql"),
        ("mariadb", "pdo_mysql"),
        ("sqlite", "pdo_sqlite"),
        ("redis", "redis"),
    ] {
        if draft.needs.contains_key(kind) {
            extensions.push(extension);
        }
    }
    extensions.extend(facts.extensions.iter().map(String::as_str).filter(|e| {
        text::plain(e)
            && !matches!(
                *e,
                "json"
                    | "ctype"
                    | "iconv"
                    | "pdo"
                    | "openssl"
                    | "mbstring"
                    | "tokenizer"
                    | "xml"
                    | "curl"
                    | "fileinfo"
                    | "filter"
                    | "hash"
                    | "session"
            )
    }));
    extensions.sort_unstable();
    extensions.dedup();
    let mut out = Lines::default();
    if facts.node_build {
        out.push(format!("FROM {} AS assets", text::image(options, "node:22-slim")))
            .push("WORKDIR /app")
            .push("COPY package*.json ./");
        out.push(text::run(options, &["/root/.npm"], "npm install"))
            .push("COPY . .")
            .push("RUN npm run build --if-present")
            .gap();
    }
    let production = "APP_ENV=production APP_DEBUG=0";
    out.push(format!("FROM {base} AS php"));
    out.push(format!("RUN install-php-extensions {}", extensions.join(" ")));
    out.gap().push("FROM php AS build");
    out.push("RUN install-php-extensions @composer");
    out.push("WORKDIR /app");
    out.push(format!("ENV {production} COMPOSER_ALLOW_SUPERUSER=1"));
    if !facts.deps.is_empty() {
        out.push("COPY composer.json composer.loc[k] ./");
        out.push(text::run(
            options,
            &["/root/.composer/cache"],
            "composer install --no-dev --no-scripts --no-autoloader --prefer-dist --no-interaction",
        ));
    }
    out.push("COPY . .");
    if facts.node_build && facts.laravel {
        out.push("COPY --from=assets /app/public ./public");
    }
    if !facts.deps.is_empty() {
        out.push("RUN composer dump-autoload --no-dev --optimize --classmap-authoritative --no-scripts");
    }
    out.gap().push("FROM php").push("WORKDIR /app").push("COPY --from=build /app ./");
    let writable = if facts.laravel { "storage bootstrap/cache" } else { "var" };
    out.push(format!(
        "RUN mkdir -p {writable} && chown -R {user} {writable} /data/caddy /config/caddy",
        user = text::USER
    ));
    out.push(format!("ENV SERVER_ROOT=/app/{} SERVER_NAME=:8000 {production}", facts.web_root));
    out.push(format!("USER {}", text::USER));
    out.push("EXPOSE 8000");
    let probe = "exit(@fsockopen('127.0.0.1', 8000) ? 0 : 1);".to_owned();
    out.push(format!(
        "{} CMD {}",
        text::HEALTH_OPTIONS,
        text::exec(&["php".to_owned(), "-r".to_owned(), probe])
    ));
    let root = if facts.web_root.is_empty() { "/app".to_owned() } else { format!("/app/{}", facts.web_root) };
    let words = ["frankenphp", "php-server", "--listen", ":8000", "--root", &root].map(str::to_owned);
    out.push(format!("CMD {}", text::exec(&words)));
    Ok(Recipe {
        context: facts.app_dir.clone(),
        content: out.finish(),
        ignore: text::ignore(&["vendor", "node_modules", "storage/logs", "var/cache", "var/log"]),
    })
}
