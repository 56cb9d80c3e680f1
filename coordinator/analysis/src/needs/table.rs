//! Dependency kinds: which variables and URLs mean which.
//!
//! One rule: names are compared whole; a package that merely contains `redis` says nothing.

/// Kinds that hold the program's tables: normally one of them.
pub(crate) const SQL: [&str; 8] =
    ["postgres", "mysql", "mariadb", "sqlite", "mssql", "h2", "hsqldb", "oracle"];

/// Whether a kind lives inside the program.
pub(crate) fn is_embedded(kind: &str) -> bool {
    matches!(kind, "sqlite" | "h2" | "hsqldb")
}

/// Whether a kind is given by an outside provider rather than by a container of ours.
pub(crate) fn is_external(kind: &str) -> bool {
    kind.starts_with("oauth-")
        || kind.ends_with("-api")
        || kind == "oidc-idp"
        || matches!(
            kind,
            "stripe"
                | "s3"
                | "smtp"
                | "openai"
                | "anthropic"
                | "sentry"
                | "twilio"
                | "sendgrid"
                | "oidc"
                | "auth0"
                | "clerk"
                | "firebase"
                | "supabase"
                | "cloudinary"
                | "pusher"
                | "algolia"
                | "paypal"
                | "resend"
                | "mailgun"
                | "google"
                | "slack"
                | "discord"
                | "azure-storage"
                | "gcs"
        )
}

/// The kind a URL's scheme names.
pub(crate) fn kind_of_url(value: &str) -> Option<&'static str> {
    let (scheme, _) = value.split_once("://").or_else(|| value.split_once(':'))?;
    let scheme = scheme.trim_start_matches("jdbc:").to_lowercase();
    let scheme = if value.starts_with("jdbc:") {
        value.trim_start_matches("jdbc:").split(':').next()?.to_lowercase()
    } else {
        scheme
    };
    let base = scheme.split('+').next()?;
    Some(match base {
        "postgres" | "postgresql" | "psql" | "postgis" => "postgres",
        "mysql" | "mysql2" => "mysql",
        "mariadb" => "mariadb",
        "sqlite" | "sqlite3" => "sqlite",
        "mongodb" => "mongodb",
        "redis" | "rediss" | "valkey" => "redis",
        "amqp" | "amqps" => "rabbitmq",
        "kafka" => "kafka",
        "nats" => "nats",
        "sqlserver" | "mssql" => "mssql",
        "memcached" | "memcache" => "memcached",
        _ => return None,
    })
}

/// The kind a variable's name names.
pub(crate) fn kind_of_name(name: &str) -> Option<&'static str> {
    let upper = name.to_uppercase();
    let words: Vec<&str> = upper.split(['_', '-']).filter(|w| !w.is_empty()).collect();
    let has = |w: &str| words.contains(&w);
    let kinds = [
        ("POSTGRES", "postgres"),
        ("POSTGRESQL", "postgres"),
        ("PGHOST", "postgres"),
        ("PGDATABASE", "postgres"),
        ("PGUSER", "postgres"),
        ("PGPASSWORD", "postgres"),
        ("MYSQL", "mysql"),
        ("MARIADB", "mariadb"),
        ("MONGO", "mongodb"),
        ("MONGODB", "mongodb"),
        ("REDIS", "redis"),
        ("VALKEY", "redis"),
        ("RABBITMQ", "rabbitmq"),
        ("AMQP", "rabbitmq"),
        ("KAFKA", "kafka"),
        ("ELASTICSEARCH", "elasticsearch"),
        ("ELASTIC", "elasticsearch"),
        ("OPENSEARCH", "opensearch"),
        ("MEILI", "meilisearch"),
        ("MEILISEARCH", "meilisearch"),
        ("MEMCACHED", "memcached"),
        ("CLICKHOUSE", "clickhouse"),
        ("NATS", "nats"),
        ("STRIPE", "stripe"),
        ("OPENAI", "openai"),
        ("ANTHROPIC", "anthropic"),
        ("SENTRY", "sentry"),
        ("SMTP", "smtp"),
        ("TWILIO", "twilio"),
        ("SENDGRID", "sendgrid"),
        ("S3", "s3"),
        ("MINIO", "s3"),
        ("TYPESENSE", "typesense"),
        ("QDRANT", "qdrant"),
        ("NEO4J", "neo4j"),
        ("RESEND", "resend"),
        ("CLOUDINARY", "cloudinary"),
    ];
    if matches!(
        upper.as_str(),
        "EMAIL_HOST"
            | "EMAIL_HOST_USER"
            | "EMAIL_HOST_PASSWORD"
            | "MAIL_HOST"
            | "MAIL_SERVER"
            | "MAILER_DSN"
            | "MAIL_PASSWORD"
    ) {
        return Some("smtp");
    }
    kinds.iter().find(|(w, _)| has(w)).map(|(_, k)| *k)
}
