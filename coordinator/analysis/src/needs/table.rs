//! Dependency kinds: which driver packages, variables and URLs mean which.
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

/// A driver: package, kind, URL scheme that it expects.
pub(crate) type Driver = (&'static str, &'static str, Option<&'static str>);

/// npm packages.
pub(crate) const NPM: &[Driver] = &[
    ("pg", "postgres", None),
    ("postgres", "postgres", None),
    ("pg-promise", "postgres", None),
    ("@vercel/postgres", "postgres", None),
    ("@neondatabase/serverless", "postgres", None),
    ("@prisma/adapter-pg", "postgres", None),
    ("@mikro-orm/postgresql", "postgres", None),
    ("slonik", "postgres", None),
    ("@fastify/postgres", "postgres", None),
    ("pg-native", "postgres", None),
    ("mysql", "mysql", None),
    ("mysql2", "mysql", None),
    ("@fastify/mysql", "mysql", None),
    ("@mikro-orm/mysql", "mysql", None),
    ("mariadb", "mariadb", None),
    ("@mikro-orm/mariadb", "mariadb", None),
    ("better-sqlite3", "sqlite", None),
    ("sqlite3", "sqlite", None),
    ("sqlite", "sqlite", None),
    ("@libsql/client", "sqlite", None),
    ("sql.js", "sqlite", None),
    ("@mikro-orm/sqlite", "sqlite", None),
    ("@prisma/adapter-better-sqlite3", "sqlite", None),
    ("mongodb", "mongodb", Some("mongodb")),
    ("mongoose", "mongodb", Some("mongodb")),
    ("@nestjs/mongoose", "mongodb", Some("mongodb")),
    ("@mikro-orm/mongodb", "mongodb", Some("mongodb")),
    ("@fastify/mongodb", "mongodb", Some("mongodb")),
    ("mongojs", "mongodb", None),
    ("monk", "mongodb", None),
    ("redis", "redis", None),
    ("ioredis", "redis", None),
    ("@redis/client", "redis", None),
    ("connect-redis", "redis", None),
    ("rate-limit-redis", "redis", None),
    ("@fastify/redis", "redis", None),
    ("bullmq", "redis", None),
    ("bull", "redis", None),
    ("@nestjs/bullmq", "redis", None),
    ("@nestjs/bull", "redis", None),
    ("bee-queue", "redis", None),
    ("@keyv/redis", "redis", None),
    ("handy-redis", "redis", None),
    ("amqplib", "rabbitmq", None),
    ("amqp-connection-manager", "rabbitmq", None),
    ("@golevelup/nestjs-rabbitmq", "rabbitmq", None),
    ("rhea", "rabbitmq", None),
    ("kafkajs", "kafka", None),
    ("node-rdkafka", "kafka", None),
    ("@confluentinc/kafka-javascript", "kafka", None),
    ("@elastic/elasticsearch", "elasticsearch", None),
    ("elasticsearch", "elasticsearch", None),
    ("@opensearch-project/opensearch", "opensearch", None),
    ("meilisearch", "meilisearch", None),
    ("typesense", "typesense", None),
    ("algoliasearch", "algolia", None),
    ("memjs", "memcached", None),
    ("memcached", "memcached", None),
    ("nats", "nats", None),
    ("@clickhouse/client", "clickhouse", None),
    ("mssql", "mssql", None),
    ("tedious", "mssql", None),
    ("neo4j-driver", "neo4j", None),
    ("@qdrant/js-client-rest", "qdrant", None),
    ("cassandra-driver", "cassandra", None),
    ("@aws-sdk/client-s3", "s3", None),
    ("minio", "s3", None),
    ("multer-s3", "s3", None),
    ("stripe", "stripe", None),
    ("nodemailer", "smtp", None),
    ("@nestjs-modules/mailer", "smtp", None),
    ("openai", "openai", None),
    ("@anthropic-ai/sdk", "anthropic", None),
    ("@sentry/node", "sentry", None),
    ("@sentry/nextjs", "sentry", None),
    ("twilio", "twilio", None),
    ("@sendgrid/mail", "sendgrid", None),
    ("resend", "resend", None),
    ("cloudinary", "cloudinary", None),
    ("firebase-admin", "firebase", None),
    ("@supabase/supabase-js", "supabase", None),
    ("googleapis", "google", None),
    ("puppeteer-core", "chrome", None),
];

/// Python distributions.
pub(crate) const PYPI: &[Driver] = &[
    ("psycopg", "postgres", Some("postgresql+psycopg")),
    ("psycopg[binary]", "postgres", Some("postgresql+psycopg")),
    ("psycopg2", "postgres", Some("postgresql")),
    ("psycopg2-binary", "postgres", Some("postgresql")),
    ("asyncpg", "postgres", Some("postgresql+asyncpg")),
    ("pg8000", "postgres", Some("postgresql+pg8000")),
    ("aiopg", "postgres", Some("postgresql")),
    ("databases[postgresql]", "postgres", Some("postgresql")),
    ("tortoise-orm[asyncpg]", "postgres", Some("postgres")),
    ("pgvector", "postgres", None),
    ("mysqlclient", "mysql", Some("mysql")),
    ("pymysql", "mysql", Some("mysql+pymysql")),
    ("aiomysql", "mysql", Some("mysql+aiomysql")),
    ("asyncmy", "mysql", Some("mysql+asyncmy")),
    ("mysql-connector-python", "mysql", Some("mysql+mysqlconnector")),
    ("flask-mysqldb", "mysql", None),
    ("mariadb", "mariadb", None),
    ("aiosqlite", "sqlite", Some("sqlite+aiosqlite")),
    ("pymongo", "mongodb", Some("mongodb")),
    ("motor", "mongodb", Some("mongodb")),
    ("mongoengine", "mongodb", Some("mongodb")),
    ("beanie", "mongodb", Some("mongodb")),
    ("odmantic", "mongodb", Some("mongodb")),
    ("flask-pymongo", "mongodb", Some("mongodb")),
    ("djongo", "mongodb", Some("mongodb")),
    ("redis", "redis", None),
    ("aioredis", "redis", None),
    ("django-redis", "redis", None),
    ("rq", "redis", None),
    ("django-rq", "redis", None),
    ("arq", "redis", None),
    ("celery[redis]", "redis", None),
    ("channels-redis", "redis", None),
    ("flask-redis", "redis", None),
    ("huey", "redis", None),
    ("fastapi-cache2[redis]", "redis", None),
    ("dramatiq[redis]", "redis", None),
    ("pika", "rabbitmq", None),
    ("aio-pika", "rabbitmq", None),
    ("dramatiq[rabbitmq]", "rabbitmq", None),
    ("kafka-python", "kafka", None),
    ("confluent-kafka", "kafka", None),
    ("aiokafka", "kafka", None),
    ("faust", "kafka", None),
    ("faust-streaming", "kafka", None),
    ("elasticsearch", "elasticsearch", None),
    ("elasticsearch-dsl", "elasticsearch", None),
    ("opensearch-py", "opensearch", None),
    ("meilisearch", "meilisearch", None),
    ("pymemcache", "memcached", None),
    ("pylibmc", "memcached", None),
    ("python-memcached", "memcached", None),
    ("nats-py", "nats", None),
    ("clickhouse-driver", "clickhouse", None),
    ("clickhouse-connect", "clickhouse", None),
    ("neo4j", "neo4j", None),
    ("qdrant-client", "qdrant", None),
    ("chromadb", "chroma", None),
    ("pymssql", "mssql", None),
    ("pyodbc", "mssql", None),
    ("cassandra-driver", "cassandra", None),
    ("influxdb-client", "influxdb", None),
    ("boto3", "s3", None),
    ("django-storages", "s3", None),
    ("aioboto3", "s3", None),
    ("minio", "s3", None),
    ("stripe", "stripe", None),
    ("emails", "smtp", None),
    ("fastapi-mail", "smtp", None),
    ("flask-mail", "smtp", None),
    ("aiosmtplib", "smtp", None),
    ("openai", "openai", None),
    ("anthropic", "anthropic", None),
    ("sentry-sdk", "sentry", None),
    ("twilio", "twilio", None),
    ("sendgrid", "sendgrid", None),
];

/// Ruby gems.
pub(crate) const GEMS: &[Driver] = &[
    ("pg", "postgres", None),
    ("mysql2", "mysql", Some("mysql2")),
    ("trilogy", "mysql", Some("trilogy")),
    ("sqlite3", "sqlite", None),
    ("mongo", "mongodb", None),
    ("mongoid", "mongodb", None),
    ("redis", "redis", None),
    ("kredis", "redis", None),
    ("sidekiq", "redis", None),
    ("resque", "redis", None),
    ("redis-client", "redis", None),
    ("redis-rails", "redis", None),
    ("elasticsearch", "elasticsearch", None),
    ("searchkick", "elasticsearch", None),
    ("elasticsearch-model", "elasticsearch", None),
    ("bunny", "rabbitmq", None),
    ("sneakers", "rabbitmq", None),
    ("ruby-kafka", "kafka", None),
    ("karafka", "kafka", None),
    ("meilisearch-rails", "meilisearch", None),
    ("dalli", "memcached", None),
    ("aws-sdk-s3", "s3", None),
    ("stripe", "stripe", None),
    ("pay", "stripe", None),
    ("sentry-ruby", "sentry", None),
    ("sentry-rails", "sentry", None),
];

/// Go import path prefixes.
pub(crate) const GO: &[Driver] = &[
    ("github.com/jackc/pgx", "postgres", None),
    ("github.com/lib/pq", "postgres", None),
    ("gorm.io/driver/postgres", "postgres", None),
    ("github.com/jinzhu/gorm/dialects/postgres", "postgres", None),
    ("github.com/go-pg/pg", "postgres", None),
    ("github.com/uptrace/bun/driver/pgdriver", "postgres", None),
    ("entgo.io/ent/dialect/postgres", "postgres", None),
    ("github.com/go-sql-driver/mysql", "mysql", None),
    ("gorm.io/driver/mysql", "mysql", None),
    ("github.com/jinzhu/gorm/dialects/mysql", "mysql", None),
    ("github.com/mattn/go-sqlite3", "sqlite", None),
    ("modernc.org/sqlite", "sqlite", None),
    ("gorm.io/driver/sqlite", "sqlite", None),
    ("github.com/glebarez/sqlite", "sqlite", None),
    ("github.com/jinzhu/gorm/dialects/sqlite", "sqlite", None),
    ("zombiezen.com/go/sqlite", "sqlite", None),
    ("github.com/ncruces/go-sqlite3", "sqlite", None),
    ("go.mongodb.org/mongo-driver", "mongodb", None),
    ("gopkg.in/mgo.v2", "mongodb", None),
    ("github.com/go-redis/redis", "redis", None),
    ("github.com/redis/go-redis", "redis", None),
    ("github.com/gomodule/redigo", "redis", None),
    ("github.com/hibiken/asynq", "redis", None),
    ("github.com/redis/rueidis", "redis", None),
    ("github.com/rabbitmq/amqp091-go", "rabbitmq", None),
    ("github.com/streadway/amqp", "rabbitmq", None),
    ("github.com/segmentio/kafka-go", "kafka", None),
    ("github.com/Shopify/sarama", "kafka", None),
    ("github.com/IBM/sarama", "kafka", None),
    ("github.com/twmb/franz-go", "kafka", None),
    ("github.com/confluentinc/confluent-kafka-go", "kafka", None),
    ("github.com/elastic/go-elasticsearch", "elasticsearch", None),
    ("github.com/olivere/elastic", "elasticsearch", None),
    ("github.com/opensearch-project/opensearch-go", "opensearch", None),
    ("github.com/meilisearch/meilisearch-go", "meilisearch", None),
    ("github.com/bradfitz/gomemcache", "memcached", None),
    ("github.com/nats-io/nats.go", "nats", None),
    ("github.com/ClickHouse/clickhouse-go", "clickhouse", None),
    ("github.com/denisenkom/go-mssqldb", "mssql", None),
    ("github.com/microsoft/go-mssqldb", "mssql", None),
    ("gorm.io/driver/sqlserver", "mssql", None),
    ("github.com/aws/aws-sdk-go-v2/service/s3", "s3", None),
    ("github.com/aws/aws-sdk-go/service/s3", "s3", None),
    ("github.com/minio/minio-go", "s3", None),
    ("github.com/stripe/stripe-go", "stripe", None),
    ("gopkg.in/gomail.v2", "smtp", None),
    ("net/smtp", "smtp", None),
    ("github.com/wneessen/go-mail", "smtp", None),
    ("github.com/sashabaranov/go-openai", "openai", None),
    ("github.com/getsentry/sentry-go", "sentry", None),
    ("github.com/knadh/smtppool", "smtp", None),
];

/// Maven coordinates, as parts of `group:artifact`.
pub(crate) const MAVEN: &[Driver] = &[
    ("org.postgresql:postgresql", "postgres", Some("jdbc:postgresql")),
    ("quarkus-jdbc-postgresql", "postgres", Some("jdbc:postgresql")),
    ("quarkus-reactive-pg-client", "postgres", None),
    ("r2dbc-postgresql", "postgres", None),
    ("mysql-connector-j", "mysql", Some("jdbc:mysql")),
    ("mysql:mysql-connector-java", "mysql", Some("jdbc:mysql")),
    ("quarkus-jdbc-mysql", "mysql", Some("jdbc:mysql")),
    ("mariadb-java-client", "mariadb", Some("jdbc:mariadb")),
    ("quarkus-jdbc-mariadb", "mariadb", Some("jdbc:mariadb")),
    ("sqlite-jdbc", "sqlite", None),
    ("com.h2database:h2", "h2", None),
    ("quarkus-jdbc-h2", "h2", None),
    ("org.hsqldb:hsqldb", "hsqldb", None),
    ("mssql-jdbc", "mssql", None),
    ("ojdbc", "oracle", None),
    ("spring-boot-starter-data-mongodb", "mongodb", None),
    ("mongodb-driver", "mongodb", None),
    ("quarkus-mongodb", "mongodb", None),
    ("spring-boot-starter-data-redis", "redis", None),
    ("lettuce-core", "redis", None),
    ("redis.clients:jedis", "redis", None),
    ("quarkus-redis-client", "redis", None),
    ("spring-session-data-redis", "redis", None),
    ("org.redisson:redisson", "redis", None),
    ("spring-boot-starter-data-elasticsearch", "elasticsearch", None),
    ("quarkus-elasticsearch", "elasticsearch", None),
    ("spring-boot-starter-amqp", "rabbitmq", None),
    ("quarkus-messaging-rabbitmq", "rabbitmq", None),
    ("quarkus-smallrye-reactive-messaging-rabbitmq", "rabbitmq", None),
    ("com.rabbitmq:amqp-client", "rabbitmq", None),
    ("spring-kafka", "kafka", None),
    ("quarkus-messaging-kafka", "kafka", None),
    ("quarkus-smallrye-reactive-messaging-kafka", "kafka", None),
    ("quarkus-kafka-client", "kafka", None),
    ("org.apache.kafka:kafka-clients", "kafka", None),
    ("spring-cloud-starter-stream-kafka", "kafka", None),
    ("spring-boot-starter-mail", "smtp", None),
    ("quarkus-mailer", "smtp", None),
    ("software.amazon.awssdk:s3", "s3", None),
    ("aws-java-sdk-s3", "s3", None),
    ("stripe-java", "stripe", None),
    ("spring-ai-starter-model-openai", "openai", None),
    ("spring-ai-openai", "openai", None),
    ("spring-ai-azure-openai", "openai", None),
    ("spring-ai-starter-model-azure-openai", "openai", None),
    ("spring-ai-openai-spring-boot-starter", "openai", None),
    ("quarkus-langchain4j-openai", "openai", None),
    ("neo4j", "neo4j", None),
];

/// Composer packages and extensions.
pub(crate) const COMPOSER: &[Driver] = &[
    ("ext-pdo_pgsql", "postgres", None),
    ("ext-pgsql", "postgres", None),
    ("ext-pdo_mysql", "mysql", None),
    ("ext-mysqli", "mysql", None),
    ("ext-pdo_sqlite", "sqlite", None),
    ("ext-sqlite3", "sqlite", None),
    ("mongodb/mongodb", "mongodb", None),
    ("mongodb/laravel-mongodb", "mongodb", None),
    ("jenssegers/mongodb", "mongodb", None),
    ("doctrine/mongodb-odm-bundle", "mongodb", None),
    ("predis/predis", "redis", None),
    ("ext-redis", "redis", None),
    ("snc/redis-bundle", "redis", None),
    ("laravel/horizon", "redis", None),
    ("elasticsearch/elasticsearch", "elasticsearch", None),
    ("php-amqplib/php-amqplib", "rabbitmq", None),
    ("symfony/amqp-messenger", "rabbitmq", None),
    ("longlang/phpkafka", "kafka", None),
    ("meilisearch/meilisearch-php", "meilisearch", None),
    ("league/flysystem-aws-s3-v3", "s3", None),
    ("stripe/stripe-php", "stripe", None),
    ("laravel/cashier", "stripe", None),
    ("symfony/mailer", "smtp", None),
];

/// NuGet packages, as prefixes.
pub(crate) const NUGET: &[Driver] = &[
    ("Npgsql", "postgres", None),
    ("Pomelo.EntityFrameworkCore.MySql", "mysql", None),
    ("MySqlConnector", "mysql", None),
    ("MySql.", "mysql", None),
    ("Microsoft.EntityFrameworkCore.Sqlite", "sqlite", None),
    ("Microsoft.Data.Sqlite", "sqlite", None),
    ("Microsoft.EntityFrameworkCore.SqlServer", "mssql", None),
    ("Microsoft.Data.SqlClient", "mssql", None),
    ("System.Data.SqlClient", "mssql", None),
    ("MongoDB.Driver", "mongodb", None),
    ("MongoDB.EntityFrameworkCore", "mongodb", None),
    ("StackExchange.Redis", "redis", None),
    ("Microsoft.Extensions.Caching.StackExchangeRedis", "redis", None),
    ("RabbitMQ.Client", "rabbitmq", None),
    ("MassTransit.RabbitMQ", "rabbitmq", None),
    ("Confluent.Kafka", "kafka", None),
    ("Elastic.Clients", "elasticsearch", None),
    ("NEST", "elasticsearch", None),
    ("AWSSDK.S3", "s3", None),
    ("Stripe.net", "stripe", None),
    ("MailKit", "smtp", None),
    ("Aspire.Npgsql", "postgres", None),
    ("Aspire.StackExchange.Redis", "redis", None),
];

/// Rust crates (features decide for `sqlx`, `diesel`, `sea-orm`).
pub(crate) const CRATES: &[Driver] = &[
    ("tokio-postgres", "postgres", None),
    ("postgres", "postgres", None),
    ("deadpool-postgres", "postgres", None),
    ("bb8-postgres", "postgres", None),
    ("diesel-async", "postgres", None),
    ("mysql", "mysql", None),
    ("mysql_async", "mysql", None),
    ("rusqlite", "sqlite", None),
    ("mongodb", "mongodb", None),
    ("redis", "redis", None),
    ("fred", "redis", None),
    ("deadpool-redis", "redis", None),
    ("bb8-redis", "redis", None),
    ("lapin", "rabbitmq", None),
    ("rdkafka", "kafka", None),
    ("elasticsearch", "elasticsearch", None),
    ("meilisearch-sdk", "meilisearch", None),
    ("async-nats", "nats", None),
    ("clickhouse", "clickhouse", None),
    ("lettre", "smtp", None),
    ("aws-sdk-s3", "s3", None),
    ("rust-s3", "s3", None),
    ("async-stripe", "stripe", None),
    ("async-openai", "openai", None),
    ("sentry", "sentry", None),
    ("tiberius", "mssql", None),
];
