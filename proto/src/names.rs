//! Text from people and repositories, parsed once into types that cannot be wrong.
//!
//! Rule: what passed here may stand in argv, file names, container names and proxy configuration
//! without escaping (bug classes: injection by name, by branch, by path, by URL).

mod git;
mod grammar;
mod paths;

pub use git::{CommitId, GitRef, GitUrl};
pub use grammar::{EnvName, Hostname, ImageRef, ResourceName, SecretName, ServiceName};
pub use paths::{AbsolutePath, RelPath};

/// A text that broke its grammar. `Display` tells a person what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {problem}")]
pub struct InvalidName {
    /// The kind of name, e.g. "service name".
    pub what: &'static str,
    /// What is wrong and what to do.
    pub problem: &'static str,
}

/// A newtype over `String` that only `parse` can make; serde goes through the same gate.
macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $what:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::names::InvalidName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let check: fn(&str) -> Result<(), &'static str> = $check;
                check(text).map_err(|problem| crate::names::InvalidName { what: $what, problem })?;
                Ok(Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = crate::names::InvalidName;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new().schema_type(utoipa::openapi::schema::Type::String).into()
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::ToSchema for $name {}
    };
}
pub(crate) use checked_text;

#[cfg(test)]
mod tests;
