//! Who acts: roles of a team, and the actor that an event or an audit row names.
//!
//! Rule: roles are ordered; whoever may do a thing as developer may do it as owner.

use std::fmt;
use std::str::FromStr;

use hydron_proto::ids::{ServerId, TokenId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a member may do in a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees everything but secrets, changes nothing.
    Viewer,
    /// Works in projects: services, plans, releases up to R2.
    Developer,
    /// Also servers, members, tokens; approves up to R3.
    Admin,
    /// Everything, also what is irreversible or costs money.
    Owner,
}

/// A text that is none of the known names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a {what}; expected one of {expected}")]
pub struct UnknownName {
    /// What was expected.
    pub what: &'static str,
    /// What came.
    pub text: String,
    /// What is known.
    pub expected: &'static str,
}

impl Role {
    /// Every role, weakest first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Developer, Self::Admin, Self::Owner];

    /// The role's stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Developer => "developer",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or_else(|| UnknownName {
            what: "role",
            text: text.to_owned(),
            expected: "viewer, developer, admin, owner",
        })
    }
}

/// Who made a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A person in a browser.
    User {
        /// Who.
        id: UserId,
        /// The name at the time.
        name: String,
    },
    /// An API token.
    Token {
        /// Which one.
        id: TokenId,
        /// The token's name at the time.
        name: String,
        /// Whoever made the token, if it was a person.
        owner: Option<UserId>,
    },
    /// An agent reporting what happened on its server.
    Agent {
        /// Which server.
        id: ServerId,
    },
    /// The coordinator itself.
    System {
        /// Which part of it: a job's or a command's name.
        name: &'static str,
    },
}

impl Actor {
    /// The kind's stable name.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::User { .. } => "user",
            Self::Token { .. } => "token",
            Self::Agent { .. } => "agent",
            Self::System { .. } => "system",
        }
    }

    /// The id behind the actor; for the system, the part's name.
    pub fn id(&self) -> String {
        match self {
            Self::User { id, .. } => id.to_string(),
            Self::Token { id, .. } => id.to_string(),
            Self::Agent { id } => id.to_string(),
            Self::System { name } => (*name).to_owned(),
        }
    }

    /// What a person reads.
    pub fn name(&self) -> String {
        match self {
            Self::User { name, .. } | Self::Token { name, .. } => name.clone(),
            Self::Agent { id } => format!("agent of {id}"),
            Self::System { name } => format!("Hydron ({name})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_ordered_and_survive_their_names() {
        assert!(Role::Owner > Role::Admin && Role::Admin > Role::Developer && Role::Developer > Role::Viewer);
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        assert!("root".parse::<Role>().is_err());
    }

    #[test]
    fn the_audit_says_who_did_it_by_kind_id_and_name() {
        let server = ServerId::new(1, [1; 10]);
        let agent = Actor::Agent { id: server };
        assert_eq!(
            (agent.kind(), agent.id(), agent.name()),
            ("agent", server.to_string(), format!("agent of {server}"))
        );
        let system = Actor::System { name: "sweep" };
        let told = (system.kind(), system.id(), system.name());
        assert_eq!(told, ("system", "sweep".to_owned(), "Hydron (sweep)".to_owned()));
    }
}
