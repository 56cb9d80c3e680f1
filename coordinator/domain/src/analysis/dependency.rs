//! What a service talks to, and by which variables it is told where that is.
//!
//! One rule: `kind` says *what* (postgres, redis, stripe); whether it becomes a container is the planner's decision.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A database, queue, search engine or outside service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DependencyNeed {
    /// `postgres`, `mysql`, `mariadb`, `sqlite`, `mongodb`, `redis`, `rabbitmq`, `kafka`, `elasticsearch`, `s3`, `smtp`, `stripe` …
    pub kind: String,
    /// False when the service runs without it or has an alternative.
    pub required: bool,
    /// Version the repository names (from a compose image tag), e.g. `15`.
    #[serde(default)]
    pub version: Option<String>,
    /// The image the repository itself uses for it, if any.
    #[serde(default)]
    pub image: Option<String>,
    /// True for what only an outside provider can give (Stripe, OAuth).
    #[serde(default)]
    pub external: bool,
    /// The variables that bind it.
    #[serde(default)]
    pub binding: Binding,
}

/// Environment variables by role. Either a URL or the parts, sometimes both; all empty when the code shows none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Binding {
    /// Variables that take a whole URL.
    #[serde(default)]
    pub url: Vec<UrlBinding>,
    /// Variable for the host name.
    #[serde(default)]
    pub host: Option<String>,
    /// Variable for the port.
    #[serde(default)]
    pub port: Option<String>,
    /// Variable for the user name.
    #[serde(default)]
    pub user: Option<String>,
    /// Variable for the password (a secret).
    #[serde(default)]
    pub password: Option<String>,
    /// Variable for the database, vhost or index name.
    #[serde(default)]
    pub database: Option<String>,
}

impl Binding {
    /// Whether no variable is known.
    pub fn is_empty(&self) -> bool {
        self.url.is_empty()
            && self.host.is_none()
            && self.port.is_none()
            && self.user.is_none()
            && self.password.is_none()
            && self.database.is_none()
    }
}

/// A variable that takes a URL, and the scheme the program expects in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UrlBinding {
    /// Variable name, `DATABASE_URL`.
    pub name: String,
    /// `postgres`, `postgresql+asyncpg`, `mysql+pymysql`, `redis`, `amqp` … without `://`.
    pub scheme: String,
}
