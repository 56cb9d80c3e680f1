//! Typed, prefixed ids (`prj_0198…`): a `RunId` can never be passed as a `ServerId`.
//!
//! Rule: an id is made from a time and random bytes that the caller brings (UUIDv7, RFC 9562 §5.7),
//! so that tests can repeat it. The text form is the prefix, `_` and 32 hex digits.

use std::fmt;
use std::str::FromStr;

/// An id whose text did not parse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a {kind} id: expected `{prefix}_` and 32 hexadecimal digits")]
pub struct InvalidId {
    /// What kind of thing was expected.
    pub kind: &'static str,
    /// The prefix of that kind.
    pub prefix: &'static str,
}

macro_rules! typed_ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(uuid::Uuid);

        impl $name {
            /// The text in front of the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// A new id from `unix_ms` (milliseconds since 1970) and ten random bytes.
            pub fn new(unix_ms: u64, random: [u8; 10]) -> Self {
                Self(uuid::Builder::from_unix_timestamp_millis(unix_ms, &random).into_uuid())
            }

            /// Milliseconds since 1970 at which the id was made.
            pub fn created_unix_ms(self) -> u64 {
                let bytes = self.0.as_bytes();
                bytes.iter().take(6).fold(0, |ms, byte| (ms << 8) | u64::from(*byte))
            }

            /// The last eight hex digits: random, short enough for names of containers and hosts.
            pub fn short(self) -> String {
                let text = self.0.simple().to_string();
                text.chars().skip(24).collect()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0.simple())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let invalid = InvalidId { kind: stringify!($name), prefix: $prefix };
                let digits = text.strip_prefix(concat!($prefix, "_")).ok_or(invalid.clone())?;
                if digits.len() != 32 || !digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
                    return Err(invalid);
                }
                uuid::Uuid::parse_str(digits).map(Self).map_err(|_| invalid)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .pattern(Some(concat!("^", $prefix, "_[0-9a-f]{32}$")))
                    .into()
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::ToSchema for $name {}
    )*};
}

typed_ids! {
    /// A team: the owner of everything else.
    TeamId = "team";
    /// A person who can sign in.
    UserId = "usr";
    /// A signed-in browser.
    SessionId = "ses";
    /// An API token.
    TokenId = "tok";
    /// A project.
    ProjectId = "prj";
    /// A conversation in a project.
    ChatId = "cht";
    /// One message of a conversation.
    MessageId = "msg";
    /// One reading of a repository at a commit.
    AnalysisId = "anl";
    /// A deployable component.
    ServiceId = "svc";
    /// Which servers, what runs where.
    InfrastructurePlanId = "ipl";
    /// Every step that will touch one server.
    ProvisioningPlanId = "ppl";
    /// A person's yes to a digest.
    ApprovalId = "apr";
    /// One execution.
    RunId = "run";
    /// A machine with an agent.
    ServerId = "srv";
    /// A version of a service on its servers.
    ReleaseId = "rel";
    /// A one-time right to join.
    EnrollmentTokenId = "enr";
    /// A host name of a project.
    DomainId = "dom";
    /// A line of the audit log.
    AuditId = "aud";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text_form_and_keeps_its_time() {
        let id = RunId::new(1_700_000_000_123, [7; 10]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.created_unix_ms(), 1_700_000_000_123);
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let text = RunId::new(1, [7; 10]).to_string();
        assert!(text.parse::<ServerId>().is_err());
        assert!(text.to_uppercase().parse::<RunId>().is_err());
        assert!("run_zz".parse::<RunId>().is_err());
    }
}
