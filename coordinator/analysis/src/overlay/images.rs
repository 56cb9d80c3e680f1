//! What a container image is: a database, a development tool, or an application.
//!
//! One rule: the name's last segment is compared whole first; an application whose name merely contains `redis` is not Redis.

/// Dependency kinds by image name.
const KINDS: [(&str, &str); 65] = [
    ("postgres", "postgres"),
    ("postgresql", "postgres"),
    ("postgis", "postgres"),
    ("pgvector", "postgres"),
    ("timescaledb", "postgres"),
    ("timescaledb-ha", "postgres"),
    ("cockroach", "postgres"),
    ("citus", "postgres"),
    ("pgvecto-rs", "postgres"),
    ("mysql", "mysql"),
    ("mysql-server", "mysql"),
    ("percona", "mysql"),
    ("percona-server", "mysql"),
    ("mariadb", "mariadb"),
    ("mongo", "mongodb"),
    ("mongodb", "mongodb"),
    ("mongodb-community-server", "mongodb"),
    ("percona-server-mongodb", "mongodb"),
    ("redis", "redis"),
    ("redis-stack", "redis"),
    ("redis-stack-server", "redis"),
    ("valkey", "redis"),
    ("keydb", "redis"),
    ("dragonfly", "redis"),
    ("memcached", "memcached"),
    ("rabbitmq", "rabbitmq"),
    ("kafka", "kafka"),
    ("cp-kafka", "kafka"),
    ("redpanda", "kafka"),
    ("cp-server", "kafka"),
    ("nats", "nats"),
    ("elasticsearch", "elasticsearch"),
    ("opensearch", "opensearch"),
    ("meilisearch", "meilisearch"),
    ("typesense", "typesense"),
    ("solr", "solr"),
    ("clickhouse", "clickhouse"),
    ("clickhouse-server", "clickhouse"),
    ("minio", "s3"),
    ("garage", "s3"),
    ("localstack", "s3"),
    ("mssql", "mssql"),
    ("server", "mssql"),
    ("azure-sql-edge", "mssql"),
    ("neo4j", "neo4j"),
    ("cassandra", "cassandra"),
    ("influxdb", "influxdb"),
    ("qdrant", "qdrant"),
    ("weaviate", "weaviate"),
    ("chroma", "chroma"),
    ("milvus", "milvus"),
    ("dynamodb", "dynamodb"),
    ("dynamodb-local", "dynamodb"),
    ("dynamodblocal", "dynamodb"),
    ("couchdb", "couchdb"),
    ("arangodb", "arangodb"),
    ("surrealdb", "surrealdb"),
    ("etcd", "etcd"),
    ("zookeeper", "zookeeper"),
    ("alpine-chrome", "chrome"),
    ("chrome", "chrome"),
    ("chromium", "chrome"),
    ("temporal", "temporal"),
    ("keycloak", "oidc"),
    ("ollama", "ollama"),
];

/// Tools for development, proxies and observability: never services of the product.
const TOOLS: [&str; 48] = [
    "adminer",
    "phpmyadmin",
    "pgadmin4",
    "pgadmin",
    "pgweb",
    "mongo-express",
    "redis-commander",
    "redisinsight",
    "redis-insight",
    "maildev",
    "mailpit",
    "mailhog",
    "mailcatcher",
    "inbucket",
    "smtp4dev",
    "traefik",
    "nginx-proxy",
    "nginx-proxy-manager",
    "caddy",
    "acme-companion",
    "letsencrypt-nginx-proxy-companion",
    "haproxy",
    "prometheus",
    "grafana",
    "zipkin",
    "jaeger",
    "all-in-one",
    "loki",
    "promtail",
    "tempo",
    "otel-collector",
    "opentelemetry-collector",
    "opentelemetry-collector-contrib",
    "alertmanager",
    "node-exporter",
    "cadvisor",
    "portainer",
    "portainer-ce",
    "watchtower",
    "newman",
    "kafka-ui",
    "akhq",
    "kibana",
    "fluentd",
    "fluent-bit",
    "dozzle",
    "dbgate",
    "swagger-ui",
];

/// What an image turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ImageKind {
    /// A dependency of a kind, with the version of its tag.
    Dependency { kind: &'static str, version: Option<String> },
    /// A tool.
    Tool,
    /// Anything else.
    Application,
}

/// Judges an image reference.
pub(crate) fn judge(image: &str) -> ImageKind {
    let name = base_name(image);
    let known =
        KINDS.iter().find(|(n, _)| *n == name).filter(|(n, _)| *n != "server" || image.contains("mssql"));
    if let Some((_, kind)) = known {
        return ImageKind::Dependency { kind, version: version(image) };
    }
    if TOOLS.contains(&name.as_str()) {
        return ImageKind::Tool;
    }
    ImageKind::Application
}

/// The last path segment without tag and digest: `registry:5000/a/postgres:15@sha256:…` → `postgres`.
pub(crate) fn base_name(image: &str) -> String {
    let image = image.split('@').next().unwrap_or_default();
    let last = image.rsplit('/').next().unwrap_or_default();
    last.split(':').next().unwrap_or_default().to_lowercase()
}

/// The leading version of a tag: `15-alpine` → `15`.
pub(crate) fn version(image: &str) -> Option<String> {
    let last = image.split('@').next()?.rsplit('/').next()?;
    let (_, tag) = last.split_once(':')?;
    let tag = tag.trim_start_matches('v');
    let version: String = tag.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    let version = version.trim_matches('.').to_owned();
    (!version.is_empty()).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_judged_by_its_whole_name() {
        let postgres = ImageKind::Dependency { kind: "postgres", version: Some("15".to_owned()) };
        assert_eq!(judge("registry:5000/library/postgres:15-alpine"), postgres);
        assert_eq!(judge("oliver006/redis_exporter"), ImageKind::Application);
        assert_eq!(judge("supertokens-postgresql:7"), ImageKind::Application);
        assert_eq!(
            judge("getmeili/meilisearch:v1.6"),
            ImageKind::Dependency { kind: "meilisearch", version: Some("1.6".to_owned()) }
        );
        assert_eq!(judge("adminer"), ImageKind::Tool);
        assert_eq!(
            judge("mcr.microsoft.com/mssql/server:2022-latest"),
            ImageKind::Dependency { kind: "mssql", version: Some("2022".to_owned()) }
        );
    }
}
