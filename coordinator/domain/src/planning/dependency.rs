//! Databases, caches and brokers that Hydron runs itself: image, port, data, and what an application is told.
//!
//! Rule: one row of a table each; the password of a dependency is one generated secret, `<service>/password`.

use std::collections::BTreeSet;

use hydron_proto::names::{ImageRef, RelPath, ServiceName};

use crate::service::{DependencyChoice, DockerfileOrigin, ServiceDockerfile, ServiceKind, ServiceSpec};

/// What is known about a kind of dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DependencyEntry {
    /// Kind, as the analysis says it.
    pub kind: &'static str,
    /// Name of the service.
    pub name: &'static str,
    /// Image without tag.
    pub repository: &'static str,
    /// Tag when the repository names none.
    pub tag: &'static str,
    /// Port.
    pub port: u16,
    /// Where its data is.
    pub data: &'static str,
    /// Variables of its container.
    pub container: &'static [(&'static str, Given)],
    /// Lines after `FROM` in its Dockerfile.
    pub lines: &'static str,
    /// Whether clients need user and password.
    pub login: bool,
    /// What clients give after the last `/` of a URL.
    pub path: &'static str,
    /// Variables set by convention when the code shows none.
    pub conventional_url: (&'static str, &'static str),
}

/// A value given to a dependency's container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// The user name.
    User,
    /// The generated password.
    Password,
    /// The database name.
    Database,
}

/// User name and database name of every dependency.
pub const ACCOUNT: &str = "app";

const TABLE: [DependencyEntry; 5] = [
    DependencyEntry {
        kind: "postgres",
        name: "postgres",
        repository: "postgres",
        tag: "15",
        port: 5432,
        data: "/var/lib/postgresql/data",
        container: &[
            ("POSTGRES_USER", Given::User),
            ("POSTGRES_PASSWORD", Given::Password),
            ("POSTGRES_DB", Given::Database),
        ],
        lines: "",
        login: true,
        path: ACCOUNT,
        conventional_url: ("DATABASE_URL", "postgresql"),
    },
    DependencyEntry {
        kind: "redis",
        name: "redis",
        repository: "redis",
        tag: "7",
        port: 6379,
        data: "/data",
        container: &[],
        // No password: the private network is the border, and redis takes one only in argv or a file.
        lines: "CMD [\"redis-server\", \"--appendonly\", \"yes\", \"--protected-mode\", \"no\"]\n",
        login: false,
        path: "0",
        conventional_url: ("REDIS_URL", "redis"),
    },
    DependencyEntry {
        kind: "mysql",
        name: "mysql",
        repository: "mysql",
        tag: "8.4",
        port: 3306,
        data: "/var/lib/mysql",
        container: &[
            ("MYSQL_USER", Given::User),
            ("MYSQL_PASSWORD", Given::Password),
            ("MYSQL_ROOT_PASSWORD", Given::Password),
            ("MYSQL_DATABASE", Given::Database),
        ],
        lines: "",
        login: true,
        path: ACCOUNT,
        conventional_url: ("DATABASE_URL", "mysql"),
    },
    DependencyEntry {
        kind: "mariadb",
        name: "mariadb",
        repository: "mariadb",
        tag: "11.4",
        port: 3306,
        data: "/var/lib/mysql",
        container: &[
            ("MARIADB_USER", Given::User),
            ("MARIADB_PASSWORD", Given::Password),
            ("MARIADB_ROOT_PASSWORD", Given::Password),
            ("MARIADB_DATABASE", Given::Database),
        ],
        lines: "",
        login: true,
        path: ACCOUNT,
        conventional_url: ("DATABASE_URL", "mysql"),
    },
    DependencyEntry {
        kind: "mongodb",
        name: "mongodb",
        repository: "mongo",
        tag: "7",
        port: 27017,
        data: "/data/db",
        container: &[
            ("MONGO_INITDB_ROOT_USERNAME", Given::User),
            ("MONGO_INITDB_ROOT_PASSWORD", Given::Password),
            ("MONGO_INITDB_DATABASE", Given::Database),
        ],
        lines: "",
        login: true,
        path: "app?authSource=admin",
        conventional_url: ("MONGODB_URI", "mongodb"),
    },
];

/// The stable name of a kind that has several.
pub fn canonical(kind: &str) -> &str {
    match kind {
        "postgresql" | "pg" => "postgres",
        "mongo" => "mongodb",
        "valkey" => "redis",
        other => other,
    }
}

/// The row of a kind, if Hydron can run it.
pub fn entry(kind: &str) -> Option<&'static DependencyEntry> {
    TABLE.iter().find(|entry| entry.kind == canonical(kind))
}

/// The service for a dependency. The repository's own choice of version is kept when it is the same image.
pub fn spec(entry: &DependencyEntry, version: Option<String>, image: Option<String>) -> ServiceSpec {
    let named = image.filter(|image| image.split([':', '@']).next() == Some(entry.repository));
    let tagged = named.filter(|image| image.contains([':', '@'])).or_else(|| {
        let tag = version.filter(|v| v.starts_with(|c: char| c.is_ascii_digit()))?;
        Some(format!("{}:{tag}", entry.repository))
    });
    let fallback = format!("{}:{}", entry.repository, entry.tag);
    let image: Option<ImageRef> = tagged.and_then(|text| text.parse().ok()).or_else(|| fallback.parse().ok());
    let content = image.as_ref().map(|image| format!("FROM {image}\n{}", entry.lines));
    ServiceSpec {
        kind: ServiceKind::Dependency,
        language: String::new(),
        framework: None,
        package_manager: None,
        build: None,
        start: None,
        release: None,
        port: Some(entry.port),
        health_path: None,
        route_prefix: None,
        dockerfile: ServiceDockerfile {
            origin: DockerfileOrigin::Generated,
            path: None,
            content,
            verdict: None,
            diff: None,
            notes: Vec::new(),
        },
        source: None,
        context: RelPath::root(),
        depends_on: BTreeSet::<ServiceName>::new(),
        needs: Vec::new(),
        env: Vec::new(),
        volumes: Vec::new(),
        dependency: image.map(|image| DependencyChoice { kind: entry.kind.to_owned(), image }),
        evidence: Vec::new(),
        found_as: None,
        edited: BTreeSet::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repositorys_own_version_is_kept_when_it_is_the_same_image() {
        let postgres = entry("postgresql").unwrap();
        let image = |version: Option<&str>, image: Option<&str>| {
            let spec = spec(postgres, version.map(str::to_owned), image.map(str::to_owned));
            spec.dependency.unwrap().image.to_string()
        };
        assert_eq!(image(None, None), "postgres:15");
        assert_eq!(image(Some("16"), None), "postgres:16");
        assert_eq!(image(Some("16"), Some("postgres:14-alpine")), "postgres:14-alpine");
        assert_eq!(image(None, Some("evil/postgres:1")), "postgres:15");
        assert_eq!(image(Some("$(id)"), None), "postgres:15");
    }
}
