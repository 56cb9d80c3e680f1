//! Checks of text that people type, with errors that name the field.

use hydron_domain::disguise::is_disguise;
use hydron_store::StoreError;

/// A field that cannot be used as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {problem}")]
pub struct InvalidField {
    /// The field's name in the request.
    pub field: String,
    /// What is wrong and what to do.
    pub problem: String,
    /// In which way.
    pub fault: Fault,
}

/// In which way a field cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It never could be.
    Malformed,
    /// Another thing has it already.
    Taken,
    /// It names what is not there.
    Unknown,
}

impl InvalidField {
    /// `field` has this problem.
    pub fn new(field: impl Into<String>, problem: impl std::fmt::Display) -> Self {
        Self { field: field.into(), problem: problem.to_string(), fault: Fault::Malformed }
    }

    /// `field` names what another thing is called already.
    pub fn taken(field: impl Into<String>, problem: impl std::fmt::Display) -> Self {
        Self { fault: Fault::Taken, ..Self::new(field, problem) }
    }

    /// `field` names what is not there, or not theirs.
    pub fn unknown(field: impl Into<String>, problem: impl std::fmt::Display) -> Self {
        Self { fault: Fault::Unknown, ..Self::new(field, problem) }
    }
}

/// Why a use case that only reads rows failed.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Not allowed.
    #[error(transparent)]
    Denied(#[from] super::principal::Denied),
    /// Not there, or not theirs.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A display name: one line, 1 to 100 characters, trimmed.
pub fn display_name(field: &str, text: &str) -> Result<String, InvalidField> {
    let text = text.trim();
    if text.is_empty() {
        return Err(InvalidField::new(field, "must not be empty"));
    }
    if text.chars().count() > 100 {
        return Err(InvalidField::new(field, "must have at most 100 characters"));
    }
    if text.chars().any(is_disguise) {
        return Err(InvalidField::new(field, "must not contain control or direction characters"));
    }
    Ok(text.to_owned())
}

/// An e-mail address, lower case. Only its shape is checked: whether mail arrives is another question.
pub fn email(field: &str, text: &str) -> Result<String, InvalidField> {
    let text = text.trim().to_lowercase();
    let good = text.len() <= 254
        && !text.chars().any(|c| c.is_whitespace() || is_disguise(c))
        && text.split_once('@').is_some_and(|(name, host)| {
            !name.is_empty()
                && !host.contains('@')
                && !host.is_empty()
                && !host.starts_with('.')
                && !host.ends_with('.')
        });
    if good { Ok(text) } else { Err(InvalidField::new(field, "must be an address like name@example.com")) }
}

/// A new password: 12 to 1024 characters, and not one that is guessed first.
pub fn new_password(field: &str, text: &str) -> Result<(), InvalidField> {
    match text.chars().count() {
        0..12 => Err(InvalidField::new(field, "must have at least 12 characters")),
        12..=1024 if is_repetitive(text) => {
            Err(InvalidField::new(field, "is too easy to guess; use several words or a password manager"))
        }
        12..=1024 => Ok(()),
        _ => Err(InvalidField::new(field, "must have at most 1024 characters")),
    }
}

fn is_repetitive(text: &str) -> bool {
    let distinct: std::collections::BTreeSet<char> = text.chars().collect();
    distinct.len() < 5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_addresses_and_passwords_are_checked_with_the_field_in_the_error() {
        assert_eq!(display_name("name", "  Ada \n").unwrap(), "Ada");
        assert_eq!(display_name("name", "a\u{202e}b").unwrap_err().field, "name");
        assert_eq!(email("email", " Ada@Example.COM ").unwrap(), "ada@example.com");
        for bad in ["", "a", "a@", "@b", "a b@c", "a@b@c", "a@.c"] {
            assert!(email("email", bad).is_err(), "{bad:?}");
        }
        assert!(new_password("password", "short").is_err());
        assert!(new_password("password", "aaaaaaaaaaaaaaaa").is_err());
        assert!(new_password("password", "correct horse battery").is_ok());
    }
}
