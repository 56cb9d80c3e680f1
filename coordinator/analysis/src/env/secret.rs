//! Is a variable a secret, can its value be made, and is it part of every environment anyway?
//!
//! One rule: names are judged by their words; a URL is a secret when its kind carries credentials.

use hydron_domain::analysis::EnvGenerate;

/// Variables that every runtime has: never required.
const AMBIENT: [&str; 44] = [
    "NODE_ENV",
    "PORT",
    "HOST",
    "HOSTNAME",
    "CI",
    "PWD",
    "PATH",
    "TZ",
    "HOME",
    "USER",
    "SHELL",
    "LANG",
    "TERM",
    "TMPDIR",
    "TEMP",
    "EDITOR",
    "LC_ALL",
    "RAILS_ENV",
    "RACK_ENV",
    "APP_ENV",
    "DJANGO_SETTINGS_MODULE",
    "BUNDLE_GEMFILE",
    "DYNO",
    "DEBUG",
    "LOG_LEVEL",
    "RUST_LOG",
    "GOPATH",
    "PYTHONPATH",
    "RAILS_LOG_LEVEL",
    "RAILS_MAX_THREADS",
    "WEB_CONCURRENCY",
    "PIDFILE",
    "FLASK_ENV",
    "FLASK_DEBUG",
    "PYTHONUNBUFFERED",
    "DEBIAN_FRONTEND",
    "ENV",
    "ENVIRONMENT",
    "GITHUB_ACTIONS",
    "VERCEL",
    "NETLIFY",
    "RAILS_SERVE_STATIC_FILES",
    "RAILS_LOG_TO_STDOUT",
    "UID",
];

/// Whether a variable is part of the surroundings.
pub(crate) fn is_ambient(name: &str) -> bool {
    AMBIENT.contains(&name)
        || [
            "npm_", "VERCEL_", "RAILWAY_", "GITHUB_", "HEROKU_", "NETLIFY_", "RENDER_", "FLY_", "K_",
            "CF_PAGES",
        ]
        .iter()
        .any(|p| name.starts_with(p))
}

/// Prefixes of variables that end up in the browser.
const PUBLIC: [&str; 10] = [
    "NEXT_PUBLIC_",
    "VITE_",
    "REACT_APP_",
    "GATSBY_",
    "PUBLIC_",
    "NUXT_PUBLIC_",
    "EXPO_PUBLIC_",
    "VUE_APP_",
    "NG_APP_",
    "STORYBOOK_",
];

/// Whether a variable is compiled into what the browser loads.
pub(crate) fn is_public(name: &str) -> bool {
    PUBLIC.iter().any(|p| name.starts_with(p))
}

