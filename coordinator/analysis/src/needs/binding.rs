//! Which variables tell a service where its dependency is.
//!
//! One rule: a variable binds a dependency by its name or by the URL in its default; what fits nothing is left alone.

use hydron_domain::analysis::{Binding, EnvNeed, UrlBinding};

use super::table;
use crate::draft::{Draft, NeedDraft};

/// Works out the binding of one dependency.
pub(crate) fn bind(draft: &Draft, kind: &str, need: &NeedDraft) -> Binding {
    let mut binding = Binding::default();
    let sql = table::SQL.contains(&kind);
    let servers = draft
        .needs
        .iter()
        .filter(|(k, n)| {
            table::SQL.contains(&k.as_str()) && !table::is_embedded(k) && (n.required || n.driver)
        })
        .count();
    for env in draft.env.values() {
        let value = draft.given.get(&env.name).cloned().or_else(|| env.default.clone());
        let by_value = value.as_deref().and_then(table::kind_of_url);
        let by_name = table::kind_of_name(&env.name);
        let generic = sql && by_name.is_none() && is_generic_database(&env.name) && servers <= 1;
        let ours = by_value == Some(kind)
            || by_name == Some(kind)
            || (by_value.is_none() && generic)
            || (kind == "mariadb" && by_name == Some("mysql"))
            || broker(kind, &env.name, by_value);
        if ours {
            place(&mut binding, env, kind, need, value.as_deref());
        }
    }
    binding
}

/// A task queue's URLs point at its broker.
fn broker(kind: &str, name: &str, by_value: Option<&str>) -> bool {
    let upper = name.to_uppercase();
    by_value.is_none()
        && kind == "redis"
        && (upper.contains("BROKER_URL")
            || upper.contains("RESULT_BACKEND")
            || upper == "CELERY_BROKER"
            || upper == "CACHE_URL")
}

fn is_generic_database(name: &str) -> bool {
    let upper = name.to_uppercase();
    let words: Vec<&str> = upper.split(['_', '-']).collect();
    words.iter().any(|w| matches!(*w, "DATABASE" | "DB" | "SQLALCHEMY" | "SQL")) || upper == "DSN"
}

fn place(binding: &mut Binding, env: &EnvNeed, kind: &str, need: &NeedDraft, value: Option<&str>) {
    let upper = env.name.to_uppercase();
    let ends = |list: &[&str]| list.iter().any(|s| upper.ends_with(s));
    let scheme = value
        .and_then(|v| v.split_once("://"))
        .map(|(s, _)| s.to_owned())
        .filter(|s| table::kind_of_url(&format!("{s}://")) == Some(kind));
    if ends(&["URL", "URI", "DSN", "CONNECTION_STRING", "BROKER", "RESULT_BACKEND", "_CONN"])
        || scheme.is_some()
    {
        let scheme =
            scheme.or_else(|| need.scheme.clone()).unwrap_or_else(|| default_scheme(kind).to_owned());
        binding.url.push(UrlBinding { name: env.name.clone(), scheme });
    } else if ends(&["HOST", "HOSTNAME", "SERVER", "ADDR"]) {
        binding.host.get_or_insert_with(|| env.name.clone());
    } else if ends(&["PORT"]) {
        binding.port.get_or_insert_with(|| env.name.clone());
    } else if ends(&["PASSWORD", "PASS", "PWD", "PASSWD"]) {
        binding.password.get_or_insert_with(|| env.name.clone());
    } else if ends(&["USER", "USERNAME"]) {
        binding.user.get_or_insert_with(|| env.name.clone());
    } else if ends(&["DATABASE", "_DB", "DB_NAME", "DATABASE_NAME", "DBNAME", "VHOST", "_NAME"])
        || upper == "DB"
    {
        binding.database.get_or_insert_with(|| env.name.clone());
    }
}

fn default_scheme(kind: &str) -> &'static str {
    match kind {
        "postgres" => "postgres",
        "mysql" | "mariadb" => "mysql",
        "mongodb" => "mongodb",
        "redis" => "redis",
        "rabbitmq" => "amqp",
        "sqlite" => "sqlite",
        "kafka" => "kafka",
        "nats" => "nats",
        "mssql" => "sqlserver",
        _ => "http",
    }
}
