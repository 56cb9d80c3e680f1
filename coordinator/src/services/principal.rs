//! Who asks, and what that one may do.
//!
//! Rule: nothing is allowed that [`Permission::needs`] does not allow; the only way to a team's rows is the [`Access`]
//! that [`Principal::authorize`] returns.

use hydron_domain::identity::{Actor, Role};
use hydron_proto::ids::{SessionId, TeamId, UserId};
use hydron_proto::plan::Risk;
use hydron_store::{Store, StoreError, TeamStore, TeamTx};

/// Something a principal may be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// See the team, its members and its events.
    TeamRead,
    /// See, make and revoke API tokens.
    TokensManage,
    /// Read the audit log.
    AuditRead,
    /// See projects and everything in them but secrets.
    ProjectsRead,
    /// Make and change projects, analyses, services and their environment.
    ProjectsWrite,
    /// Delete projects.
    ProjectsDelete,
    /// Make, edit and approve plans; the risk of what is approved is checked on top.
    PlansWrite,
    /// Start, pause, resume, stop, retry runs; redeploy, roll back, restart.
    RunsControl,
    /// See servers.
    ServersRead,
    /// Adopt, rename and revoke servers; enrollment tokens.
    ServersManage,
    /// Talk to the assistant.
    ChatsWrite,
}

impl Permission {
    /// The weakest role that has it.
    pub fn needs(self) -> Role {
        match self {
            Self::TeamRead | Self::ProjectsRead | Self::ServersRead => Role::Viewer,
            Self::ProjectsWrite | Self::PlansWrite | Self::RunsControl | Self::ChatsWrite => Role::Developer,
            Self::TokensManage | Self::AuditRead | Self::ProjectsDelete | Self::ServersManage => Role::Admin,
        }
    }
}

/// How somebody proved who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// A session's cookie.
    Session {
        /// Which one.
        id: SessionId,
        /// Whose.
        user: UserId,
    },
    /// An API token.
    Token,
    /// The command line on the coordinator's own machine.
    Console,
}

/// Who asks, in which team, with which role.
#[derive(Debug, Clone)]
pub struct Principal {
    /// Who.
    pub actor: Actor,
    /// How they proved it.
    pub credential: Credential,
    /// In which team.
    pub team: TeamId,
    /// With which role there.
    pub role: Role,
}

/// Not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The role is too weak.
    #[error("this needs the role {needs}; yours is {has}. Ask an admin or the owner of the team")]
    Role {
        /// The weakest role that may.
        needs: Role,
        /// The principal's.
        has: Role,
    },
    /// What is approved is riskier than the principal may approve.
    #[error("approving this ({risk}) is beyond what {who} may approve")]
    Risk {
        /// The risk of what was to be approved.
        risk: &'static str,
        /// In words.
        who: &'static str,
    },
}

impl Principal {
    /// The team's rows, if the role allows it.
    pub fn authorize(&self, store: &Store, permission: Permission) -> Result<Access, Denied> {
        let needs = permission.needs();
        if self.role < needs {
            return Err(Denied::Role { needs, has: self.role });
        }
        Ok(Access { team: store.team(self.team), actor: self.actor.clone(), role: self.role })
    }

    /// Whether this principal may approve something of this risk. Tokens stop at R2, whoever made them.
    pub fn may_approve(&self, risk: Risk) -> Result<(), Denied> {
        let ceiling = match self.role {
            Role::Viewer => None,
            Role::Developer => Some(Risk::R2),
            Role::Admin => Some(Risk::R3),
            Role::Owner => Some(Risk::R4),
        };
        let (ceiling, who) = match self.credential {
            Credential::Token => (ceiling.map(|risk| risk.min(Risk::R2)), "an API token"),
            Credential::Session { .. } | Credential::Console => (ceiling, "your role"),
        };
        match ceiling {
            Some(ceiling) if risk <= ceiling => Ok(()),
            Some(_) | None => Err(Denied::Risk { risk: risk_name(risk), who }),
        }
    }

    /// The person behind the principal, when there is one in a browser.
    pub fn user(&self) -> Option<UserId> {
        match self.credential {
            Credential::Session { user, .. } => Some(user),
            Credential::Token | Credential::Console => None,
        }
    }
}

/// Leave to work on one team's rows, in one actor's name.
#[derive(Debug, Clone)]
pub struct Access {
    /// Reads.
    pub team: TeamStore,
    /// Who works.
    pub actor: Actor,
    /// With which role.
    pub role: Role,
}

impl Access {
    /// Starts a change in the actor's name.
    pub async fn begin(&self, now: i64) -> Result<TeamTx, StoreError> {
        self.team.begin(&self.actor, now).await
    }
}

fn risk_name(risk: Risk) -> &'static str {
    match risk {
        Risk::R0 => "R0, read-only",
        Risk::R1 => "R1, inside its own scope",
        Risk::R2 => "R2, affects running services",
        Risk::R3 => "R3, relevant to security",
        Risk::R4 => "R4, irreversible or costs money",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn principal(role: Role, credential: Credential) -> Principal {
        Principal { actor: Actor::System { name: "test" }, credential, team: TeamId::new(1, [1; 10]), role }
    }

    #[test]
    fn who_may_approve_what() {
        let may = |role, credential| {
            [Risk::R0, Risk::R1, Risk::R2, Risk::R3, Risk::R4]
                .into_iter()
                .filter(|risk| principal(role, credential).may_approve(*risk).is_ok())
                .count()
        };
        assert_eq!(Role::ALL.map(|role| may(role, Credential::Console)), [0, 3, 4, 5]);
        assert_eq!(Role::ALL.map(|role| may(role, Credential::Token)), [0, 3, 3, 3]);
    }
}