/// Whether a variable holds a secret, judged by its name and a value that was seen.
pub(crate) fn is_secret(name: &str, value: Option<&str>) -> bool {
    let upper = name.to_uppercase().replace('-', "_");
    let words: Vec<&str> = upper.split('_').filter(|w| !w.is_empty()).collect();
    let has = |list: &[&str]| words.iter().any(|w| list.contains(w));
    let ends = |list: &[&str]| list.iter().any(|s| upper.ends_with(s));
    if is_public(&upper) || value.is_some_and(is_flag) {
        return false;
    }
    let about = ends(&[
        "_LENGTH",
        "_EXPIRES_IN",
        "_EXPIRATION",
        "_EXPIRY",
        "_EXPIRE",
        "_EXPIRES",
        "_TTL",
        "_LIFETIME",
        "_ALLOWED",
        "_ENABLED",
        "_MINUTES",
        "_SECONDS",
        "_DAYS",
        "_HOURS",
        "_CLIENT_ID",
        "_PUBLISHABLE_KEY",
        "_PUBLIC_KEY",
        "_KEY_ID",
        "_PATH",
        "_FILE",
        "_DIR",
        "_NAME",
        "_HEADER",
        "_ALGORITHM",
        "_ALG",
        "_ISSUER",
        "_AUDIENCE",
        "_RESET",
        "_LIMIT",
        "_MIN",
        "_MAX",
        "_COUNT",
        "_ROUNDS",
        "_TIMEOUT",
        "_TYPE",
        "_PREFIX",
        "_SUFFIX",
        "_HINT",
        "_REGEX",
        "_POLICY",
        "_DISABLED",
        "_VERSION",
        "_SIZE",
        "_AGE",
        "_MODE",
        "_ENDPOINT",
        "_TOKEN_URL",
        "_PERIOD",
        "_RATE",
        "_LEEWAY",
        "_TIME",
        "_INTERVAL",
        "_PATTERN",
        "_FORMAT",
        "_PATHS",
        "_NAMES",
        "_KEYS_MAX",
        "_MAX_KEYS",
        "_SECRET_NAME",
        "_BACKEND",
        "_DRIVER",
        "_SCHEME",
        "_LOCATION",
        "_REGION",
    ]) || has(&["PASSWORDLESS", "HINTS"])
        || is_switch(&words)
        || upper.contains("LDAP") && ends(&["_EMAIL_KEY", "_NAME_KEY", "_USER_KEY", "_MAIL_KEY"]);
    if about {
        return false;
    }
    if has(&[
        "SECRET",
        "SECRETS",
        "PASSWORD",
        "PASSWD",
        "PASS",
        "PWD",
        "PASSPHRASE",
        "TOKEN",
        "TOKENS",
        "CREDENTIAL",
        "CREDENTIALS",
        "SALT",
        "HMAC",
        "APIKEY",
        "PRIVATE",
        "SEED",
        "PW",
    ]) && upper != "PWD"
        && upper != "OLDPWD"
    {
        return true;
    }
    if upper.contains("PASSWORD") || upper.contains("SECRET") || upper.contains("APIKEY") {
        return true;
    }
    if ends(&["_KEY", "ACCESS_KEY", "_KEYS", "_KEY_BASE", "_SIGNING"])
        && !ends(&["PARTITION_KEY", "SORT_KEY", "CACHE_KEY", "PRIMARY_KEY", "FOREIGN_KEY", "SITE_KEY"])
    {
        return true;
    }
    if upper == "KEY" || upper == "APP_KEY" {
        return true;
    }
    connection(&upper, &words, value)
}

/// `DISABLE_PASSWORD_LOGIN`, `ALLOW_SEED`, `AUTH_DISABLE_USERNAME_PASSWORD`: asked for yes or no.
fn is_switch(words: &[&str]) -> bool {
    let verb = |w: &&str| matches!(*w, "ALLOW" | "ENABLE" | "DISABLE" | "REQUIRE" | "SKIP");
    let question = |w: &&str| matches!(*w, "USE" | "IS" | "HAS" | "SHOULD" | "SHOW" | "HIDE" | "FORCE");
    words.iter().any(verb) || words.first().is_some_and(question)
}

fn is_flag(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "true" | "false" | "yes" | "no" | "on" | "off")
}

/// URLs that carry credentials: databases, brokers, mail, error trackers.
fn connection(upper: &str, words: &[&str], value: Option<&str>) -> bool {
    let address = words
        .last()
        .is_some_and(|w| matches!(*w, "URL" | "URI" | "DSN" | "CONNECTION" | "STRING" | "CONN" | "CONNSTR"))
        || upper.starts_with("CONNECTIONSTRINGS__");
    // `DB_CONNECTION=mysql` names a driver, not an address.
    if words.last() == Some(&"CONNECTION")
        && value.is_some_and(|v| v.chars().all(|c| c.is_ascii_alphanumeric()))
    {
        return false;
    }
    if let Some(value) = value.filter(|v| !v.is_empty()) {
        if value.starts_with("file:") || value.starts_with("sqlite") {
            return address && upper.contains("DATABASE");
        }
        if let Some((_, rest)) = value.split_once("://") {
            let authority = rest.split('/').next().unwrap_or_default();
            if authority.contains('@') && authority.contains(':') {
                return true;
            }
        }
    }
    let kinds = [
        "DATABASE",
        "DB",
        "POSTGRES",
        "POSTGRESQL",
        "PG",
        "MYSQL",
        "MARIADB",
        "MONGO",
        "MONGODB",
        "AMQP",
        "RABBITMQ",
        "DSN",
        "CONNECTION",
        "CONN",
        "JDBC",
        "MAILER",
        "SMTP",
    ];
    let plain_broker = value.is_some_and(|v| v.starts_with("redis://") && !v.contains('@'));
    address
        && !plain_broker
        && kinds.iter().any(|k| words.contains(k))
        && upper != "SENTRY_DSN"
        && !upper.ends_with("SENTRY_DSN")
}

