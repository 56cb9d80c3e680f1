//! Variables that a person sets for a service.
//!
//! Rule: the value of a secret is never here, only its name and version; a plain value is text for a person.

use hydron_proto::ids::ServiceId;
use hydron_proto::names::{EnvName, SecretName};
use hydron_proto::plan::SecretRef;

use crate::named::named;

named! {
    /// Where a variable's value comes from.
    EnvOrigin, "origin of a variable" {
        /// A person set it.
        User = "user",
        /// The analysis found a default.
        Analysis = "analysis",
        /// Made at plan time.
        Generated = "generated",
        /// Built from another service's facts.
        Reference = "reference",
    }
}

/// Longest value of a variable, bytes.
pub const MAX_VALUE: usize = 32 * 1024;
/// Shortest secret, bytes: agents take secrets of this length and more out of logs (`redact/needles.rs` there).
pub const MIN_SECRET: usize = 6;
/// Most variables of one service.
pub const MAX_VARS: usize = 200;

/// A variable of a service, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvSetting {
    /// Whose.
    pub service: ServiceId,
    /// Name.
    pub name: EnvName,
    /// Value.
    pub value: EnvValue,
    /// Milliseconds since 1970.
    pub updated_at: i64,
}

/// The value of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvValue {
    /// Text that may be shown.
    Plain(String),
    /// A stored secret.
    Secret(SecretRef),
}

/// A value that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEnvValue {
    /// Too long.
    #[error("is longer than 32 KiB; put large content into a file of the image or a volume")]
    Long,
    /// NUL cannot stand in an environment.
    #[error("contains a NUL byte; remove it")]
    Nul,
    /// Too short to be told from ordinary text in a log.
    #[error(
        "is too short for a secret: one of fewer than 6 bytes cannot be taken out of logs; choose a longer one, or set the \
         variable as not secret"
    )]
    ShortSecret,
}

/// Whether a text can be the value of a variable.
pub fn check_value(text: &str) -> Result<(), InvalidEnvValue> {
    if text.len() > MAX_VALUE {
        return Err(InvalidEnvValue::Long);
    }
    if text.contains('\0') {
        return Err(InvalidEnvValue::Nul);
    }
    Ok(())
}

/// Whether a text can be a secret. An empty one hides nothing.
pub fn check_secret(text: &str) -> Result<(), InvalidEnvValue> {
    check_value(text)?;
    let told_apart = text.trim_ascii().len() >= MIN_SECRET;
    if text.is_empty() || told_apart { Ok(()) } else { Err(InvalidEnvValue::ShortSecret) }
}

/// The name of the secret behind a variable of a service.
pub fn secret_name(service: ServiceId, variable: &str) -> Option<SecretName> {
    format!("{service}/{variable}").parse().ok()
}

/// Whether a variable's name says that its value must not be shown.
pub fn looks_secret(name: &str) -> bool {
    const WORDS: [&str; 10] = [
        "SECRET",
        "PASSWORD",
        "PASSWD",
        "TOKEN",
        "API_KEY",
        "APIKEY",
        "PRIVATE",
        "CREDENTIAL",
        "DATABASE_URL",
        "DSN",
    ];
    let upper = name.to_ascii_uppercase();
    WORDS.iter().any(|word| upper.contains(word)) || upper.ends_with("_KEY")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_long_enough_to_be_found_in_a_log() {
        for short in ["a", "12345", "12345 ", " \n     "] {
            assert_eq!(check_secret(short), Err(InvalidEnvValue::ShortSecret), "{short:?}");
        }
        for well in ["", "123456", "a secret of words"] {
            assert_eq!(check_secret(well), Ok(()), "{well:?}");
        }
    }

    #[test]
    fn names_of_secrets_are_recognised() {
        for name in ["SECRET_KEY", "DB_PASSWORD", "STRIPE_SECRET_KEY", "github_token", "DATABASE_URL"] {
            assert!(looks_secret(name), "{name}");
        }
        for name in ["PORT", "NODE_ENV", "LOG_LEVEL", "HOST", "MONKEY"] {
            assert!(!looks_secret(name), "{name}");
        }
    }

    #[test]
    fn a_value_has_at_most_32_kib_and_no_nul() {
        assert_eq!(check_value(&"x".repeat(32_768)), Ok(()));
        assert_eq!(check_value(&"x".repeat(32_769)), Err(InvalidEnvValue::Long));
        assert_eq!(check_value("a\0b"), Err(InvalidEnvValue::Nul));
        assert_eq!(check_secret("a secret\0"), Err(InvalidEnvValue::Nul));
    }
}
