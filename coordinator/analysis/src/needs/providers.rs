//! Configuration that decides which database is used: Prisma, drizzle, Django, Rails, Laravel, Symfony, Celery, knex.
//!
//! One rule: an active line decides; a commented one, or one behind a switch, never does.

use crate::draft::{Draft, Stack};
use crate::field::At;
use crate::formats::dotenv;
use crate::path;
use crate::pattern::patterns;
use crate::repo::{Repo, Role, line_at};

patterns! {
    PRISMA = r#"(?s)datasource\s+\w+\s*\{.*?provider\s*=\s*"(\w+)""#;
    DRIZZLE = r#"dialect\s*:\s*['"](\w+)['"]"#;
    DJANGO = r#"(?m)^[^#\n]*['"]ENGINE['"]\s*:\s*['"]django\.(?:db|contrib\.gis\.db)\.backends\.(\w+)['"]"#;
    DJANGO_URL = r"(?m)^[^#\n]*dj_database_url\.(?:config|parse)\(|(?m)^[^#\n]*env\.db(?:_url)?\(";
    RAILS = r"(?m)^\s*adapter:\s*(\w+)";
    TYPEORM = r#"type\s*:\s*['"](postgres|mysql|mariadb|sqlite|better-sqlite3|mongodb|mssql)['"]"#;
    SEQUELIZE = r#"dialect\s*:\s*['"](postgres|mysql|mariadb|sqlite|mssql)['"]"#;
    KNEX = r#"client\s*:\s*['"](pg|postgres|postgresql|mysql|mysql2|sqlite3|better-sqlite3|mssql)['"]"#;
    SQLALCHEMY = r#"(?m)^[^#\n]*['"](postgresql|postgres|mysql|sqlite)(?:\+\w+)?://"#;
    PY_SQLITE = r"(?m)^\s*import sqlite3|sqlite3\.connect\(";
    MAIL = r"(?m)^[^#\n]*(?:delivery_method\s*=\s*:smtp|smtp_settings\s*=)";
    NODE_SQLITE = r#"['"]node:sqlite['"]|['"]bun:sqlite['"]"#;
}

/// Offers what configuration decides.
pub(crate) fn offer(repo: &Repo<'_>, draft: &mut Draft) {
    match draft.stack.clone() {
        Stack::Node(_) => {
            node(repo, draft);
            config_default(repo, draft);
        }
        Stack::Python(facts) => python(repo, draft, facts.manage_dir.is_some()),
        Stack::Ruby(facts) if facts.rails => rails(repo, draft),
        Stack::Php(facts) => php(repo, draft, &facts.app_dir, facts.laravel),
        Stack::Java(_) => java(repo, draft),
        Stack::Rust(_) | Stack::Go(_) => default_url(repo, draft),
        Stack::Ruby(_) | Stack::Dotnet(_) | Stack::Site(_) | Stack::Image => {}
    }
}

/// The main profile's data source decides.
fn java(repo: &Repo<'_>, draft: &mut Draft) {
    patterns! {
        JDBC = r"(?m)^[^#\n%]*(?:url|jdbc)[^\n]*jdbc:(?:tc:)?(\w+):";
        DB_KIND = r"(?m)^\s*(?:quarkus\.datasource\.)?db-kind\s*[=:]\s*(\w+)";
    }
    for name in ["application.properties", "application.yml", "application.yaml"] {
        let file = path::join(&draft.dir, &format!("src/main/resources/{name}"));
        let Some(text) = repo.read(&file) else { continue };
        let found = DB_KIND.captures(text).or_else(|| JDBC.captures(text)).and_then(|c| c.get(1));
        if let Some(found) = found
            && let Some(kind) = kind(found.as_str())
        {
            decide(draft, kind, "data source", "needs.java", At::line(&file, line_at(text, found.start())));
            return;
        }
    }
}