/// How a value can be made, for secrets that only this program knows.
pub(crate) fn generate(name: &str, framework: &str) -> Option<EnvGenerate> {
    let upper = name.to_uppercase();
    if upper == "APP_KEY" && framework == "laravel" {
        return Some(EnvGenerate::LaravelKey);
    }
    if upper == "SECRET_KEY_BASE" {
        return Some(EnvGenerate::Hex64);
    }
    let outside = [
        "STRIPE",
        "GOOGLE",
        "GITHUB",
        "DISCORD",
        "AWS",
        "AZURE",
        "OPENAI",
        "OAUTH",
        "CLIENT",
        "TWILIO",
        "SENDGRID",
        "SMTP",
        "MAIL",
        "S3",
        "WEBHOOK",
        "API_KEY",
        "ACCESS",
        "RAILS_MASTER_KEY",
        "DATABASE",
        "DB_",
        "REDIS",
        "POSTGRES",
        "MYSQL",
        "MONGO",
        "LICENSE",
        "CLOUDINARY",
        "PUSHER",
        "RECAPTCHA",
        "TURNSTILE",
    ];
    if outside.iter().any(|o| upper.contains(o)) {
        return None;
    }
    let own = [
        "SECRET_KEY",
        "SESSION_SECRET",
        "JWT_SECRET",
        "AUTH_SECRET",
        "COOKIE_SECRET",
        "NEXTAUTH_SECRET",
        "APP_SECRET",
        "APP_KEY",
        "ENCRYPTION_KEY",
        "SIGNING_KEY",
        "CSRF",
        "_SALT",
        "SECRET",
    ];
    own.iter().any(|o| upper.contains(o)).then_some(EnvGenerate::Hex32)
}

/// Whether a value only shows the shape of a real one.
pub(crate) fn is_placeholder(value: &str) -> bool {
    let lower = value.to_lowercase();
    value.is_empty()
        || value.contains(['<', '>'])
        || value.starts_with('{') && value.ends_with('}')
        || (value.contains("${") || value.starts_with('$'))
        || [
            "changeme",
            "change-me",
            "change_me",
            "your",
            "xxx",
            "example",
            "placeholder",
            "replace",
            "todo",
            "secret",
            "password",
            "insert",
            "...",
            "dummy",
            "***",
            "sample",
            "test",
            "super",
            "fill",
            "redacted",
        ]
        .iter()
        .any(|p| lower.contains(p))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_is_secret() {
        for name in [
            "JWT_SECRET",
            "POSTGRES_PASSWORD",
            "STRIPE_SECRET_KEY",
            "OPENAI_API_KEY",
            "DATABASE_URL",
            "MONGO_URI",
            "RAILS_MASTER_KEY",
            "DB_PASS",
            "attempts_shared_secret",
            "sp_private_key",
            "MAILER_DSN",
            "SERVER_KEY_SEED",
            "PRISMA_DATABASE_URL",
        ] {
            assert!(is_secret(name, None), "{name}");
        }
        for name in [
            "PORT",
            "STRIPE_PUBLISHABLE_KEY",
            "GOOGLE_CLIENT_ID",
            "JWT_EXPIRES_IN",
            "TOKEN_EXPIRATION",
            "REDIS_HOST",
            "NEXT_PUBLIC_API_KEY",
            "KEYBOARD",
            "PASSWORD_LENGTH",
            "API_URL",
            "PWD",
            "AUTH_DISABLE_USERNAME_PASSWORD",
            "ALLOW_SEED",
            "S3_LIST_MAX_KEYS",
            "TOKEN_TIME",
            "PRIVATE_KEY_ROTATION_GRACE_PERIOD",
            "THROTTLE_PASS_RESET_PATTERN",
            "LDAP_EMAIL_KEY",
            "OIDC_PRIVATE_KEY_PATHS",
        ] {
            assert!(!is_secret(name, None), "{name}");
        }
        assert!(is_secret("DB_CONNECTION", Some("host=db user=a password=b")));
        assert!(!is_secret("DB_CONNECTION", Some("mysql")));
        assert!(is_secret("SOME_URL", Some("amqp://a:b@c")));
        assert!(!is_secret("CELERY_BROKER_URL", Some("redis://redis:6379/0")));
    }
}