/// Of several drivers, the one that a default URL in a configuration template or in code names.
fn default_url(repo: &Repo<'_>, draft: &mut Draft) {
    patterns! { URL = r#"(?m)^[^/\n]*['"](postgres|postgresql|mysql|sqlite)://"#; }
    let drivers =
        draft.needs.iter().filter(|(k, n)| n.driver && super::table::SQL.contains(&k.as_str())).count();
    if drivers < 2 {
        return;
    }
    let templates = repo.files().iter().filter(|f| {
        f.role == Role::Normal
            && matches!(f.extension(), "toml" | "rs" | "go")
            && (draft.owns(&f.path) || path::parent(&f.path).is_empty())
    });
    let mut kinds: Vec<(&'static str, At)> = Vec::new();
    for file in templates.filter(|f| f.name().contains("config") || f.path.contains("config")) {
        let Some(text) = repo.text(file) else { continue };
        let lines = text
            .lines()
            .filter(|l| {
                !(l.trim_start().starts_with('/')
                    || file.extension() == "toml" && l.trim_start().starts_with('#'))
            })
            .collect::<Vec<_>>()
            .join("\n");
        if let Some(found) = URL.captures(&lines).and_then(|c| c.get(1))
            && let Some(kind) = kind(found.as_str())
        {
            kinds.push((kind, At::file(&file.path)));
        }
    }
    let distinct: std::collections::BTreeSet<&str> = kinds.iter().map(|(k, _)| *k).collect();
    if let (1, Some((kind, at))) = (distinct.len(), kinds.first()) {
        decide(draft, kind, "default database URL", "needs.default_url", at.clone());
    }
}

/// `config/default.yml` and its like: a `client` or `dialect` key with a database's name.
fn config_default(repo: &Repo<'_>, draft: &mut Draft) {
    for name in ["config/default.yml", "config/default.yaml", "config/default.json"] {
        let file = path::join(&draft.dir, name);
        let Some(text) = repo.read(&file) else { continue };
        let value = crate::formats::yaml::parse(text).unwrap_or_default();
        for (key, leaf) in crate::formats::yaml::leaves(&value) {
            let last = key.rsplit('.').next().unwrap_or_default();
            if matches!(last, "client" | "dialect" | "driver" | "type" | "engine")
                && let Some(kind) = kind(&leaf)
            {
                decide(
                    draft,
                    kind,
                    "default configuration",
                    "needs.config_default",
                    At::find(repo, &file, &leaf),
                );
            }
        }
    }
}

fn kind(word: &str) -> Option<&'static str> {
    Some(match word {
        "postgresql" | "postgres" | "pg" | "postgis" | "cockroachdb" | "postgresql_psycopg2" => "postgres",
        "mysql" | "mysql2" | "trilogy" => "mysql",
        "mariadb" => "mariadb",
        "sqlite" | "sqlite3" | "better-sqlite3" | "libsql" | "turso" | "spatialite" => "sqlite",
        "mongodb" => "mongodb",
        "sqlserver" | "mssql" => "mssql",
        _ => return None,
    })
}

fn decide(draft: &mut Draft, kind: &str, reason: &str, rule: &str, at: At) {
    let need = draft.need(kind);
    need.required = true;
    need.driver = true;
    need.reasons.offer(reason, 0.95, rule, at);
}

fn node(repo: &Repo<'_>, draft: &mut Draft) {
    let files: Vec<_> = repo.owned(draft).filter(|f| f.role == Role::Normal).collect();
    let mut typed: Vec<(&'static str, At)> = Vec::new();
    for file in files {
        let prisma = file.extension() == "prisma";
        let drizzle = file.name().starts_with("drizzle.config");
        let knex = file.name().starts_with("knexfile");
        let code = matches!(file.extension(), "ts" | "js" | "mjs" | "cjs");
        if !(prisma || drizzle || code || knex) {
            continue;
        }
        let Some(text) = repo.text(file) else { continue };
        let pick = |re: &regex::Regex| {
            re.captures(text)
                .and_then(|c| c.get(1))
                .map(|m| (kind(m.as_str()), At::line(&file.path, line_at(text, m.start()))))
        };
        if prisma {
            if let Some((Some(kind), at)) = pick(&PRISMA) {
                decide(draft, kind, "prisma provider", "needs.prisma", at);
            }
        } else if drizzle {
            if let Some((Some(kind), at)) = pick(&DRIZZLE) {
                decide(draft, kind, "drizzle dialect", "needs.drizzle", at);
            }
        } else {
            let orm = [(&*TYPEORM, "typeorm"), (&*SEQUELIZE, "sequelize"), (&*KNEX, "knex")];
            for (pattern, word) in orm {
                if (text.contains(word) || word == "knex" && (knex || text.contains("Knex")))
                    && let Some((Some(kind), at)) = pick(pattern)
                {
                    typed.push((kind, at));
                }
            }
            if text.contains(":sqlite") && NODE_SQLITE.is_match(text) {
                draft.need("sqlite").driver = true;
                draft.need("sqlite").reasons.offer(
                    "node:sqlite",
                    0.7,
                    "needs.node_sqlite",
                    At::file(&file.path),
                );
            }
        }
    }
    let kinds: std::collections::BTreeSet<&str> = typed.iter().map(|(k, _)| *k).collect();
    if let (1, Some((kind, at))) = (kinds.len(), typed.first()) {
        decide(draft, kind, "ORM configuration", "needs.orm", at.clone());
    }
}

fn python(repo: &Repo<'_>, draft: &mut Draft, django: bool) {
    let files: Vec<_> =
        repo.owned(draft).filter(|f| f.role == Role::Normal && f.extension() == "py").collect();
    let mut engines: Vec<(&'static str, At)> = Vec::new();
    let mut by_url = false;
    for file in files {
        let Some(text) = repo.text(file) else { continue };
        if django
            && file.path.contains("settings")
            && text.contains("EMAIL_HOST")
            && draft.env.contains_key("EMAIL_HOST")
        {
            let need = draft.need("smtp");
            need.driver = true;
            need.required = true;
            need.reasons.offer(
                "EMAIL_HOST in the settings",
                0.7,
                "needs.django_mail",
                At::find(repo, &file.path, "EMAIL_HOST"),
            );
        }
        if django && file.path.contains("settings") {
            for found in DJANGO.captures_iter(text).filter_map(|c| c.get(1)) {
                if let Some(kind) = kind(found.as_str()) {
                    engines.push((kind, At::line(&file.path, line_at(text, found.start()))));
                }
            }
            by_url |= DJANGO_URL.is_match(text);
        }
        if !django {
            let urls = if text.contains("://") { text } else { "" };
            for found in SQLALCHEMY.captures_iter(urls).filter_map(|c| c.get(1)).take(8) {
                if let Some(kind) = kind(found.as_str()) {
                    let packaged = draft
                        .needs
                        .iter()
                        .any(|(k, n)| n.driver && super::table::SQL.contains(&k.as_str()) && k != kind);
                    let need = draft.need(kind);
                    need.driver |= !packaged;
                    need.alternative |= packaged && need.image.is_none();
                    need.reasons.offer(
                        "database URL in code",
                        0.72,
                        "needs.sqlalchemy",
                        At::line(&file.path, line_at(text, found.start())),
                    );
                }
            }
            if text.contains("sqlite3") && PY_SQLITE.is_match(text) {
                draft.need("sqlite").driver = true;
                draft.need("sqlite").reasons.offer(
                    "sqlite3 module",
                    0.7,
                    "needs.sqlite3",
                    At::file(&file.path),
                );
            }
        }
    }
    let kinds: std::collections::BTreeSet<&str> = engines.iter().map(|(k, _)| *k).collect();
    let only_sqlite = kinds.len() == 1 && kinds.contains("sqlite");
    for (kind, at) in &engines {
        let need = draft.need(kind);
        need.driver = true;
        need.reasons.offer("Django database engine", 0.9, "needs.django", at.clone());
        if kinds.len() == 1 && !(only_sqlite && by_url) {
            need.required = true;
        }
        if only_sqlite && by_url {
            need.required = true;
        }
    }
    if kinds.len() > 1 {
        for kind in kinds {
            draft.need(kind).alternative = true;
        }
    }
}

fn rails(repo: &Repo<'_>, draft: &mut Draft) {
    let names = [
        "config/database.yml",
        "config/database.yml.sample",
        "config/database.yml.example",
        "config/database.example.yml",
    ];
    let Some(file) = repo.first_of(&draft.dir, &names) else { return };
    let Some(text) = repo.read(&file) else { return };
    if let Some(found) = RAILS.captures(text).and_then(|c| c.get(1))
        && let Some(kind) = kind(found.as_str())
    {
        decide(
            draft,
            kind,
            "database.yml adapter",
            "needs.rails",
            At::line(&file, line_at(text, found.start())),
        );
    }
    let settings = path::join(&draft.dir, "config");
    let initializers =
        repo.under(&settings).filter(|f| f.extension() == "rb").filter(|f| f.role == Role::Normal);
    let smtp = initializers.filter_map(|f| Some((f, repo.text(f)?))).find(|(_, t)| MAIL.is_match(t));
    if let Some((file, _)) = smtp {
        let need = draft.need("smtp");
        need.driver = true;
        need.required = true;
        need.reasons.offer("SMTP settings", 0.8, "needs.rails_smtp", At::file(&file.path));
    }
}

/// Laravel and Symfony: the committed example or defaults file says which driver is active.
fn php(repo: &Repo<'_>, draft: &mut Draft, dir: &str, laravel: bool) {
    let names = [".env.example", ".env", ".env.dist"];
    let Some(file) = repo.first_of(dir, &names) else { return };
    let all = dotenv::parse(repo.read(&file).unwrap_or_default());
    let active = |name: &str| all.iter().rev().find(|a| a.name == name && !a.commented);
    if laravel {
        let connection = active("DB_CONNECTION").map(|a| (a.value.clone(), a.line));
        let legacy =
            active("DB_HOST").or_else(|| active("DB_DATABASE")).map(|a| ("mysql".to_owned(), a.line));
        if let Some((value, line)) = connection.or(legacy)
            && let Some(kind) = kind(if value == "pgsql" { "postgres" } else { &value })
        {
            decide(draft, kind, "DB_CONNECTION", "needs.laravel", At::line(&file, line));
        }
        for (name, wanted) in [
            ("CACHE_STORE", "redis"),
            ("CACHE_DRIVER", "redis"),
            ("QUEUE_CONNECTION", "redis"),
            ("QUEUE_DRIVER", "redis"),
            ("SESSION_DRIVER", "redis"),
        ] {
            if let Some(one) = active(name).filter(|a| a.value == wanted) {
                decide(draft, "redis", name, "needs.laravel", At::line(&file, one.line));
            }
        }
    } else if let Some(url) = active("DATABASE_URL")
        && let Some(kind) = super::table::kind_of_url(&url.value)
    {
        decide(draft, kind, "DATABASE_URL", "needs.symfony", At::line(&file, url.line));
    }
    if let Some(scout) = active("SCOUT_DRIVER").filter(|a| a.value != "meilisearch")
        && let Some(need) = draft.needs.get_mut("meilisearch")
    {
        need.alternative = true;
        need.reasons.offer(
            format!("SCOUT_DRIVER={}", scout.value),
            0.6,
            "needs.scout",
            At::line(&file, scout.line),
        );
    }
    let mailer_off = active("MAILER_DSN").is_none_or(|a| a.value.starts_with("null:"))
        && active("MAIL_MAILER").is_none_or(|a| a.value != "smtp");
    if mailer_off && let Some(need) = draft.needs.get_mut("smtp") {
        need.alternative = true;
    }
    // The framework's stock configuration names every driver; without an active line they are not used.
    if laravel {
        for kind in ["redis", "memcached", "s3", "smtp", "stripe"] {
            if draft.needs.get(kind).is_some_and(|n| !n.required && n.image.is_none()) {
                draft.needs.remove(kind);
            }
        }
    }
}
